import { columnText, type ColumnValue } from '../../platform/database/columns';
import type { PaymentQuestion } from '../signals/payment-context';
import { type Count, NONE } from '../signals/running-counter';
import { type Assessment, isSmallAmount } from './assessment';

type Book = Pick<PaymentQuestion, 'clientId' | 'livemode'>;
type Kind = 'client' | 'email_domain';

/** What waits for one running counter. */
interface Counted extends Book {
  kind: Kind;
  entity: string;
  all: number;
  small: number;
}

/** An assessment as it waits: plain values only, so that the garbage collector carries many objects less along. */
interface Row extends Book {
  columns: readonly ColumnValue[];
  isSmall: boolean;
  /** Absent where no running counter has it. */
  entities?: readonly (readonly [kind: Kind, entity: string])[];
}

/** What keep_assessments is told of a payment that was let through, one parameter after the other. */
const COLUMNS: readonly ((assessment: Assessment) => ColumnValue)[] = [
  ({ clientId }) => clientId, ({ livemode }) => livemode, ({ subjectId }) => subjectId, ({ at }) => at.toISOString(),
  ({ amountMinor }) => amountMinor, ({ currency }) => currency, ({ verdict }) => verdict.score, ({ revision }) => revision,
  ({ verdict }) => JSON.stringify(verdict.reasons), ({ signals }) => JSON.stringify(signals),
  // As a text[] is written: the names of rules need no quotes.
  ({ verdict }) => `{${verdict.fired.join(',')}}`, ({ verdict }) => verdict.shadow && JSON.stringify(verdict.shadow),
  ({ model }) => model && JSON.stringify(model),
];
/** What it is told of a running counter after that. */
const COUNTED: readonly ((counted: Counted) => ColumnValue)[] = [
  ({ clientId }) => clientId, ({ livemode }) => livemode, ({ kind }) => kind, ({ entity }) => entity, ({ all }) => all, ({ small }) => small,
];
export const KEPT_COLUMNS = COLUMNS.length + COUNTED.length;

const keyOf = ({ clientId, livemode }: Book, kind: Kind, entity: string) => `${clientId} ${livemode} ${kind} ${entity}`;

/** Assessments of payments that were let through and wait to be written, and what somebody who reads the database would not see of them. */
export class Unwritten {
  private readonly rows: Row[] = [];
  /** By a key that has the order in which everybody adds to the counters. */
  private readonly counts = new Map<string, Counted>();

  static of(assessments: readonly Assessment[]): Unwritten {
    const all = new Unwritten();
    for (const assessment of assessments) all.add(assessment);
    return all;
  }

  get size(): number {
    return this.rows.length;
  }

  add(assessment: Assessment): void {
    const { clientId, livemode, counted } = assessment;
    const entities = counted && entitiesOf(clientId, counted.domain);
    this.addRow({ clientId, livemode, columns: COLUMNS.map((of) => of(assessment)), isSmall: isSmallAmount(assessment), entities });
  }

  /** Each of them alone. */
  each(): Unwritten[] {
    return this.rows.map((row) => {
      const one = new Unwritten();
      one.addRow(row);
      return one;
    });
  }

  /** How many of them are of the same client, and have the same domain of the e-mail there. */
  countsFor(question: PaymentQuestion): { client: Count; domain: Count } {
    const { clientId, domain } = question;
    return {
      client: this.counts.get(keyOf(question, 'client', clientId)) ?? NONE,
      domain: (domain && this.counts.get(keyOf(question, 'email_domain', domain))) || NONE,
    };
  }

  /** The parameters of keep_assessments. */
  parameters(): string[] {
    const counts = [...this.counts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, counted]) => counted);
    return [
      ...COLUMNS.map((_, column) => columnText(this.rows.map(({ columns }) => columns[column]))),
      ...COUNTED.map((of) => columnText(counts.map(of))),
    ];
  }

  private addRow(row: Row): void {
    this.rows.push(row);
    for (const [kind, entity] of row.entities ?? []) this.count(row, kind, entity);
  }

  private count(row: Row, kind: Kind, entity: string): void {
    const key = keyOf(row, kind, entity);
    let counted = this.counts.get(key);
    if (!counted) {
      counted = { clientId: row.clientId, livemode: row.livemode, kind, entity, all: 0, small: 0 };
      this.counts.set(key, counted);
    }
    counted.all += 1;
    if (row.isSmall) counted.small += 1;
  }
}

function entitiesOf(clientId: string, domain: string | undefined): Row['entities'] {
  return domain ? [['client', clientId], ['email_domain', domain]] : [['client', clientId]];
}
