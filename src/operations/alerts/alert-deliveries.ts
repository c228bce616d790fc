import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { JobQueue } from '../../platform/jobs/job-queue';
import { type AlertRow, presentAlert } from './alert';
import type { AlertChannel, AlertMessage, ChannelName, Outcome, Stage } from './channels/alert-channel';
import { AlertChannels } from './channels/alert-channels';

/** The job that sends what is due on one channel. */
export const SEND_ALERTS = 'alerts.send';

/** Alerts that are raised within this time go out together. */
const GROUPING_MS = 3_000;
const CLAIMED_AT_ONCE = 50;
/** What a killed process had taken is due again after this time. */
const LEASE_SECONDS = 60;
/** The wait after the first failure, after the second, and so on, until it is given up after some seven hours. */
const DELAYS_SECONDS: readonly number[] = [2, 10, 30, 120, 300, 900, 1_800, 3_600, 3_600, 3_600, 3_600, 3_600];
/** A channel may ask for a longer wait, but not for one that makes the alert pointless. */
const MAX_RETRY_AFTER_SECONDS = 3_600;

const PLAN = `
  insert into alert_deliveries (alert_id, channel, stage, level, next_attempt_at)
  select $1, $2, $3, $4, coalesce(
    (select min(d.next_attempt_at) from alert_deliveries d
      where d.channel = $2 and d.status = 'pending' and d.attempts = 0 and d.next_attempt_at > now()),
    now() + $5 * interval '1 millisecond')
  on conflict do nothing`;

/** Whatever was told of it and keeps an incident of its own; what was never sent needs no end. */
const TOLD = `
  select distinct channel from alert_deliveries where alert_id = $1 and stage in ('trigger', 'escalation') and attempts > 0 and status <> 'failed'
  union
  select channel from alert_deliveries where alert_id = $1 and stage in ('trigger', 'escalation') and status = 'pending'`;

/** Nothing while the channel has asked for quiet, and what is about one alert in its order. */
const CLAIM = `
  with due as (
    select d.alert_id, d.channel, d.stage, d.level
      from alert_deliveries d
     where d.channel = $1 and d.status in ('pending', 'sending') and d.next_attempt_at <= now()
       and not exists (select from alert_deliveries h where h.channel = $1 and h.held_until > now())
       and not exists (select from alert_deliveries e where e.alert_id = d.alert_id and e.channel = d.channel
                          and e.created_at < d.created_at and e.status in ('pending', 'sending'))
     order by d.next_attempt_at limit $2 for update skip locked
  ), claimed as (
    update alert_deliveries d
       set status = 'sending', attempts = d.attempts + 1, next_attempt_at = now() + $3 * interval '1 second', held_until = null
      from due
     where d.alert_id = due.alert_id and d.channel = due.channel and d.stage = due.stage and d.level = due.level
    returning d.*
  )
  select c.stage, c.level, c.message_id, c.attempts, c.created_at as written_at, a.*
    from claimed c join alerts a on a.id = c.alert_id order by a.id, c.created_at`;

/** What waits for its predecessor is looked at when that one ends. The millisecond makes up for what a Date cuts off. */
const NEXT_DUE = `
  select greatest(min(d.next_attempt_at), (select max(h.held_until) from alert_deliveries h where h.channel = $1 and h.held_until is not null))
         + interval '1 millisecond' as due
    from alert_deliveries d
   where d.channel = $1 and d.status in ('pending', 'sending')
     and not exists (select from alert_deliveries e where e.alert_id = d.alert_id and e.channel = d.channel
                        and e.created_at < d.created_at and e.status in ('pending', 'sending'))
  having count(*) > 0`;

const NAME_MESSAGE = `
  update alert_deliveries d set message_id = $1
    from unnest($3::text[], $4::text[], $5::integer[]) as x (alert_id, stage, level)
   where d.channel = $2 and d.alert_id = x.alert_id and d.stage = x.stage and d.level = x.level`;

/** A retry of what is over by now would only confuse. */
const FINISH = `
  with finished as (
    update alert_deliveries d
       set status = case when $3::text <> 'pending' then $3::text
                         when a.status = 'resolved' and d.stage <> 'resolve' then 'canceled' else 'pending' end,
           last_error = $4, sent_at = case when $3::text = 'sent' then now() end,
           next_attempt_at = case when $3::text = 'pending' and not (a.status = 'resolved' and d.stage <> 'resolve')
                                  then now() + $5 * interval '1 second' end,
           held_until = now() + $6 * interval '1 second',
           attempts = d.attempts - $7::integer
      from alerts a
     where a.id = d.alert_id and d.channel = $1 and d.message_id = $2 and d.status = 'sending'
    returning d.alert_id
  )
  select alert_id from finished`;

interface ClaimedRow extends AlertRow {
  stage: Stage;
  level: number;
  message_id: string | null;
  attempts: number;
  written_at: Date;
}

/** A message that this process has taken, with the number of this attempt. */
export interface ClaimedMessage extends AlertMessage {
  readonly attempt: number;
}

