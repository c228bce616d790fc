import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { BacktestAnswer, BacktestBody } from '../fraud/rules/rules.dto';
import { CommandError } from './command-error';
import { addCommand, optionSchemas, print, withGateway, wholeNumber } from './command-line';

interface BacktestOptions {
  rules?: string;
  days: number;
  limit: number;
  json?: boolean;
}

const DAY_MS = 86_400_000;

/** The command that replays past assessments with other rules. */
export function addBacktestCommand(program: Command): void {
  addCommand(program, 'risk:backtest', 'replay past assessments with other rules, and tell what would change; changes nothing')
    .option('--rules <file.json>', 'an array of {"name", "rule"}, as POST /v1/admin/risk/rules/backtest takes them; without it the rules in force')
    .option('--days <n>', 'how far back', wholeNumber(1, 366), 30)
    .option('--limit <n>', 'how many assessments at most, the newest first', wholeNumber(1, 50_000), 20_000)
    .action(async (options: BacktestOptions) => {
      const body = bodyOf(options);
      const told = await withGateway((app, { Backtest }) => app.get(Backtest, { strict: false }).run(body));
      print(options, { json: { ...told }, text: textOf(told) });
    });
}

function bodyOf({ rules: file, days, limit }: BacktestOptions): BacktestBody {
  const rules = file === undefined ? [] : read(file);
  const { backtestBody, toFieldErrors } = optionSchemas();
  const { data, error } = backtestBody.safeParse({ rules, limit, from: new Date(Date.now() - days * DAY_MS).toISOString() });
  if (data) return data;
  throw new CommandError(['The rules cannot be used.', ...toFieldErrors(error.issues).map(({ field, message }) => `  ${field} ${message}`)].join('\n'));
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(code ? `The file cannot be read (${code}).` : 'The file holds no JSON.');
  }
}

function textOf({ assessments, truncated, before, after, changed, amounts, labelled, rules, examples }: BacktestAnswer): string {
  const decisions = (counts: typeof before) => `${counts.allow} allowed, ${counts.review} held, ${counts.block} stopped`;
  return [
    `${assessments} assessments${truncated ? ' (there are more)' : ''}: ${changed} would be decided otherwise.`,
    `  then: ${decisions(before)}`,
    `  now:  ${decisions(after)}`,
    ...amounts.map(({ subject, from, to, count, amount, currency }) => `  ${count} ${subject}s from ${from} to ${to}: ${amount} ${currency}`),
    `  of ${labelled.frauds} known frauds ${labelled.caught_before} were noticed, ${labelled.caught_after} would be; `
      + `of ${labelled.legitimate} known to be honest ${labelled.disturbed_before} were, ${labelled.disturbed_after} would be`,
    ...Object.entries(rules).map(([name, times]) => `  ${name} fires ${times} times`),
    ...examples.map(({ subject_id: id, from, to, reasons_after: reasons }) => `  ${id}: ${from} → ${to}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}`),
  ].join('\n');
}
