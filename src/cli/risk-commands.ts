import { readFileSync, statSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FEED_KINDS, type FeedKind, MAX_FEED_BYTES } from '../fraud/lists/feeds/feed';
import { type List, LISTS } from '../fraud/lists/list-entry';
import type { ImportObject } from '../fraud/lists/lists.dto';
import { CommandError, EXIT_USAGE } from './command-error';
import { addCommand, optionSchemas, print, withGateway, wholeNumber } from './command-line';

interface ImportOptions {
  list: List;
  kind: FeedKind;
  source: string;
  file?: string;
  url?: string;
  expiresInDays?: number;
  force?: boolean;
  json?: boolean;
}

/** Commands about risk. */
export function addRiskCommands(program: Command): void {
  addCommand(program, 'risk:import', 'take a feed of addresses, domains or destinations in the place of what came under its name before')
    .addOption(new Option('--list <list>', 'which list').choices(LISTS).makeOptionMandatory())
    .addOption(new Option('--kind <kind>', 'what the feed holds').choices(FEED_KINDS).makeOptionMandatory())
    .requiredOption('--source <name>', "the feed's name", sourceName)
    .option('--file <path>', 'the feed: one value a line, or the first column of a CSV file')
    .option('--url <url>', 'or where it is read from')
    .option('--expires-in-days <n>', 'after how many days its entries end, unless it is imported again', wholeNumber(1, 366))
    .option('--force', 'also when it is empty, or has shrunk by more than nine tenths')
    .action(async (options: ImportOptions) => {
      const made = await importFeed(options);
      print(options, { json: { ...made }, text: textOf(made) });
    });
}

function importFeed({ list, kind, source, file, url, expiresInDays, force = false }: ImportOptions): Promise<ImportObject> {
  if ((file === undefined) === (url === undefined)) throw new CommandError('Name the feed by --file or by --url.', EXIT_USAGE);
  const read = file === undefined ? undefined : readFeedFile(file);
  return withGateway(async (app, { FeedDownload, ImportFeed }) => {
    const text = read ?? (await app.get(FeedDownload, { strict: false }).read(url!));
    const order = { list, kind, source, expiresInDays, force, text, from: url ?? 'a file' };
    return app.get(ImportFeed, { strict: false }).import(order);
  });
}

function readFeedFile(path: string): string {
  try {
    if (statSync(path).size > MAX_FEED_BYTES) throw new CommandError('The file is larger than 10 MiB.');
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The file cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function sourceName(text: string): string {
  const name = optionSchemas().feedSource.safeParse(text);
  if (!name.success) throw new InvalidArgumentError(`It ${name.error.issues[0].message}.`);
  return name.data;
}

function textOf({ source, added, kept, removed, refused, refused_lines: lines }: ImportObject): string {
  const done = `${source}: ${added} added, ${kept} kept, ${removed} removed, ${refused} lines refused.`;
  return [done, ...lines.map(({ line, reason }) => `  line ${line} ${reason}`)].join('\n');
}
