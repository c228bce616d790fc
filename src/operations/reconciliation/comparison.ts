/**
 * How an item differs. `missing_in_ledger`: the outside tells of money that no book holds. `missing_at_provider`: a book holds money of
 * which the outside tells nothing. `other_amount`: both know it, with different amounts or currencies. `not_applied`: it was told and waits
 * to be applied. `unverified`: nobody could say.
 */
export const DIFFERENCE_KINDS = ['missing_in_ledger', 'missing_at_provider', 'other_amount', 'not_applied', 'unverified'] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** The kind of security event under which differences are told. */
export const DIFFERENCE_FOUND = 'reconciliation.difference';

/** So many differences of each row are kept with their names; all are counted. */
export const MAX_EXAMPLES = 20;

/** A difference with the names by which it can be found. Amounts are minor units of the row's currency. */
export interface Difference {
  kind: DifferenceKind;
  /** The outside's name for the money, or ours where the outside has none. */
  reference: string;
  /** The payment, deposit, withdrawal or refund that it concerns. */
  object: string | null;
  providerMinor: bigint | null;
  ledgerMinor: bigint | null;
  /** What more can be said, for people. */
  note: string | null;
}

/** Everything of one kind and currency that was compared, added up. */
export interface Comparison {
  source: string;
  what: string;
  currency: string;
  providerMinor: bigint;
  ledgerMinor: bigint;
  /** How many items were compared. */
  count: number;
  /** How many of them differ. */
  differences: number;
  examples: Difference[];
}

/** One item that was compared; without a kind it agrees. */
export interface ComparedItem extends Partial<Omit<Difference, 'reference'>> {
  reference: string;
  currency: string;
}

/** Adds up items that are compared here instead of in the database. It keeps sums and examples, never the items. */
export class Tally {
  private readonly byCurrency = new Map<string, Comparison>();

  constructor(
    private readonly source: string,
    private readonly what: string,
  ) {}

  add({ kind, reference, object = null, currency, providerMinor = null, ledgerMinor = null, note = null }: ComparedItem): void {
    const sum = this.sumOf(currency);
    sum.count += 1;
    sum.providerMinor += providerMinor ?? 0n;
    sum.ledgerMinor += ledgerMinor ?? 0n;
    if (kind === undefined) return;
    sum.differences += 1;
    if (sum.examples.length < MAX_EXAMPLES) sum.examples.push({ kind, reference, object, providerMinor, ledgerMinor, note });
  }

  /** The rows, one for each currency that there was. */
  get comparisons(): Comparison[] {
    return [...this.byCurrency.values()];
  }

  private sumOf(currency: string): Comparison {
    const { source, what } = this;
    const known = this.byCurrency.get(currency) ?? {
      source, what, currency, providerMinor: 0n, ledgerMinor: 0n, count: 0, differences: 0, examples: [],
    };
    this.byCurrency.set(currency, known);
    return known;
  }
}

/** A row of `comparedInDatabase`. */
export interface ComparisonRow {
  source: string;
  currency: string;
  provider_minor: string;
  ledger_minor: string;
  count: number;
  differences: number;
  examples: {
    kind: DifferenceKind;
    reference: string;
    object: string | null;
    provider_minor: string | null;
    ledger_minor: string | null;
    note: string | null;
  }[];
}

/**
 * Wraps a query of compared items (source, reference, object, currency, provider_minor, ledger_minor, kind: null where they agree, note) so
 * that the database adds them up and only sums and examples leave it, however many items there are.
 */
export function comparedInDatabase(items: string): string {
  return `
    with item as (${items}), example as (
      select source, currency, jsonb_agg(jsonb_build_object(
               'kind', kind, 'reference', reference, 'object', object, 'note', note,
               'provider_minor', provider_minor::text, 'ledger_minor', ledger_minor::text) order by reference) as examples
        from (select *, row_number() over (partition by source, currency order by reference) as rank
                from item where kind is not null) numbered
       where rank <= ${MAX_EXAMPLES} group by source, currency
    )
    select source, currency, coalesce(sum(provider_minor), 0)::text as provider_minor, coalesce(sum(ledger_minor), 0)::text as ledger_minor,
           count(*)::integer as count, count(kind)::integer as differences,
           coalesce((select e.examples from example e where e.source = item.source and e.currency = item.currency), '[]') as examples
      from item group by source, currency order by source, currency`;
}

/** Reads a row of `comparedInDatabase`. */
export function comparisonFromRow(row: ComparisonRow, what: string): Comparison {
  return {
    source: row.source,
    what,
    currency: row.currency,
    providerMinor: BigInt(row.provider_minor),
    ledgerMinor: BigInt(row.ledger_minor),
    count: row.count,
    differences: row.differences,
    examples: row.examples.map(({ kind, reference, object, provider_minor: provider, ledger_minor: ledger, note }) => ({
      kind, reference, object, note,
      providerMinor: provider === null ? null : BigInt(provider),
      ledgerMinor: ledger === null ? null : BigInt(ledger),
    })),
  };
}
