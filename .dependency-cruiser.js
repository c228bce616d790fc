/**
 * The arrows of the house: a room imports only rooms that stand above it. See docs/architecture.md.
 * Each room is listed with everything in src that it may import beside itself.
 */
const ROOMS = {
  money: [],
  platform: ['money'],
  audit: ['platform'],
  ledger: ['money', 'platform', 'audit'],
  clients: ['money', 'platform', 'audit'],
  auth: ['money', 'platform', 'audit', 'clients'],
  fraud: ['money', 'platform', 'audit', 'clients'],
  chains: ['money', 'platform', 'audit'],
  payouts: ['money', 'platform', 'audit', 'ledger', 'clients', 'chains'],
  payments: ['money', 'platform', 'audit', 'ledger', 'clients', 'auth', 'fraud', 'chains', 'payouts'],
  withdrawals: ['money', 'platform', 'audit', 'ledger', 'clients', 'auth', 'fraud', 'chains', 'payouts'],
  webhooks: ['money', 'platform', 'audit', 'clients', 'auth'],
  operations: [
    'money', 'platform', 'audit', 'ledger', 'clients', 'auth', 'fraud', 'chains', 'payouts', 'payments', 'withdrawals', 'webhooks',
  ],
};

/** The wiring stands above all rooms, like the files of src itself: it may import everything, and no room may import it. */
const WIRING = ['cli', 'demo'];

const arrows = Object.entries(ROOMS).map(([room, above]) => ({
  name: `${room}-imports-only-what-stands-above`,
  comment: `src/${room} may import ${above.length > 0 ? above.join(', ') : 'no other room'}.`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...above].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'every-room-is-known',
      comment: 'A new room gets its line in the list above before anything is put into it.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${[...Object.keys(ROOMS), ...WIRING].join('|')})/` },
      to: {},
    },
    {
      name: 'entities-stay-in-their-room',
      comment: 'A room is used through its services; whoever reads its tables by entity would be bound to their columns.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/.*\\.entity\\.ts$', pathNot: '^src/$1/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or need a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'migrations-stand-alone',
      comment: 'A migration says the same for ever; code that it imported would change under it.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: '^(src|test)/' },
    },
    {
      name: 'src-knows-no-tests',
      comment: 'What is shipped does not lean on test code.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
    {
      name: 'every-import-resolves',
      comment: 'An import that leads nowhere fails at start.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'only-declared-packages',
      comment: 'Shipped code uses packages of "dependencies" only: development packages are not installed in production.',
      severity: 'error',
      from: { path: '^(src|migrations)/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
