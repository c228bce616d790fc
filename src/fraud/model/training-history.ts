import { Injectable } from '@nestjs/common';
import { isCurrency } from '../../money/currency';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { evaluate } from '../rules/evaluate';
import { RuleBook, type RuleSet } from '../rules/rule-book';
import type { Signals } from '../signals/signal-catalogue';
import type { ReplayedPayment } from './back-test';
import { DAY_MS, dayOf } from './facts';
import type { SplitDays } from './split';
import { plainUnits } from './stored-facts';

/** All of it that a figure may look back on: the acceptance points' tallies. */
const HISTORY_DAYS = 60;
const HOUR_MS = 3_600_000;
/** Spans are made shorter and longer so that about so many payments are read at once. */
const AT_ONCE = 5_000;

interface PastPayment {
  client_id: string;
  subject_id: string;
  customer: string | null;
  amount_minor: string;
  currency: string;
  at: Date;
  is_fraud: boolean;
  signals: Signals | null;
}

/** What was stopped was no payment, and what nobody has called a fraud is honest. Signals are read for the test alone. */
const PAST = `
  select a.client_id, a.subject_id, p.customer, a.amount_minor, a.currency, a.created_at as at, coalesce(l.label = 'fraud', false) as is_fraud,
         case when a.created_at >= $4 then a.signals end as signals
    from risk_assessments a
    join payments p on p.client_id = a.client_id and p.livemode = a.livemode and p.id = a.subject_id
    left join risk_labels l on l.client_id = a.client_id and l.livemode = a.livemode and l.subject_id = a.subject_id
   where a.subject = 'payment' and a.livemode = $1 and a.decision <> 'block' and a.created_at >= $2 and a.created_at < $3
   order by a.created_at, a.subject_id`;

/** The gateway's own payments as the training takes them: a client is an acceptance point, and its customers are its own. */
@Injectable()
export class TrainingHistory {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly rules: RuleBook,
  ) {}

  /** The newest days whose outcomes are all known: the test ends where complaints may still come. */
  static newestSplit(days: Omit<SplitDays, 'trainStart'>, now: number): SplitDays {
    return { ...days, trainStart: dayOf(now) - days.delayDays - days.testDays - days.delayDays - days.trainDays };
  }

  /** Payments of one mode, in the order of time, some at once; those of the test with the score that the rules in force give them. */
  async *read(livemode: boolean, { trainStart, trainDays, delayDays, testDays }: SplitDays): AsyncGenerator<ReplayedPayment[]> {
    const set = await this.rules.current();
    const testStart = new Date((trainStart + trainDays + delayDays) * DAY_MS);
    const end = testStart.getTime() + testDays * DAY_MS;
    let span = HOUR_MS;
    for (let from = (trainStart - HISTORY_DAYS) * DAY_MS; from < end; ) {
      const to = Math.min(end, from + span);
      const rows = await this.unitOfWork.read<PastPayment>('risk_training', PAST, [livemode, new Date(from), new Date(to), testStart]);
      if (rows.length > 0) yield rows.flatMap((row) => replayed(row, set));
      from = to;
      if (rows.length < AT_ONCE) span = Math.min(DAY_MS, span * 2);
      if (rows.length > 2 * AT_ONCE) span = Math.max(HOUR_MS / 60, Math.floor(span / 2));
    }
  }
}

/** Without a customer nobody's past is known: the payment is a stranger's. */
function replayed({ client_id: client, subject_id: id, customer, amount_minor: minor, currency, at, is_fraud: isFraud, signals }: PastPayment, set: RuleSet): ReplayedPayment[] {
  if (!isCurrency(currency)) return [];
  const ruleScore = signals ? evaluate(set.rules.get('payment') ?? [], set.thresholds.get('payment')!, signals).score : undefined;
  return [{
    at: at.getTime(), customer: JSON.stringify([client, customer ?? id, customer === null ? null : currency]), terminal: client,
    amount: plainUnits(minor, currency), isFraud, ruleScore,
  }];
}
