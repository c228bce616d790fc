import { Command } from 'commander';
import { prepareSettings } from './platform/config/load-settings';
import { SettingsError } from './platform/config/settings-error';
import { DemoFailure, expectThat } from './demo/story';
import { walk } from './demo/walk';

async function main(): Promise<void> {
  const options = new Command('demo')
    .description('Walks the main job step by step against a running development server.')
    .option('--url <url>', 'where the server is (default: as its settings say)')
    .parse()
    .opts<{ url?: string }>();
  const settings = prepareSettings();
  expectThat(!settings.isProductionLike, `The demo makes a merchant and payments of its own; it does not run in ${settings.nodeEnv}.`);
  const [stripeSecret] = settings.webhookSecrets.stripe;
  expectThat(stripeSecret !== undefined, 'Set WEBHOOK_SECRET_STRIPE for the server and for the demo, at least 16 characters.');
  await walk((options.url ?? reachable(settings.publicUrl)).replace(/\/+$/, ''), stripeSecret);
  process.stdout.write('\nEverything went as promised.\n');
}

/** A server that listens on all addresses is called on this computer's own. */
function reachable(url: string): string {
  return url.replace('://0.0.0.0', '://127.0.0.1').replace('://[::]', '://[::1]');
}

main().catch((error: unknown) => {
  const isPlain = error instanceof DemoFailure || error instanceof SettingsError;
  process.stderr.write(`\nThe demo has stopped. ${isPlain ? error.message : String((error as Error).stack ?? error)}\n`);
  process.exitCode = error instanceof SettingsError ? error.exitCode : 1;
});
