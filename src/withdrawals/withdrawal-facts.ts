import { contextParameter, type ContextRequest, type RiskContext } from '../fraud/signals/risk-context';
import { CREDENTIAL_KINDS, type WithdrawalFacts } from '../fraud/signals/withdrawal-signals';
import type { CurrencyCode } from '../money/currency';
import type { UnitOfWork } from '../platform/database/unit-of-work';
import type { Book } from '../platform/outbox/outbox';
import { idLowerBound } from '../platform/identifiers';

/** A destination as a request finds it. */
export interface FoundDestination {
  id: string;
  type: 'tron_address' | 'bank_account';
  whole: string;
  activeAt: Date;
  /** It is a deposit address of this gateway: what is sent there would come back as somebody's payment. */
  isOurs: boolean;
}

interface FactsRow {
  destination_id: string;
  type: FoundDestination['type'];
  whole: string;
  active_at: Date;
  is_ours: boolean;
  created_at: Date;
  used_before: boolean;
  last_deposit_at: Date | null;
  earlier_count: string;
  average_minor: string | null;
  max_minor: string | null;
  last_hour: string;
  last_day: string;
  usual_per_day: string;
  credential_change: { kind: string; at: string } | null;
  context: RiskContext | null;
}

/** How many of the newest completed withdrawals make up a client's own history. */
const HISTORY = 50;
const HOUR_MS = 3_600_000;

/**
 * The destination and everything that the rules look at, in one round trip. Each part reads a bounded stretch of an index, however long
 * the history is: the newest deposit, the newest completed withdrawals, and those of the last day by the time in their ids.
 */
const FACTS = `
  select d.id as destination_id, d.type, d.whole, d.active_at, d.created_at,
         exists (select from watched_addresses a where a.chain = 'tron' and a.address = d.address) as is_ours,
         exists (select from withdrawals w where w.client_id = $1 and w.livemode = $2 and w.destination_id = d.id and w.status = 'completed') as used_before,
         (select e.created_at from ledger_entries e
           where e.client_id = $1 and e.livemode = $2 and e.kind = 'provider' and e.side = 'debit' order by e.id desc limit 1) as last_deposit_at,
         h.earlier_count, h.average_minor, h.max_minor, h.usual_per_day,
         (select count(*) from (select from withdrawals w where w.client_id = $1 and w.livemode = $2 and w.id >= $5 limit 1000) r) as last_hour,
         (select count(*) from (select from withdrawals w where w.client_id = $1 and w.livemode = $2 and w.id >= $6 limit 1000) r) as last_day,
         (select jsonb_build_object('kind', e.kind, 'at', e.occurred_at) from audit_events e
           where e.client_id = $1 and e.kind in (${CREDENTIAL_KINDS.map((kind) => `'${kind}'`).join(', ')}) order by e.id desc limit 1) as credential_change,
         case when $7::jsonb is not null then
           risk_context(jsonb_set($7::jsonb, '{lists,destination}', to_jsonb(coalesce(d.address, d.iban)))) end as context
    from destinations d
   cross join lateral (
     select count(*) filter (where n.currency = $4) as earlier_count, round(avg(n.amount_minor) filter (where n.currency = $4)) as average_minor,
            max(n.amount_minor) filter (where n.currency = $4) as max_minor,
            coalesce(count(*) / greatest(1, extract(epoch from now() - min(n.created_at)) / 86400), 0) as usual_per_day
       from (select amount_minor, currency, created_at from withdrawals w
              where w.client_id = $1 and w.livemode = $2 and w.status = 'completed' order by w.id desc limit ${HISTORY}) n
   ) h
   where d.client_id = $1 and d.livemode = $2 and d.id = $3 and d.deleted_at is null`;

/**
 * Reads what a request for a withdrawal is decided on; undefined when there is no such destination in the book. `request`: what the fraud
 * rules want to know beside it; without one they are not asked.
 */
export async function factsOf(
  unitOfWork: UnitOfWork, { clientId, livemode }: Book, asked: { destinationId: string; amountMinor: bigint; currency: CurrencyCode },
  now: Date, request: ContextRequest | undefined,
): Promise<{ destination: FoundDestination; facts: WithdrawalFacts; context: RiskContext | null } | undefined> {
  const { destinationId, amountMinor, currency } = asked;
  const since = (ageMs: number) => idLowerBound('wd', new Date(now.getTime() - ageMs));
  const [row] = await unitOfWork.read<FactsRow>('withdrawal_facts', FACTS, [
    clientId, livemode, destinationId, currency, since(HOUR_MS), since(24 * HOUR_MS), request ? contextParameter(request) : null,
  ]);
  if (!row) return undefined;
  return {
    destination: { id: row.destination_id, type: row.type, whole: row.whole, activeAt: row.active_at, isOurs: row.is_ours },
    context: row.context,
    facts: {
      amountMinor,
      currency,
      lastDepositAt: row.last_deposit_at,
      earlierCount: Number(row.earlier_count),
      averageMinor: row.average_minor === null ? null : BigInt(row.average_minor),
      maxMinor: row.max_minor === null ? null : BigInt(row.max_minor),
      countLastHour: Number(row.last_hour),
      countLastDay: Number(row.last_day),
      usualPerDay: Number(row.usual_per_day),
      destinationAgeSeconds: Math.max(0, (now.getTime() - row.created_at.getTime()) / 1000),
      destinationUsedBefore: row.used_before,
      credentialChange: row.credential_change && { kind: row.credential_change.kind, at: new Date(row.credential_change.at) },
      now,
    },
  };
}
