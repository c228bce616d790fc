import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { BackTest, type BackTestResult, CARDS_A_DAY, EmptySplitError } from '../fraud/model/back-test';
import { dayOf } from '../fraud/model/facts';
import type { SplitDays } from '../fraud/model/split';
import { addCommand, CommandError, type Outcome, print, wholeNumber } from './command-line';
import { PaymentFileError, readLabelledPayments } from './labelled-payments';

interface RiskTrainOptions {
  data: string[];
  trainStart: number;
  trainDays: number;
  delayDays: number;
  testDays: number;
  seed: number;
  out?: string;
  json?: boolean;
}

const days = wholeNumber(1, 366);

/** The command that trains the fraud model on payments with known outcomes and measures it on later ones. It needs no database. */
export function addRiskTrainCommand(program: Command): void {
  addCommand(program, 'risk:train', 'train the fraud model on payments whose outcome is known, and measure it on later ones')
    .requiredOption('--data <file.csv.gz...>', 'files of payments, in the order of time')
    .requiredOption('--train-start <YYYY-MM-DD>', 'first day of the training, UTC', dayNumber)
    .option('--train-days <n>', 'days of the training', days, 7)
    .option('--delay-days <n>', 'days until an outcome is known, left between training and test', days, 7)
    .option('--test-days <n>', 'days of the test', days, 7)
    .option('--seed <n>', 'decides every draw of the training', wholeNumber(0, 999_999), 1)
    .option('--out <file>', 'write the model to this file, as JSON')
    .action(async (options: RiskTrainOptions) => print(options, await trainAndMeasure(options)));
}

function dayNumber(text: string): number {
  const at = Date.parse(`${text}T00:00:00Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
  if (!isDay) throw new InvalidArgumentError('Expected a day such as 2018-07-04.');
  return dayOf(at);
}

async function trainAndMeasure(options: RiskTrainOptions): Promise<Outcome> {
  const startedAt = performance.now();
  const result = await backTest(options);
  if (options.out !== undefined) await writeModel(options.out, result);
  return outcomeOf(result, (performance.now() - startedAt) / 1000, options.out);
}

async function backTest({ data, seed, ...split }: RiskTrainOptions): Promise<BackTestResult> {
  const test = new BackTest(split satisfies SplitDays);
  try {
    await replay(data, test);
    return test.finish(seed);
  } catch (error) {
    const isPlain = error instanceof EmptySplitError || error instanceof PaymentFileError;
    throw isPlain ? new CommandError(error.message) : error;
  }
}

async function replay(files: readonly string[], test: BackTest): Promise<void> {
  for await (const payments of readLabelledPayments(files)) {
    for (const payment of payments) if (!test.add(payment)) return;
  }
}

async function writeModel(file: string, { model }: BackTestResult): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(model)}\n`);
  } catch (error) {
    throw new CommandError(`${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

const rounded = (value: number, digits = 4) => Number(value.toFixed(digits));

function outcomeOf({ train, test, ...measured }: BackTestResult, seconds: number, out?: string): Outcome {
  const lines: [string, string][] = [
    ['training', `${train.rows} rows, ${train.frauds} frauds`],
    ['test', `${test.rows} rows, ${test.frauds} frauds`],
    ['AUC ROC', measured.aucRoc.toFixed(4)],
    ['average precision', measured.averagePrecision.toFixed(4)],
    [`card precision at ${CARDS_A_DAY}`, measured.cardPrecision.toFixed(4)],
    ['seconds', seconds.toFixed(1)],
    ...(out === undefined ? [] : [['model', out] as [string, string]]),
  ];
  return {
    json: {
      train,
      test,
      auc_roc: rounded(measured.aucRoc),
      average_precision: rounded(measured.averagePrecision),
      [`card_precision_${CARDS_A_DAY}`]: rounded(measured.cardPrecision),
      seconds: rounded(seconds, 1),
      ...(out === undefined ? {} : { model: out }),
    },
    text: lines.map(([name, value]) => `${name.padEnd(22)}${value}`).join('\n'),
  };
}
