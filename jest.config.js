// Nest 12 and several of its companions are ESM only; the tests run as CommonJS, so those packages are compiled too.
const esmPackages = [
  '@nestjs', 'light-my-request', 'cookie', 'content-disposition', 'file-type', 'strtok3', 'token-types', 'uint8array-extras',
  '@borewit', '@tokenizer', 'es-toolkit', 'load-esm', 'fast-content-type-parse', 'path-to-regexp',
  'jose', '@noble', '@scure',
].join('|');

/** @type {import('jest').Config} */
module.exports = {
  rootDir: __dirname,
  testEnvironment: 'node',
  testRegex: ['(src|migrations)/.*\\.spec\\.ts$', 'test/.*\\.(e2e-)?spec\\.ts$'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '\\.(ts|js|mjs)$': ['@swc/jest', {
      swcrc: false,
      sourceMaps: 'inline',
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
      module: { type: 'commonjs' },
    }],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmPackages})/)`],
  testTimeout: 30_000,
  // Many suites wait for something to become due; a third worker uses that time, also on two cores.
  maxWorkers: 3,
};
