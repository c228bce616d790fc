const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * What takes longest, the longest first. Jest knows how long a suite takes only when it has run before, so in a fresh clone these
 * would come when they come, and the last would run alone while the other worker has nothing left to do. The second needs no built
 * program: it runs while the first one's are built.
 */
const LONGEST = [
  'startup.e2e-spec.ts', 'access-matrix.e2e-spec.ts', 'cli.e2e-spec.ts', 'kill-watcher.spec.ts', 'kill-payouts.spec.ts',
  'alert-deliveries.e2e-spec.ts', 'webhook-pump.e2e-spec.ts', 'kill-webhooks.spec.ts', 'embedded-postgres.spec.ts', 'blocks.e2e-spec.ts',
  'reconciliation.e2e-spec.ts', 'launch.spec.ts', 'outbound-webhooks.e2e-spec.ts',
];

function placeOf({ path }) {
  const at = LONGEST.findIndex((name) => path.endsWith(`/${name}`) || path.endsWith(`\\${name}`));
  return at < 0 ? LONGEST.length : at;
}

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => placeOf(a) - placeOf(b));
  }
};
