import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { newId } from '../../platform/identifiers';
import type { AlertObject } from './alerts.dto';
import type { AlertChannel, AlertMessage, ChannelName, Outcome } from './channels/alert-channel';
import { AlertChannels } from './channels/alert-channels';

/** What a channel made of a test alert. */
export interface TestedChannel {
  channel: ChannelName;
  sent: boolean;
  error: string | null;
}

/** Sends a test alert by every channel that is set up, now and once, and tells what happened. Nothing of it stays but an audit event. */
@Injectable()
export class SendTestAlert {
  constructor(
    private readonly channels: AlertChannels,
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** All at once: a channel that hangs delays the answer by its own time-out only. */
  async send(): Promise<TestedChannel[]> {
    const alert = testAlert(new Date());
    const tested = await Promise.all(this.channels.configured.map((channel) => test(channel, alert)));
    await this.unitOfWork.run((tx) => this.audit.record(tx, undefined, { kind: 'alert.tested', objectId: alert.id, after: { channels: tested } }));
    return tested;
  }
}

/** A service that keeps incidents is told at once that this one is over. */
async function test(channel: AlertChannel, alert: AlertObject): Promise<TestedChannel> {
  const message: AlertMessage = { id: randomUUID(), stage: 'trigger', writtenAt: new Date(alert.raised_at), alerts: [alert] };
  let outcome: Outcome = await channel.send(message);
  if (outcome.state === 'sent' && channel.name === 'pagerduty') outcome = await channel.send({ ...message, id: randomUUID(), stage: 'resolve' });
  return { channel: channel.name, sent: outcome.state === 'sent', error: outcome.state === 'sent' ? null : outcome.error };
}

function testAlert(now: Date): AlertObject {
  const at = now.toISOString();
  return {
    id: newId('alr'), object: 'alert', rule: 'test', group: null, severity: 'low', title: 'Test alert: nothing has happened',
    description: 'Somebody tries whether alerts arrive here. Nothing has to be done.', figures: {}, count: 1, status: 'open', first_at: at,
    last_at: at, raised_at: at, acknowledged_by: null, acknowledged_at: null, resolved_by: null, resolved_at: null, note: null,
    escalation_level: 0, next_escalation_at: null,
  };
}
