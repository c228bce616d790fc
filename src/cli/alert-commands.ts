import type { Command } from 'commander';
import type { TestedChannel } from '../operations/alerts/send-test-alert';
import { prepareSettings } from '../platform/config/load-settings';
import { addCommand, gatewayParts, type Outcome, print, withGateway } from './command-line';

/** Commands about the channels by which alerts go out. */
export function addAlertCommands(program: Command): void {
  addCommand(program, 'alert:test', 'send a test alert by every channel now; exit 1 if one did not take it, or there is none').action(
    async (options: { json?: boolean }) => {
      print(options, outcomeOf(await withGateway((app, { SendTestAlert }) => app.get(SendTestAlert, { strict: false }).send())));
    },
  );

  addCommand(program, 'alert:secret', 'show the secret that alerts to SECURITY_WEBHOOK_URL are signed with').action(
    (options: { json?: boolean }) => {
      const [secret] = gatewayParts().webhookSecrets(prepareSettings().encryptionMasterKeys);
      print(options, { json: { secret }, text: secret });
    },
  );
}

function outcomeOf(tested: readonly TestedChannel[]): Outcome {
  const isGood = tested.length > 0 && tested.every(({ sent }) => sent);
  const lines = tested.map(({ channel, sent, error }) => `${channel.padEnd(9)}  ${sent ? 'sent' : `NOT SENT: ${error}`}`);
  const none = 'No channel is set up: nobody would be told. Set SECURITY_ALERT_EMAIL, SLACK_WEBHOOK_URL or another one of .env.example.';
  return { json: { ok: isGood, channels: [...tested] }, text: lines.length > 0 ? lines.join('\n') : none, exitCode: isGood ? 0 : 1 };
}
