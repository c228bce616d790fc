import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import type { RequestContext } from '../platform/http/request-context';
import { Sweeper } from '../platform/jobs/sweeper';
import { LimitFactors } from '../platform/security/limits/limit-factors';
import { RiskEngine } from './assessments/risk-engine';
import { NONE, type RunningCounter, windowedBy } from './signals/running-counter';

const NAME = 'risk.factors';
const EVERY_MS = 2_000;
/**
 * From how many held or stopped payments and withdrawals of ten minutes on, and from which part of all, a client keeps which part of its
 * limits; the gravest first. A busy shop with a few odd payments, or one that somebody else tries cards at, keeps all of them.
 */
const STEPS = [
  { noticed: 50, share: 0.5, factor: 0.25 },
  { noticed: 20, share: 0.25, factor: 0.5 },
] as const;
const LEAST = STEPS.at(-1)!.noticed;

/** Few clients have so much noticed: a partial index over ten minutes, and of each of them a counter. */
const NOTICED = `
  select n.client_id as "clientId", n.livemode, n.noticed,
         (select running_counter(r, floor(extract(epoch from now()) / 60)::bigint, now()) from risk_counters r
           where r.client_id = n.client_id and r.livemode = n.livemode and r.kind = 'client' and r.entity = n.client_id) as counter
    from (select client_id, livemode, count(*)::int as noticed from risk_assessments
           where decision <> 'allow' and created_at > now() - interval '10 minutes' and subject <> 'login'
           group by 1, 2 having count(*) >= $1) n`;

interface Noticed {
  clientId: string;
  livemode: boolean;
  noticed: number;
  counter: RunningCounter | null;
}

/**
 * Tightens the limits of clients whose payments and withdrawals are held or stopped again and again, on all instances alike: each reads the
 * same assessments every two seconds, so a request costs no round trip for it.
 */
@Injectable()
export class RiskFactors implements OnApplicationBootstrap {
  private factors: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
    private readonly engine: RiskEngine,
    limits: LimitFactors,
  ) {
    limits.register((context) => this.factor(context));
  }

  onApplicationBootstrap(): void {
    if (this.engine.enabled) this.sweeper.every(NAME, EVERY_MS, () => this.sweep());
  }

  /** Reads what was noticed. */
  async sweep(): Promise<boolean> {
    const rows = await this.unitOfWork.read<Noticed>('risk_noticed', NOTICED, [LEAST]);
    this.factors = new Map(rows.flatMap(({ clientId, livemode, noticed, counter }) => {
      const payments = windowedBy(counter, NONE)?.[0] ?? 0;
      const step = STEPS.find((each) => noticed >= each.noticed && noticed >= each.share * payments);
      return step ? [[keyOf(clientId, livemode), step.factor] as const] : [];
    }));
    return false;
  }

  private factor({ access }: RequestContext): number {
    if (this.factors.size === 0 || !access) return 1;
    return this.factors.get(keyOf(access.clientId, access.livemode)) ?? 1;
  }
}

const keyOf = (clientId: string, livemode: boolean) => `${clientId} ${livemode}`;
