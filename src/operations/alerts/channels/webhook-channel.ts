import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../../platform/config/settings';
import { hmacSha256 } from '../../../platform/security/crypto/digests';
import { signStandardWebhook } from '../../../webhooks/outbound/standard-webhooks';
import { type AlertChannel, type AlertMessage, type Outcome, type Stage, STAGES } from './alert-channel';
import { AlertPost } from './alert-post';

const TYPES: Readonly<Record<Stage, string>> = {
  trigger: 'alert.raised', escalation: 'alert.escalated', acknowledge: 'alert.acknowledged', resolve: 'alert.resolved',
};

/** The operator's own receiver. It is told everything, as JSON, signed as Standard Webhooks has it. */
@Injectable()
export class WebhookChannel implements AlertChannel {
  readonly name = 'webhook';
  readonly takesMany = true;
  readonly stages = STAGES;
  private readonly url?: string;
  private readonly secrets: readonly string[];

  constructor(@Inject(SETTINGS) { alerts, encryptionMasterKeys }: Settings, private readonly post: AlertPost) {
    this.url = alerts.webhookUrl;
    this.secrets = webhookSecrets(encryptionMasterKeys);
  }

  get isConfigured(): boolean {
    return this.url !== undefined;
  }

  send({ id, stage, writtenAt, alerts }: AlertMessage): Promise<Outcome> {
    const url = this.url!;
    const body = JSON.stringify({ type: TYPES[stage], timestamp: writtenAt.toISOString(), data: { alerts } });
    const signature = signStandardWebhook({ id, timestampSeconds: Math.floor(Date.now() / 1000), body, secrets: this.secrets });
    return this.post.post({ url, body, headers: { ...signature }, secrets: [url] });
  }
}

/**
 * The secrets that alerts are signed with, newest first. They follow from the master keys: nothing more has to be kept, and while those
 * are rotated a receiver that knows either secret can verify.
 */
export function webhookSecrets(masterKeys: readonly Buffer[]): string[] {
  return masterKeys.map((key) => `whsec_${hmacSha256(key, 'cpgateway alert webhook').toString('base64')}`);
}
