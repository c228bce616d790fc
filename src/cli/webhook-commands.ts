import { type Command, Option } from 'commander';
import type { ReplayCommand } from '../webhooks/inbound/replay-inbox';
import { CommandError, EXIT_USAGE } from './command-error';
import { addCommand, print, withGateway, wholeNumber } from './command-line';

interface ReplayOptions {
  source?: string;
  event?: string;
  status?: 'failed' | 'quarantined';
  limit: number;
  json?: boolean;
}

/** Commands about providers' webhooks. */
export function addWebhookCommands(program: Command): void {
  addCommand(program, 'webhooks:replay', 'put stored events of providers into the queue again')
    .option('--source <name>', 'where one event came from, such as stripe')
    .option('--event <id>', "the provider's id of that event")
    .addOption(new Option('--status <status>', 'or the oldest events of this status').choices(['failed', 'quarantined']))
    .option('--limit <n>', 'how many of them', wholeNumber(1, 10_000), 100)
    .action(async (options: ReplayOptions) => {
      const command = replayCommand(options);
      const replayed = await withGateway((app, { ReplayInbox }) => app.get(ReplayInbox).replay(command));
      const json = replayed.map(({ source, eventId, previousStatus }) => ({ source, event: eventId, previous_status: previousStatus }));
      const lines = json.map((event) => `  ${event.source} ${event.event} (was ${event.previous_status})`);
      const text = lines.length > 0 ? `In the queue again; the server applies it:\n${lines.join('\n')}` : `No event is ${options.status}.`;
      print(options, { json: { replayed: json }, text });
    });
}

function replayCommand({ source, event, status, limit }: ReplayOptions): ReplayCommand {
  if (source && event && !status) return { source, eventId: event };
  if (status && !source && !event) return { status, limit };
  throw new CommandError('Name one event with --source and --event, or many with --status failed or --status quarantined.', EXIT_USAGE);
}
