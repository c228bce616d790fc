import { Command, CommanderError } from 'commander';
import { addAlertCommands } from './cli/alert-commands';
import { addBacktestCommand } from './cli/backtest-command';
import { addClientCommands } from './cli/client-commands';
import { CommandError, EXIT_USAGE } from './cli/command-error';
import { addDatabaseCommands } from './cli/database-commands';
import { addDecisionCommands } from './cli/decision-commands';
import { addReconcileCommand } from './cli/reconcile-command';
import { addRiskCommands } from './cli/risk-commands';
import { addRiskTrainCommand } from './cli/risk-train-command';
import { addStaffCommands } from './cli/staff-commands';
import { addWebhookCommands } from './cli/webhook-commands';
import { SettingsError } from './platform/config/settings-error';
import { EmbeddedPostgresError } from './platform/database/embedded/embedded-postgres';
import { DatabaseUnavailableError } from './platform/database/open-database';
import { Problem } from './platform/http/problem';

/** Failures whose message tells an operator all there is to know. */
const PLAIN_ERRORS = [CommandError, SettingsError, EmbeddedPostgresError, DatabaseUnavailableError, Problem];

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

/** Tells what went wrong on standard error, and answers with which code to exit: 64 for a wrong call, 78 for wrong settings, else 1. */
function report(error: unknown): number {
  // Commander has written its sentence already; help that was asked for is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const isPlain = PLAIN_ERRORS.some((kind) => error instanceof kind);
  process.stderr.write(`${isPlain ? (error as Error).message : String((error as Error).stack ?? error)}\n`);
  return error instanceof CommandError || error instanceof SettingsError ? error.exitCode : 1;
}

buildProgram().parseAsync().catch((error: unknown) => {
  process.exitCode = report(error);
});
