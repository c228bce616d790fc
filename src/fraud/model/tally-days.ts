import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { Job, type JobHandler } from '../../platform/jobs/job-queue';
import { LARGE } from './facts';

/** So many days does the model look at. */
const DAYS = 60;

/** A day that has any row was counted as a whole. One that has just ended is left alone for ten minutes, for clocks that are behind. */
const UNCOUNTED = `
  select to_char(d, 'YYYY-MM-DD') as day
    from generate_series(((now() - interval '10 minutes') at time zone 'UTC')::date - $1::int, ((now() - interval '10 minutes') at time zone 'UTC')::date - 1, interval '1 day') d
   where not exists (select from risk_client_days c where c.day = d::date) order by d`;

/** What was stopped was no payment. */
const COUNT = `
  insert into risk_client_days (client_id, livemode, day, payments, known_frauds, ordinary_frauds)
  select a.client_id, a.livemode, $1::date, count(*), 0, 0 from risk_assessments a
   where a.subject = 'payment' and a.decision <> 'block' and a.created_at >= $1::date::timestamp at time zone 'UTC'
     and a.created_at < ($1::date + 1)::timestamp at time zone 'UTC'
   group by 1, 2
  on conflict do nothing`;

/** Whatever was labelled, or labelled otherwise, since the days began; only rows that change are written. */
const COUNT_FRAUDS = `
  with frauds as (
    select a.client_id, a.livemode, (a.created_at at time zone 'UTC')::date as day, count(*) as known,
           count(*) filter (where coalesce((a.signals ->> 'customer_amount_times_usual')::numeric, 0) <= $2) as ordinary
      from risk_labels l join risk_assessments a on a.client_id = l.client_id and a.livemode = l.livemode and a.subject_id = l.subject_id
     where l.label = 'fraud' and l.created_at >= now() - make_interval(days => $1 + 1) and a.subject = 'payment' and a.decision <> 'block'
     group by 1, 2, 3
  )
  update risk_client_days d set known_frauds = coalesce(f.known, 0), ordinary_frauds = coalesce(f.ordinary, 0)
    from risk_client_days o left join frauds f on f.client_id = o.client_id and f.livemode = o.livemode and f.day = o.day
   where d.client_id = o.client_id and d.livemode = o.livemode and d.day = o.day and o.day >= (now() at time zone 'UTC')::date - $1::int
     and (o.known_frauds, o.ordinary_frauds) is distinct from (coalesce(f.known, 0), coalesce(f.ordinary, 0))`;
const FORGET = "delete from risk_client_days where day < (now() at time zone 'UTC')::date - $1::int";

/**
 * Keeps the daily tallies of each client that the learned model looks at. A finished day is counted once, in one statement; labels are
 * counted again each time, so that a run that failed, or a label that was taken back, mends itself.
 */
@Injectable()
@Job('risk.tally')
export class TallyDays implements JobHandler {
  readonly job = 'risk.tally';
  readonly schedule = '27 * * * *';

  constructor(private readonly unitOfWork: UnitOfWork) {}

  async run(): Promise<void> {
    const days = await this.unitOfWork.read<{ day: string }>('', UNCOUNTED, [DAYS]);
    for (const { day } of days) await this.unitOfWork.once({ text: COUNT, values: [day] });
    await this.unitOfWork.once({ text: COUNT_FRAUDS, values: [DAYS, LARGE] });
    await this.unitOfWork.once({ text: FORGET, values: [DAYS] });
  }
}
