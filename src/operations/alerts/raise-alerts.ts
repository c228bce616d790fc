import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { newId } from '../../platform/identifiers';
import { Metrics } from '../../platform/observability/metrics';
import { Sweeper } from '../../platform/jobs/sweeper';
import { AlertDeliveries } from './alert-deliveries';
import { descriptionOf, type Figures, titleOf } from './alert-words';
import type { ChannelName } from './channels/alert-channel';
import { AlertChannels } from './channels/alert-channels';
import type { AlertRule, Escalation } from './rules/alert-rule';

const NAME = 'alerts.look';
const EVERY_MS = 5_000;
/** So many at one look; further ones follow at the next, at once. */
const ACTS_AT_ONCE = 50;
const LOOK = 'select * from look_for_alerts() limit $1';

const RAISE = `
  insert into alerts (id, rule, group_key, severity, title, description, figures, count, first_at, last_at, quiet_until, next_escalation_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + $11 * interval '1 second', now() + $12 * interval '1 second')`;
const ADD = `update alerts set count = $2, figures = $3, description = $4, last_at = $5 where id = $1`;
const ESCALATE = `update alerts set escalation_level = $2, next_escalation_at = now() + $3 * interval '1 second' where id = $1`;

/** What a look has found, as look_for_alerts answers it. */
interface Finding extends Figures {
  act: 'raise' | 'add' | 'escalate';
  rule: string;
  group_key: string;
  alert_id: string | null;
  first_at: Date;
  last_at: Date;
}

/** Looks at all rules every few seconds, on every instance; one of them raises. All times are the database's. */
@Injectable()
export class RaiseAlerts implements OnApplicationBootstrap {
  private readonly logger = new Logger(RaiseAlerts.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
    private readonly deliveries: AlertDeliveries,
    private readonly channels: AlertChannels,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.every(NAME, EVERY_MS, () => this.sweep());
  }

  /** One round trip while there is nothing to tell. Answers whether there may be more. */
  async sweep(): Promise<boolean> {
    const found = await this.unitOfWork.read<Finding>('look_for_alerts', LOOK, [1]);
    return found.length > 0 && this.act();
  }

  /** Looked at again under the lock: another instance may have raised the same since this one looked. */
  private async act(): Promise<boolean> {
    const raised: [AlertRule, string][] = [];
    const count = await this.unitOfWork.run(async (tx) => {
      raised.length = 0;
      await tx.query(`select pg_advisory_xact_lock(hashtextextended('alerts', 0))`);
      const found = await tx.query<Finding>(LOOK, [ACTS_AT_ONCE]);
      const rules = await tx.query<AlertRule>('select * from alert_rules where name = any ($1)', [found.map(({ rule }) => rule)]);
      for (const finding of found) {
        const rule = rules.find(({ name }) => name === finding.rule)!;
        if (finding.act === 'raise') raised.push([rule, await this.raise(tx, rule, finding)]);
        else if (finding.act === 'add') await add(tx, rule, finding);
        else await this.escalate(tx, rule, finding);
      }
      return found.length;
    });
    for (const [rule, title] of raised) this.tell(rule, title);
    return count === ACTS_AT_ONCE;
  }

  private async raise(tx: Tx, rule: AlertRule, finding: Finding): Promise<string> {
    const { group_key: group, hits, figures, first_at: firstAt, last_at: lastAt } = finding;
    const id = newId('alr');
    const title = titleOf(rule, group, finding);
    const escalation = this.channelAt(rule.escalation, 0) ? rule.escalation!.after_seconds : null;
    await tx.query(RAISE, [
      id, rule.name, group, rule.severity, title, descriptionOf(rule, finding), JSON.stringify(figures), hits, firstAt, lastAt,
      rule.cooldown_seconds, escalation,
    ]);
    // A channel that does not take alerts is told by the others.
    const channels = rule.name === 'alert_channel_failing' ? rule.channels.filter((name) => name !== group) : rule.channels;
    await this.deliveries.plan(tx, id, channels, { stage: 'trigger' });
    return title;
  }

  private async escalate(tx: Tx, rule: AlertRule, { alert_id: id }: Finding): Promise<void> {
    const [{ escalation_level: level }] = await tx.query<{ escalation_level: number }>(
      'select escalation_level from alerts where id = $1 for update', [id],
    );
    const channel = this.channelAt(rule.escalation, level);
    const next = this.channelAt(rule.escalation, level + 1) ? rule.escalation!.after_seconds : null;
    await tx.query(ESCALATE, [id, channel ? level + 1 : level, channel ? next : null]);
    if (channel) await this.deliveries.plan(tx, id!, [channel], { stage: 'escalation', level: level + 1 });
  }

  /** The channel of that step, among those that are set up. */
  private channelAt(escalation: Escalation | null, step: number): ChannelName | undefined {
    return escalation?.channels.filter((name) => this.channels.find(name))[step];
  }

  /** The one place at which every new alert passes, after it was committed. */
  private tell({ name, severity }: AlertRule, title: string): void {
    this.logger.warn({ msg: `alert: ${title}`, rule: name, severity });
    this.metrics.increment('cpgateway_alerts_total', { rule: name, severity });
  }
}

async function add(tx: Tx, rule: AlertRule, finding: Finding): Promise<void> {
  const { alert_id: id, hits, figures, last_at: lastAt } = finding;
  await tx.query(ADD, [id, hits, JSON.stringify(figures), descriptionOf(rule, finding), lastAt]);
}
