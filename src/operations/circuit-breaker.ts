import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SecurityLog } from '../audit/security-log';
import { type Tx, UnitOfWork } from '../platform/database/unit-of-work';
import { idLowerBound } from '../platform/identifiers';
import { Sweeper } from '../platform/jobs/sweeper';
import { BREAKER_RULES, type BreakerRule, NEVER_COUNTED, TRIPPED } from './circuit-breaker-rules';
import { Switchboard } from './switches/switchboard';

const NAME = 'circuit_breaker';
const TARGET = 'withdrawals';
const EVERY_MS = 5_000;
const MINUTE_MS = 60_000;

/** A rule with how much of it was counted. */
interface Figure {
  rule: BreakerRule;
  count: bigint;
}

/**
 * Pauses all withdrawals when alerts cross a limit, before anybody has read them. Only people resume. What they have resumed in spite
 * of counts for nothing afterwards: events from before the last change of the switch are settled.
 */
@Injectable()
export class CircuitBreaker implements OnApplicationBootstrap {
  private readonly logger = new Logger(CircuitBreaker.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sweeper: Sweeper,
    private readonly switchboard: Switchboard,
    private readonly securityLog: SecurityLog,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.every(NAME, EVERY_MS, () => this.sweep());
  }

  /** Looks at all rules once. Several instances may look at once; one of them trips. */
  async sweep(): Promise<boolean> {
    const { text, values } = countStatement(Date.now());
    if (exceeded(await this.unitOfWork.read<CountRow>('', text, values))) await this.trip();
    return false;
  }

  /** Counted again under the lock: another instance may have tripped, and a person resumed, since this one counted. */
  private async trip(): Promise<void> {
    const tripped = await this.unitOfWork.run(async (tx) => {
      await this.switchboard.lock(tx, TARGET);
      const figure = await counted(tx);
      if (figure) await this.switchboard.turn(tx, { target: TARGET, paused: true, reason: reasonOf(figure) }, NAME);
      return figure;
    });
    if (!tripped) return;
    this.logger.error(`all withdrawals are paused: ${reasonOf(tripped)}`);
    await this.securityLog.write({
      kind: TRIPPED,
      severity: 'critical',
      source: NAME,
      action: `paused ${TARGET} until a person resumes them`,
      details: { ...tripped.rule, count: tripped.count.toString() },
    });
  }
}

interface CountRow {
  rule: number;
  count: string;
}

async function counted(tx: Tx): Promise<Figure | undefined> {
  const { text, values } = countStatement(Date.now());
  return exceeded(await tx.query<CountRow>(text, values));
}

/** The first rule that is at its limit. */
function exceeded(rows: readonly CountRow[]): Figure | undefined {
  const figures = rows.map(({ rule, count }) => ({ rule: BREAKER_RULES[rule], count: BigInt(count) }));
  return figures.find(({ rule, count }) => count >= BigInt(rule.limit));
}

/**
 * One statement for all rules, each along an index of its own. A row of the log holds a minute of one kind and source; it counts from
 * its first event on, so a minute in which the switch was changed may be counted too low, never against who changed it. Nothing is
 * counted while withdrawals are paused.
 */
function countStatement(nowMs: number): { text: string; values: unknown[] } {
  const values: unknown[] = [NEVER_COUNTED, TARGET];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const parts = BREAKER_RULES.map(({ column, value, minutes, sources = 1 }, at) => {
    const from = new Date(nowMs - minutes * MINUTE_MS);
    return `select ${at} as rule, (case when count(distinct e.source) >= ${sources} then coalesce(sum(e.count), 0) else 0 end)::text as count
              from security_events e
             where e.${column} = ${parameter(value)} and e.id >= ${parameter(idLowerBound('sev', from))} and e.kind <> all ($1)
               and not exists (select from switches s where s.id = $2 and (s.paused or s.changed_at >= e.occurred_at))`;
  });
  return { text: parts.join(' union all '), values };
}

/** Merchants read it in the refusal of their withdrawals, so it says how much of what, and nothing of whom. */
function reasonOf({ rule, count }: Figure): string {
  return `the circuit breaker counted ${count} ${rule.what} within ${rule.minutes} minutes`;
}
