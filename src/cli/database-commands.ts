import type { Command } from 'commander';
import { addCommand, type Outcome, print, withDatabase, withGateway } from './command-line';

/** Commands about the database as a whole. */
export function addDatabaseCommands(program: Command): void {
  addCommand(program, 'db:migrate', 'bring the database to this version').action(async (options: { json?: boolean }) => {
    const applied = await withDatabase(({ directUrl }) => migration().migrate(directUrl));
    const text = applied.length > 0 ? `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}` : 'The database is up to date.';
    print(options, { json: { applied }, text });
  });

  addCommand(program, 'ledger:check', 'recompute the whole ledger; exit 1 and name the first fault if it does not add up').action(
    async (options: { json?: boolean }) => print(options, await checkLedger()),
  );
}

/** TypeORM and the queue are loaded only where they are needed, as `gatewayParts` are. */
function migration(): typeof import('../platform/database/migrate') {
  return require('../platform/database/migrate') as typeof import('../platform/database/migrate');
}

/** Recomputes the ledger while business goes on. A fault is an outcome with exit code 1. */
export async function checkLedger(): Promise<Outcome> {
  const { ok, counts, durationMs, fault } = await withGateway((app, { LedgerCheck }) => app.get(LedgerCheck).run());
  const counted = Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(', ');
  const text = fault
    ? `The ledger does not add up. First fault: ${fault.where}: expected ${fault.expected}, found ${fault.found} (rule: ${fault.rule}).`
    : `The ledger adds up: ${counted}, in ${durationMs} ms.`;
  return { json: { ok, ...counts, duration_ms: durationMs, ...(fault ? { fault } : {}) }, text, exitCode: ok ? 0 : 1 };
}
