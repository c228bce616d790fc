const { AsyncLocalStorage } = require('node:async_hooks');
const { LegacyFakeTimers, ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');

/** What a suite could change of the worker that it shares with others, as it is now. */
function remember() {
  const globals = new Map(Reflect.ownKeys(globalThis).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)]));
  const { env, exit } = process;
  return { globals, env: { ...env }, exit };
}

/** Brings it back: what was added goes, what was replaced returns. */
function restore({ globals, env, exit }) {
  for (const key of Reflect.ownKeys(globalThis)) {
    const now = Object.getOwnPropertyDescriptor(globalThis, key);
    const before = globals.get(key);
    if (!now.configurable) continue;
    if (!before) delete globalThis[key];
    else if (before.value !== now.value || before.get !== now.get) Object.defineProperty(globalThis, key, before);
  }
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exit = exit;
}

/**
 * Empties what Jest has gathered of a suite. Each test runs in an asynchronous context of its own that holds the test, and with it all of
 * the suite's modules; a timer or a socket of a package that outlives the suite would keep them for the rest of the run.
 */
function forget({ children, hooks, tests }) {
  for (const child of children) {
    if (child.type === 'describeBlock') forget(child);
    else for (const key of ['asyncError', 'fn', 'parent']) delete child[key];
  }
  for (const hook of hooks) for (const key of ['asyncError', 'fn', 'parent']) delete hook[key];
  for (const list of [children, hooks, tests]) list.length = 0;
}

/**
 * Until Node 24, whatever begins (a promise, a timer, a request) copies the stores of every AsyncLocalStorage that was ever used, one after
 * the other. Each suite's modules make their own, so the last suites of a run would carry those of all before them. One that is turned off
 * turns itself on again when it is used.
 */
const used = new Set();
const turnOn = AsyncLocalStorage.prototype._enable;
if (turnOn) {
  AsyncLocalStorage.prototype._enable = function () {
    used.add(this);
    turnOn.call(this);
  };
}

function turnOffStorages() {
  for (const storage of used) storage.disable();
  used.clear();
}

/** Nest links the classes that it is to discover in a list of the package's own; those of a suite that is over are in nobody's module. */
function unlinkClasses() {
  if (!require.cache[require.resolve('@nestjs/core')]) return;
  require('@nestjs/core/discovery/discoverable-meta-host-collection.js').DiscoverableMetaHostCollection.metaHostLinks.clear();
}

/** Runs a suite in the worker's own realm, where the packages are loaded, and leaves nothing of it behind. See `runtime.js`. */
module.exports = class OneRealmEnvironment {
  constructor({ projectConfig }) {
    this.before = remember();
    this.global = globalThis;
    this.moduleMocker = new ModuleMocker(globalThis);
    const options = { config: projectConfig, global: globalThis };
    const timerConfig = { idToRef: (id) => id, refToId: (ref) => ref };
    this.fakeTimers = new LegacyFakeTimers({ ...options, moduleMocker: this.moduleMocker, timerConfig });
    this.fakeTimersModern = new ModernFakeTimers(options);
  }

  async setup() {}

  handleTestEvent({ name }, { rootDescribeBlock }) {
    if (name === 'run_start') this.tree = rootDescribeBlock;
  }

  async teardown() {
    this.fakeTimers.dispose();
    this.fakeTimersModern.dispose();
    this.moduleMocker.restoreAllMocks();
    if (this.tree) forget(this.tree);
    unlinkClasses();
    turnOffStorages();
    restore(this.before);
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return globalThis;
  }
};
