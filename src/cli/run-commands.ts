import { Command, CommanderError } from 'commander';
import { SettingsError } from '../platform/config/settings-error';
import { EmbeddedPostgresError } from '../platform/database/embedded/embedded-postgres';
import { DatabaseUnavailableError } from '../platform/database/open-database';
import { Problem } from '../platform/http/problem';
import { addAlertCommands } from './alert-commands';
import { addBacktestCommand } from './backtest-command';
import { addClientCommands } from './client-commands';
import { CommandError, EXIT_USAGE } from './command-error';
import { addDatabaseCommands } from './database-commands';
import { addDecisionCommands } from './decision-commands';
import { addReconcileCommand } from './reconcile-command';
import { addRiskCommands } from './risk-commands';
import { addRiskTrainCommand } from './risk-train-command';
import { addStaffCommands } from './staff-commands';
import { addWebhookCommands } from './webhook-commands';

/** Failures whose message tells an operator all there is to know. */
const PLAIN_ERRORS = [CommandError, SettingsError, EmbeddedPostgresError, DatabaseUnavailableError, Problem];

/** Runs one command by its words, and leaves its exit code to the process: 64 for a wrong call, 78 for wrong settings, else 1 or 0. */
export async function runCommand(words: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(words, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

function buildProgram(): Command {
  const program = new Command('cpg')
    .description(
      "CPGateway's commands for operators: npm run cpg -- <command>. They work beside a running server and without one. " +
        'For programs: npm run --silent cpg -- <command> --json',
    )
    .exitOverride();
  addDatabaseCommands(program);
  addClientCommands(program);
  addStaffCommands(program);
  addDecisionCommands(program);
  addWebhookCommands(program);
  addReconcileCommand(program);
  addRiskCommands(program);
  addBacktestCommand(program);
  addAlertCommands(program);
  addRiskTrainCommand(program);
  return program;
}

/** Tells what went wrong on standard error, and answers with which code to exit. */
function report(error: unknown): number {
  // Commander has written its sentence already; help that was asked for is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const isPlain = PLAIN_ERRORS.some((kind) => error instanceof kind);
  process.stderr.write(`${isPlain ? (error as Error).message : String((error as Error).stack ?? error)}\n`);
  return error instanceof CommandError || error instanceof SettingsError ? error.exitCode : 1;
}
