import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { BackTest, CARDS_A_DAY, EmptySplitError, type ReplayedPayment } from '../fraud/model/back-test';
import { DAY_MS, dayOf } from '../fraud/model/facts';
import type { ModelStore, TrainedModel } from '../fraud/model/model-store';
import type { SplitDays } from '../fraud/model/split';
import { CommandError, EXIT_USAGE } from './command-error';
import { addCommand, type Outcome, print, withGateway, wholeNumber } from './command-line';
import { PaymentFileError, readLabelledPayments } from './labelled-payments';

interface RiskTrainOptions {
  data?: string[];
  live?: boolean;
  trainStart?: number;
  trainDays: number;
  delayDays: number;
  testDays: number;
  seed: number;
  out?: string;
  store?: boolean;
  json?: boolean;
}

const days = wholeNumber(1, 366);

/**
 * The command that trains the fraud model on payments with known outcomes and measures it on later ones: on files, which needs no
 * database, or on the gateway's own history.
 */
export function addRiskTrainCommand(program: Command): void {
  addCommand(program, 'risk:train', 'train the fraud model on payments whose outcome is known, and measure it on later ones')
    .option('--data <file.csv.gz...>', "files of payments, in the order of time (default: the gateway's own payments)")
    .option('--live', 'of its own payments those of the live mode (default: test)')
    .option('--train-start <YYYY-MM-DD>', 'first day of the training, UTC (default without files: so that the test ends where all outcomes are known)', dayNumber)
    .option('--train-days <n>', 'days of the training', days, 7)
    .option('--delay-days <n>', 'days until an outcome is known, left between training and test', days, 7)
    .option('--test-days <n>', 'days of the test', days, 7)
    .option('--seed <n>', 'decides every draw of the training', wholeNumber(0, 999_999), 1)
    .option('--out <file>', 'write the model to this file, as JSON')
    .option('--store', 'keep the model in the database, for the operator to turn on')
    .action(async (options: RiskTrainOptions) => print(options, await trainAndMeasure(options)));
}

function dayNumber(text: string): number {
  const at = Date.parse(`${text}T00:00:00Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
  if (!isDay) throw new InvalidArgumentError('Expected a day such as 2018-07-04.');
  return dayOf(at);
}

/** Payments in the order of time, some at once. */
type Payments = AsyncIterable<ReplayedPayment[]>;

function trainAndMeasure(options: RiskTrainOptions): Promise<Outcome> {
  const { data, live = false, trainStart, store } = options;
  if (data === undefined) {
    return withGateway((app, parts) => {
      const split = trainStart === undefined ? parts.TrainingHistory.newestSplit(options, Date.now()) : { ...options, trainStart };
      const payments = app.get(parts.TrainingHistory, { strict: false }).read(live, split);
      return run(options, payments, split, `own payments, ${live ? 'live' : 'test'} mode`, app.get(parts.ModelStore, { strict: false }));
    });
  }
  if (live) throw new CommandError('Files have no mode: say --data or --live.', EXIT_USAGE);
  if (trainStart === undefined) throw new CommandError('Say the first day of the training by --train-start <YYYY-MM-DD>.', EXIT_USAGE);
  const split = { ...options, trainStart };
  const trainedOn = data.map((file) => basename(file)).join(', ');
  if (!store) return run(options, readLabelledPayments(data), split, trainedOn);
  return withGateway((app, parts) => run(options, readLabelledPayments(data), split, trainedOn, app.get(parts.ModelStore, { strict: false })));
}

async function run(options: RiskTrainOptions, payments: Payments, split: SplitDays, trainedOn: string, models?: ModelStore): Promise<Outcome> {
  const startedAt = performance.now();
  const result = await backTest(payments, split, options.seed);
  if (options.out !== undefined) await writeModel(options.out, result.model);
  const trained = { result, split, seed: options.seed, trainedOn };
  const version = options.store ? (await models!.store(trained)).version : undefined;
  return outcomeOf(trained, (performance.now() - startedAt) / 1000, options, version);
}

async function backTest(payments: Payments, split: SplitDays, seed: number): Promise<TrainedModel['result']> {
  const test = new BackTest(split);
  try {
    await replay(payments, test);
    return test.finish(seed);
  } catch (error) {
    const isPlain = error instanceof EmptySplitError || error instanceof PaymentFileError;
    throw isPlain ? new CommandError(error.message) : error;
  }
}

async function replay(payments: Payments, test: BackTest): Promise<void> {
  for await (const some of payments) {
    for (const payment of some) if (!test.add(payment)) return;
  }
}

async function writeModel(file: string, model: object): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(model)}\n`);
  } catch (error) {
    throw new CommandError(`${file} cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

const rounded = (value: number, digits = 4) => Number(value.toFixed(digits));

function outcomeOf({ result, split }: TrainedModel, seconds: number, { data, out }: RiskTrainOptions, version?: number): Outcome {
  const { train, test, rules, ...measured } = result;
  const from = new Date(split.trainStart * DAY_MS).toISOString().slice(0, 10);
  const lines: [string, string][] = [
    ...(data === undefined ? [['training from', from] as [string, string]] : []),
    ['training', `${train.rows} rows, ${train.frauds} frauds`],
    ['test', `${test.rows} rows, ${test.frauds} frauds`],
    ['AUC ROC', measured.aucRoc.toFixed(4)],
    ['average precision', measured.averagePrecision.toFixed(4)],
    [`card precision at ${CARDS_A_DAY}`, measured.cardPrecision.toFixed(4)],
    ...(rules ? [['rules, precision', rules.averagePrecision.toFixed(4)] as [string, string]] : []),
    ['seconds', seconds.toFixed(1)],
    ...(out === undefined ? [] : [['model', out] as [string, string]]),
    ...(version === undefined ? [] : [['stored as version', String(version)] as [string, string]]),
  ];
  return {
    json: {
      ...(data === undefined ? { train_start: from } : {}),
      train,
      test,
      auc_roc: rounded(measured.aucRoc),
      average_precision: rounded(measured.averagePrecision),
      [`card_precision_${CARDS_A_DAY}`]: rounded(measured.cardPrecision),
      ...(rules ? { rules: { auc_roc: rounded(rules.aucRoc), average_precision: rounded(rules.averagePrecision) } } : {}),
      seconds: rounded(seconds, 1),
      ...(out === undefined ? {} : { model: out }),
      ...(version === undefined ? {} : { version }),
    },
    text: lines.map(([name, value]) => `${name.padEnd(22)}${value}`).join('\n'),
  };
}
