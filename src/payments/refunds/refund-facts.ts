import { contextParameter, type RiskContext } from '../../fraud/signals/risk-context';
import { type RefundFacts, refundRequest } from '../../fraud/signals/refund-signals';
import type { Tx } from '../../platform/database/unit-of-work';
import { idLowerBound } from '../../platform/identifiers';
import type { Payment } from '../payment';

interface FactsRow {
  paid_at: Date | null;
  earlier_count: string;
  average_minor: string | null;
  max_minor: string | null;
  refunds: string;
  payments: string;
  context: RiskContext | null;
}

/** How many of the newest refunds make up a client's own history. */
const HISTORY = 50;
/** Counting stops here: more is many, however many. */
const MANY = 1000;
const HOUR_MS = 3_600_000;

/**
 * Everything that the rules look at, in one round trip. Each part reads a bounded stretch of an index, however long the history is: the
 * payment's own receipts, the newest refunds, and those of the last hour by the time in their ids.
 */
const FACTS = `
  select (select max(received_at) from payment_receipts r
           where r.client_id = $1 and r.livemode = $2 and r.payment_id = $3) as paid_at,
         h.earlier_count, h.average_minor, h.max_minor,
         (select count(*)
            from (select from refunds f where f.client_id = $1 and f.livemode = $2 and f.id >= $5 limit ${MANY}) n) as refunds,
         (select count(*)
            from (select from events e where e.client_id = $1 and e.livemode = $2 and e.type = 'payment.succeeded' and e.id >= $6
                   limit ${MANY}) n) as payments,
         case when $7::jsonb is not null then risk_context($7::jsonb) end as context
    from (select count(*) as earlier_count, round(avg(n.amount_minor)) as average_minor, max(n.amount_minor) as max_minor
            from (select amount_minor, currency from refunds f
                   where f.client_id = $1 and f.livemode = $2 and f.status = 'succeeded' order by f.id desc limit ${HISTORY}) n
           where n.currency = $4) h`;

/** What the rules want to know of a refund that is asked for now; they are not asked while nothing is scored. */
export async function refundFacts(
  tx: Tx, payment: Payment, { amountMinor, destination }: { amountMinor: bigint; destination: string }, now: Date, scored: boolean,
): Promise<{ facts: RefundFacts; context: RiskContext | null }> {
  const { clientId, livemode, id, payCurrency, amountReceivedMinor } = payment;
  const hourAgo = new Date(now.getTime() - HOUR_MS);
  const [row] = await tx.query<FactsRow>(FACTS, [
    clientId, livemode, id, payCurrency, idLowerBound('ref', hourAgo), idLowerBound('evt', hourAgo),
    scored ? contextParameter(refundRequest({ clientId, livemode, customer: payment.customer, destination })) : null,
  ]);
  const facts = {
    amountMinor,
    currency: payCurrency,
    receivedMinor: amountReceivedMinor,
    now,
    paidAt: row!.paid_at ?? payment.createdAt,
    earlierCount: Number(row!.earlier_count),
    averageMinor: row!.average_minor === null ? null : BigInt(row!.average_minor),
    maxMinor: row!.max_minor === null ? null : BigInt(row!.max_minor),
    refundsLastHour: Number(row!.refunds) + 1,
    paymentsLastHour: Number(row!.payments),
  };
  return { facts, context: row!.context };
}
