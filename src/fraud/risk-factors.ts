import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work';
import type { RequestContext } from '../platform/http/request-context';
import { Sweeper } from '../platform/jobs/sweeper';
import { LimitFactors } from '../platform/security/limits/limit-factors';
import { RiskEngine } from './assessments/risk-engine';

const NAME = 'risk.factors';
const EVERY_MS = 2_000;
/** How much of what was noticed within ten minutes leaves which part of a client's limits; the gravest first. A block weighs as five reviews. */
const STEPS = [
  { weight: 50, factor: 0.25 },
  { weight: 20, factor: 0.5 },
] as const;

/** Only what was not simply allowed is read: a partial index over ten minutes. */
const NOTICED = `
  select client_id as "clientId", livemode, sum(case decision when 'block' then 5 else 1 end)::int as weight
    from risk_assessments where decision <> 'allow' and created_at > now() - interval '10 minutes' and subject <> 'login'
   group by 1, 2 having sum(case decision when 'block' then 5 else 1 end) >= $1`;

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
    const rows = await this.unitOfWork.read<{ clientId: string; livemode: boolean; weight: number }>('risk_noticed', NOTICED, [STEPS.at(-1)!.weight]);
    this.factors = new Map(rows.map(({ clientId, livemode, weight }) =>
      [keyOf(clientId, livemode), STEPS.find((step) => weight >= step.weight)!.factor]));
    return false;
  }

  private factor({ access }: RequestContext): number {
    if (this.factors.size === 0 || !access) return 1;
    return this.factors.get(keyOf(access.clientId, access.livemode)) ?? 1;
  }
}

const keyOf = (clientId: string, livemode: boolean) => `${clientId} ${livemode}`;