/** What goes to which channel, and what has become of it: rows, so that nothing is lost with a process. */
@Injectable()
export class AlertDeliveries {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly jobs: JobQueue,
    private readonly channels: AlertChannels,
  ) {}

  /** Plans one delivery for each of the channels that is set up, in the transaction of what is told. */
  async plan(tx: Tx, alertId: string, names: readonly ChannelName[], told: { stage: Stage; level?: number }): Promise<void> {
    const { stage, level = 0 } = told;
    const grouping = stage === 'trigger' ? GROUPING_MS : 0;
    for (const { name } of this.channels.configured.filter((channel) => names.includes(channel.name) && channel.stages.includes(stage))) {
      await tx.query(PLAN, [alertId, name, stage, level, grouping]);
      await this.wake(tx, name);
    }
  }

  /** Tells the channels that were told of the alert that somebody took it, or that it is over. */
  async planFollowUp(tx: Tx, alertId: string, stage: 'acknowledge' | 'resolve'): Promise<void> {
    const told = await tx.query<{ channel: ChannelName }>(TOLD, [alertId]);
    await this.plan(tx, alertId, told.map(({ channel }) => channel), { stage });
  }

  /** Takes back what waits to be sent for an alert. */
  async cancel(tx: Tx, alertId: string, stages: readonly Stage[]): Promise<void> {
    await tx.query(
      `update alert_deliveries set status = 'canceled', next_attempt_at = null
        where alert_id = $1 and stage = any ($2) and status = 'pending'`,
      [alertId, stages],
    );
  }

  /** Takes what is due on a channel; the attempt is stored before it is made. */
  claim(channel: AlertChannel): Promise<ClaimedMessage[]> {
    return this.unitOfWork.run(async (tx) => {
      const rows = await tx.query<ClaimedRow>(CLAIM, [channel.name, CLAIMED_AT_ONCE, LEASE_SECONDS]);
      const groups = new Map<string, ClaimedRow[]>();
      for (const row of rows) groups.set(groupOf(channel, row), [...(groups.get(groupOf(channel, row)) ?? []), row]);
      const messages: ClaimedMessage[] = [];
      for (const group of groups.values()) messages.push(await name(tx, channel, group));
      await this.wake(tx, channel.name);
      return messages;
    });
  }

  /** Writes down how an attempt ended. Answers the status that its deliveries have now. */
  async finish(channel: ChannelName, { id, attempt }: ClaimedMessage, outcome: Outcome): Promise<'sent' | 'pending' | 'failed'> {
    const delay = DELAYS_SECONDS[attempt - 1];
    const status = outcome.state === 'sent' ? 'sent' : outcome.state === 'refused' || delay === undefined ? 'failed' : 'pending';
    const asked = outcome.state === 'again' ? outcome.afterSeconds : undefined;
    const held = asked === undefined ? null : Math.min(asked, MAX_RETRY_AFTER_SECONDS);
    const error = outcome.state === 'sent' ? null : outcome.error;
    await this.write(channel, [id, status, error, Math.max(delay ?? 0, held ?? 0), status === 'sent' ? null : held, 0]);
    return status;
  }

  /** Gives back what was taken and not tried: the channel does not answer at the moment. */
  async release(channel: ChannelName, { id }: ClaimedMessage): Promise<void> {
    await this.write(channel, [id, 'pending', null, DELAYS_SECONDS[0], null, 1]);
  }

  private write(channel: ChannelName, values: unknown[]): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      await tx.query(FINISH, [channel, ...values]);
      await this.wake(tx, channel);
    });
  }

  /** One job for each channel, at the next moment at which something is due there; none when nothing is. */
  private async wake(tx: Tx, channel: ChannelName): Promise<void> {
    // Two that planned at once would each know of their own rows only, and the later one would put the earlier one's job off.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('alert channel ' || $1, 0))`, [channel]);
    const [next] = await tx.query<{ due: Date }>(NEXT_DUE, [channel]);
    if (next) await this.jobs.add(tx, SEND_ALERTS, { channel }, { runAt: next.due, jobKey: `${SEND_ALERTS}:${channel}` });
  }
}

/** What was sent together before stays together; of the rest, what a channel takes together is one message for each stage. */
function groupOf(channel: AlertChannel, { id, stage, level, message_id: messageId }: ClaimedRow): string {
  return messageId ?? (channel.takesMany ? `${stage} ${level}` : `${stage} ${level} ${id}`);
}

async function name(tx: Tx, channel: AlertChannel, rows: ClaimedRow[]): Promise<ClaimedMessage> {
  const [first] = rows;
  const id = first.message_id ?? randomUUID();
  if (!first.message_id) {
    await tx.query(NAME_MESSAGE, [id, channel.name, rows.map((row) => row.id), rows.map(({ stage }) => stage), rows.map(({ level }) => level)]);
  }
  return { id, stage: first.stage, writtenAt: first.written_at, alerts: rows.map(presentAlert), attempt: first.attempts };
}
