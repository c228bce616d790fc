const { createRequire } = require('node:module');
const { compileFunction } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

/** A package's name, or a path within it: neither a path, nor Node's own, nor what Jest itself hands out. */
const PACKAGE = /^(?!\.|\/|node:|@jest\/|[A-Za-z]:[\\/])/;

/** It keeps the options of every queue that was ever run, and through them all of a suite's application. */
const OF_THE_SUITE = new Set(['graphile-worker']);

/** The one file of it that keeps nothing, and looks for a configuration in every folder above us when it is loaded. */
const isItsConfiguration = (from, name) => name === './config' && /graphile-worker[\\/]dist[\\/]\w+\.js$/.test(from);

/** What this worker has compiled, by file name. To call it again makes a new module; nothing is shared but the machine code. */
const compiled = new Map();

function compileOnce(source, parameters, filename) {
  const known = compiled.get(filename);
  if (known?.source === source) return known.body;
  const body = compileFunction(source, parameters, { filename });
  compiled.set(filename, { source, body });
  return body;
}

/** What this worker has read and put into JavaScript, by file name. */
const transformed = new Map();

/** Files do not change while a run reads them; when Jest watches them, they do. */
function transformOnce(cache) {
  const transform = cache.transform.bind(cache);
  cache.transform = (filename, options) => {
    if (options?.isInternalModule) return transform(filename, options);
    const known = transformed.get(filename);
    if (!known) {
      const code = transform(filename, options);
      transformed.set(filename, cache.transforms.get(filename));
      return code;
    }
    cache.transforms.set(filename, known);
    if (known.sourceMapPath) cache.sourceMaps.set(filename, known.sourceMapPath);
    return known.code;
  };
}

/** The packages that our own files have required, by the name that they used: all of them see the same folder of packages. */
const loaded = new Map();

function loadOnce(from, name) {
  if (from.includes('node_modules')) return createRequire(from)(name);
  if (!loaded.has(name)) loaded.set(name, createRequire(from)(name));
  return loaded.get(name);
}

/**
 * Evaluates our own modules anew for each suite, as Jest does, but loads packages only once for all suites of a worker, with Node's
 * own `require` and as they were published. To load them was most of what a suite cost. Everything runs in one realm, as in
 * production, so an `Error` or a `Date` that a package or Node makes is an instance of ours too.
 */
module.exports = class PackagesOnceRuntime extends Runtime {
  constructor(...options) {
    super(...options);
    const { executor, transformCache } = this;
    executor.compile = (source, filename) => compileOnce(source, executor.injectedModuleParameters, filename);
    const { watch, watchAll } = options.at(-1);
    if (!watch && !watchAll) transformOnce(transformCache);
  }

  requireModuleOrMock(from, name) {
    const isOnce = (PACKAGE.test(name) && !OF_THE_SUITE.has(name)) || isItsConfiguration(from, name);
    if (!isOnce || this.mockState.shouldMockCjs(from, name).shouldMock) return super.requireModuleOrMock(from, name);
    return loadOnce(from, name);
  }
};
