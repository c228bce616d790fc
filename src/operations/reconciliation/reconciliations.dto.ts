import { z } from 'zod';
import { isCurrency } from '../../money/currency';
import { formatAmount } from '../../money/money';
import { pageLimit, pageOf } from '../../platform/http/pagination';
import { type Comparison, type Difference, DIFFERENCE_KINDS, MAX_EXAMPLES } from './comparison';
import { dayOf, isDay } from './report-day';

const day = z.string().refine(isDay, 'must be a day, YYYY-MM-DD').meta({ description: 'UTC.', examples: ['2026-01-31'] });
const mode = z.enum(['true', 'false']).transform((text) => text === 'true');
const amount = z.string()
  .meta({ description: 'With all decimals; whole smallest units for a currency that is none of ours.', examples: ['25.00'] });

const difference = z.object({
  kind: z.enum(DIFFERENCE_KINDS),
  reference: z.string().meta({ description: "The outside's name for the money, or the object's where it has none." }),
  object: z.string().nullable().meta({ description: 'The payment, deposit, withdrawal or refund that it concerns.' }),
  provider_amount: amount.nullable(),
  ledger_amount: amount.nullable(),
  note: z.string().nullable(),
});

const part = z.object({
  source: z.string()
    .meta({ description: 'stripe, generic, tron, payouts; ledger for what was booked as received; inbox for events that cannot be read.' }),
  what: z.string(),
  currency: z.string(),
  provider_amount: amount,
  ledger_amount: amount,
  difference: amount.meta({ description: 'provider_amount less ledger_amount.' }),
  count: z.int().meta({ description: 'How many items were compared, one by one.' }),
  differences: z.int().meta({ description: 'How many of them differ.' }),
  details: z.array(difference).meta({ description: `Up to ${MAX_EXAMPLES} of those.` }),
});

const shared = {
  id: z.string().meta({ examples: ['2026-01-31-live'] }),
  object: z.literal('reconciliation'),
  day,
  livemode: z.boolean(),
  differences: z.int().meta({ description: 'How many items differ or could not be verified; 0 is good.' }),
  made_at: z.iso.datetime(),
};

/** What a day's comparison of the books with providers and the chain has shown. */
export const reconciliationObject = z.object({ ...shared, parts: z.array(part) }).meta({ id: 'Reconciliation' });
export type ReconciliationObject = z.output<typeof reconciliationObject>;
export type ReconciliationPart = z.output<typeof part>;

/** The same in a list, without its parts. */
export const reconciliationSummary = z.object(shared).meta({ id: 'ReconciliationSummary' });
export type ReconciliationSummary = z.output<typeof reconciliationSummary>;
export const reconciliationPage = pageOf(reconciliationSummary);

const cursor = z.string().regex(/^\d{4}-\d{2}-\d{2}-(live|test)$/, 'must be the identifier of a reconciliation, such as 2026-01-31-live');
export const listReconciliationsQuery = z.strictObject({
  limit: pageLimit,
  starting_after: cursor.optional(),
  ending_before: cursor.optional(),
  livemode: mode.optional(),
}).refine((query) => query.starting_after === undefined || query.ending_before === undefined, {
  path: ['ending_before'], message: 'use starting_after or ending_before, not both',
});
export type ListReconciliationsQuery = z.output<typeof listReconciliationsQuery>;

export const reconciliationDay = z.strictObject({ day });
export const reconciliationMode = z.strictObject({ livemode: mode.default(true) });

export const makeReconciliationBody = z.strictObject({
  day: day.refine((text) => text <= dayOf(new Date()), 'must have begun'),
  livemode: z.boolean(),
});
export type MakeReconciliationBody = z.output<typeof makeReconciliationBody>;

/** Shows a row of a comparison. */
export function presentPart(row: Comparison): ReconciliationPart {
  const { source, what, currency, providerMinor, ledgerMinor, count, differences, examples } = row;
  const shown = (minor: bigint) => (isCurrency(currency) ? formatAmount(minor, currency) : minor.toString());
  return {
    source, what, currency,
    provider_amount: shown(providerMinor),
    ledger_amount: shown(ledgerMinor),
    difference: shown(providerMinor - ledgerMinor),
    count, differences,
    details: examples.map((example) => presentDifference(example, shown)),
  };
}

function presentDifference({ kind, reference, object, providerMinor, ledgerMinor, note }: Difference, shown: (minor: bigint) => string) {
  return {
    kind, reference, object, note,
    provider_amount: providerMinor === null ? null : shown(providerMinor),
    ledger_amount: ledgerMinor === null ? null : shown(ledgerMinor),
  };
}
