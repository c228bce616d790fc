import { type Command, InvalidArgumentError } from 'commander';
import type { ReconciliationObject } from '../operations/reconciliation/reconciliations.dto';
import { dayOf, isDay } from '../operations/reconciliation/report-day';
import { addCommand, type Outcome, print, withGateway } from './command-line';

interface ReconcileOptions {
  day: string;
  live?: boolean;
  json?: boolean;
}

/** The command that compares a day with providers and the chain. */
export function addReconcileCommand(program: Command): void {
  addCommand(program, 'reconcile', "compare a day's books with what providers and the chain say; exit 1 and name the first difference")
    .requiredOption('--day <YYYY-MM-DD>', 'the day, UTC', day)
    .option('--live', 'the live mode (default: test)')
    .action(async (options: ReconcileOptions) => {
      const made = await withGateway((app, { ReconcileDay }) => app.get(ReconcileDay, { strict: false }).make(options.day, options.live ?? false));
      print(options, outcomeOf(made));
    });
}

function day(text: string): string {
  if (!isDay(text) || text > dayOf(new Date())) throw new InvalidArgumentError('Expected a day that has begun (UTC), such as 2026-01-31.');
  return text;
}

function outcomeOf(made: ReconciliationObject): Outcome {
  const { differences, parts } = made;
  const name = `${made.day}, ${made.livemode ? 'live' : 'test'} mode`;
  const compared = parts.reduce((sum, { count }) => sum + count, 0);
  const part = parts.find((one) => one.differences > 0);
  if (!part) {
    const text = `${name}: the books agree with what providers and the chain say; ${compared} items were compared.`;
    return { json: { ok: true, ...made }, text };
  }
  const [first] = part.details;
  const amounts = `told ${first.provider_amount ?? 'nothing'}, booked ${first.ledger_amount ?? 'nothing'} ${part.currency}`.trimEnd();
  return {
    json: { ok: false, first: { source: part.source, currency: part.currency, ...first }, ...made },
    text: `${name}: ${differences} of ${compared} items differ. The first: ${part.source}, ${part.what}: ${first.kind} ${first.reference}`
      + `${first.object ? ` (${first.object})` : ''}: ${amounts}${first.note ? `; ${first.note}` : ''}.`,
    exitCode: 1,
  };
}
