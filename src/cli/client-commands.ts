import { type Command, InvalidArgumentError } from 'commander';
import type { IssuedKey } from '../clients/key-material';
import { addCommand, optionSchemas, print, withGateway, wholeNumber } from './command-line';

interface CreateOptions {
  name: string;
  live?: boolean;
  feeBps: number;
  rateMultiplier: number;
  json?: boolean;
}

interface KeyOptions {
  client: string;
  live?: boolean;
  json?: boolean;
}

/** Commands about merchants. */
export function addClientCommands(program: Command): void {
  addCommand(program, 'client:create', 'make a client (a merchant) and show its first key, with all scopes, once')
    .requiredOption('--name <name>', 'its name', clientName)
    .option('--live', 'give it live mode and a live key (default: a test key)')
    .option('--fee-bps <n>', 'fee in hundredths of a percent of each payment', wholeNumber(0, 10_000), 0)
    .option('--rate-multiplier <n>', 'how many times the usual rate limit it has', wholeNumber(1, 10_000), 1)
    .action(async (options: CreateOptions) => {
      const issued = await createClient(options);
      print(options, { json: { ...issued }, text: describe(options, issued) });
    });
  addCommand(program, 'client:key', 'give a client another key, with all scopes, shown once; the way to its other mode')
    .requiredOption('--client <id>', 'the client, cli_…')
    .option('--live', 'a live key; turns the client\'s live mode on (default: a test key)')
    .action(async (options: KeyOptions) => {
      const keys = shownOnce(await withGateway((app, { ClientRegistry }) => app.get(ClientRegistry).addKey(options.client, options.live ?? false)));
      print(options, { json: { ...keys }, text: `A new key in ${options.live ? 'live' : 'test'} mode. It is shown only now:\n${listed(keys)}` });
    });
}

/** The keys of a new client as they are shown once. */
export interface ClientKeys {
  client_id: string;
  key_id: string;
  api_key: string;
  signing_secret: string;
}

/** Makes a client with one key, in the audit log by the operator. */
export async function createClient({ name, live = false, feeBps, rateMultiplier }: Omit<CreateOptions, 'json'>): Promise<ClientKeys> {
  return shownOnce(await withGateway((app, { ClientRegistry }) => app.get(ClientRegistry).create({ name, live, feeBps, rateMultiplier })));
}

function shownOnce({ key, apiKey, signingSecret }: IssuedKey): ClientKeys {
  return { client_id: key.clientId, key_id: key.id, api_key: apiKey, signing_secret: signingSecret };
}

function clientName(text: string): string {
  const name = optionSchemas().visibleText(1, 200).safeParse(text.trim());
  if (!name.success) throw new InvalidArgumentError('Expected 1 to 200 characters without control characters.');
  return name.data;
}

function describe({ name, live }: CreateOptions, keys: ClientKeys): string {
  return `The client "${name}" was made in ${live ? 'live' : 'test'} mode. Its keys are shown only now:\n${listed(keys)}`;
}

function listed(keys: ClientKeys): string {
  return Object.entries(keys).map(([field, value]) => `  ${field.padEnd(16)}${value}`).join('\n');
}
