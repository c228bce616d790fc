import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { CurrencyCode } from '../../money/currency';
import { untilDone } from '../../platform/database/batches';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { idLowerBound } from '../../platform/identifiers';
import { Job, type JobHandler } from '../../platform/jobs/job-queue';
import type { Risk } from '../risk';
import { RuleBook } from '../rules/rule-book';
import { domainOf } from '../signals/payer';
import type { Assessment } from './assessment';
import { UNSCORED } from './risk-engine';
import { SharedRounds } from './shared-rounds';

interface Unkept {
  client_id: string;
  livemode: boolean;
  id: string;
  risk: Risk;
  amount_minor: string;
  currency: CurrencyCode;
  payer: { email?: string } | null;
  created_at: Date;
}

/** Along each client's own payments, whose identifiers begin with their time. */
const UNKEPT = `
  select p.* from clients c cross join (values (false), (true)) as m (livemode)
   cross join lateral (
     select p.client_id, p.livemode, p.id, p.risk, p.amount_minor, p.currency, p.payer, p.created_at from payments p
      where p.client_id = c.id and p.livemode = m.livemode and p.id >= $1 and p.id < $2
        and p.risk ->> 'decision' = 'allow' and p.risk -> 'reasons' ->> 0 is distinct from $3
        and not exists (select from risk_assessments a where a.client_id = p.client_id and a.livemode = p.livemode and a.subject_id = p.id)) p
   limit $4`;
const NEWEST = 'select max(created_at) as at from risk_assessments';
const BATCH = 500;
/** What is younger may still be under way, or has a clock that is behind; whatever is looked at twice is written once. */
const UNDER_WAY_MS = 60_000;
const OVERLAP_MS = 300_000;

/**
 * Writes the assessments of payments that were let through and whose own one was lost in a crash, between the payment and what follows
 * right after it. The payment says what was thought of it; only the signals are gone.
 */
@Injectable()
@Job('risk.missing')
export class MissingAssessments implements JobHandler, OnApplicationBootstrap {
  readonly job = 'risk.missing';
  readonly schedule = '*/5 * * * *';
  private readonly logger = new Logger(MissingAssessments.name);
  /** Up to here everything is known to be written. */
  private since = new Date();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly rounds: SharedRounds,
    private readonly rules: RuleBook,
  ) {}

  /** When all instances have ended together, what they left begins where their last assessment is. */
  async onApplicationBootstrap(): Promise<void> {
    const [row] = await this.unitOfWork.read<{ at: Date | null }>('', NEWEST, []);
    if (row?.at) this.since = row.at;
  }

  async run(): Promise<void> {
    const to = new Date(Date.now() - UNDER_WAY_MS);
    const { revision } = await this.rules.current();
    let written = 0;
    await untilDone(BATCH, async () => {
      const from = new Date(this.since.getTime() - OVERLAP_MS);
      const rows = await this.unitOfWork.read<Unkept>('', UNKEPT, [idLowerBound('pay', from), idLowerBound('pay', to), UNSCORED.reasons[0], BATCH]);
      if (rows.length > 0) await this.rounds.write(rows.map((row) => this.assessmentOf(row, revision)));
      written += rows.length;
      return rows.length;
    });
    this.since = to;
    if (written > 0) this.logger.warn(`${written} assessments of payments were lost in a crash and are written now`);
  }

  private assessmentOf({ payer, risk, currency, ...row }: Unkept, revision: number): Assessment {
    return {
      clientId: row.client_id, livemode: row.livemode, subject: 'payment', subjectId: row.id, amountMinor: BigInt(row.amount_minor), currency, at: row.created_at,
      verdict: { ...risk, fired: [] }, signals: {}, sightings: [], counted: { domain: domainOf(payer?.email) }, revision,
    };
  }
}
