import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { genericSource } from './sources/generic';
import type { InboundSource } from './sources/inbound-source';
import { stripeSource } from './sources/stripe';
import { tronSource } from './sources/tron';

/** A source with what the operator has set up for it. */
export interface ConfiguredSource {
  readonly source: InboundSource;
  /** Any of them may have signed; none = the source is off. */
  readonly secrets: readonly string[];
  /** CIDR ranges; empty = any address. */
  readonly allowedIps: readonly string[];
}

/** Every source that the gateway speaks, by the name that its path has. */
@Injectable()
export class InboundSources {
  private readonly byName: ReadonlyMap<string, ConfiguredSource>;

  constructor(@Inject(SETTINGS) { webhookSecrets, stripeWebhookAllowedIps }: Settings) {
    const sources: ConfiguredSource[] = [
      { source: stripeSource, secrets: webhookSecrets.stripe, allowedIps: stripeWebhookAllowedIps },
      { source: genericSource('generic'), secrets: webhookSecrets.generic, allowedIps: [] },
      { source: tronSource, secrets: webhookSecrets.tron, allowedIps: [] },
    ];
    this.byName = new Map(sources.map((configured) => [configured.source.name, configured]));
  }

  /** Every name. */
  get names(): string[] {
    return [...this.byName.keys()];
  }

  /** The source that receives under this name, or undefined when there is none or it has no secret. */
  receiving(name: string): ConfiguredSource | undefined {
    const configured = this.byName.get(name);
    return configured && configured.secrets.length > 0 ? configured : undefined;
  }

  /** The source that reads events stored under this name, even when it receives no more. */
  reading(name: string): InboundSource | undefined {
    return this.byName.get(name)?.source;
  }
}
