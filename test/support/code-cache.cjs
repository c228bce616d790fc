/**
 * Preloaded (`node -r`) into the built programs that tests start. Each start compiles some 3,000 files of packages and ours anew, which
 * is a third of what it costs; here they come with V8's machine code from one file that was written right after the build (`built.ts`).
 * What runs is the same text under the same name; modules of ECMAScript, which take Node another second, are kept as CommonJS. What the
 * cache does not know takes Node's own way.
 */
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, isAbsolute, join, resolve } = require('node:path');
const vm = require('node:vm');
const { isMainThread } = require('node:worker_threads');

const FILE = resolve(__dirname, '../../dist/.code-cache');

/** Where programs go from here on; each of these loads all that stands below it. */
const ENTRIES = ['start', 'server-parts', 'cli/gateway-parts', 'cli/option-schemas', 'demo/walk'];

function scriptOf(filename, text, cachedData) {
  return new vm.Script(text, { filename, cachedData, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });
}

function compiled(filename, text) {
  const whole = Module.wrap(text);
  return { filename, text: whole, script: scriptOf(filename, whole) };
}

/** An ECMAScript module, which is no text of CommonJS, is put into its words by `toCommon`. */
function compiledAsCommon(filename, text, toCommon) {
  try {
    return compiled(filename, text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return compiled(filename, toCommon(text, { filename, swcrc: false, module: { type: 'commonjs' }, jsc: { target: 'es2022' } }).code);
  }
}

/** As Node's loader makes it for a module. */
function requireOf(module) {
  const require = (id) => module.require(id);
  require.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}

function run(script, module, filename) {
  script.runInThisContext().call(module.exports, module.exports, requireOf(module), module, filename, dirname(filename));
}

/** Answers known requests of known folders from the map, and lets `learn` hear of the others. */
function resolveBy(known, learn) {
  const find = Module._resolveFilename;
  Module._resolveFilename = function (request, parent, isMain, options) {
    if (isMain || options || !parent?.filename) return find.call(this, request, parent, isMain, options);
    const key = `${request}\0${dirname(parent.filename)}`;
    const found = known.get(key) ?? find.call(this, request, parent, isMain, options);
    learn?.(key, found);
    return found;
  };
}

/** The file: the length of the index, the index, then for each module its text and its code. */
function use() {
  const blob = readFileSync(FILE);
  let at = 4 + blob.readUInt32LE(0);
  const { files, resolved } = JSON.parse(blob.toString('utf8', 4, at));
  const take = (length) => blob.subarray(at, (at += length));
  const known = new Map(files.map(([name, encoding, textLength, codeLength]) => [name, { encoding, text: take(textLength), code: take(codeLength) }]));
  resolveBy(new Map(resolved));
  for (const [ending, load] of Object.entries(Module._extensions)) {
    Module._extensions[ending] = function (module, filename) {
      const entry = known.get(filename);
      if (!entry) return load.call(this, module, filename);
      return run(scriptOf(filename, entry.text.toString(entry.encoding), entry.code), module, filename);
    };
  }
}

/** Loads the programs' modules, and writes down what it has compiled. */
function fill() {
  const { transformSync } = require('@swc/core');
  const scripts = [];
  const resolved = new Map();
  resolveBy(resolved, (key, found) => isAbsolute(found) && resolved.set(key, found));
  Module.prototype._compile = function (content, filename) {
    const made = compiledAsCommon(filename, content, transformSync);
    scripts.push(made);
    return run(made.script, this, filename);
  };
  for (const entry of ENTRIES) require(join(dirname(FILE), 'src', entry));
  write(scripts, resolved);
}

function write(scripts, resolved) {
  const parts = [];
  const files = scripts.map(({ filename, text, script }) => {
    const encoding = /[^\0-\xff]/.test(text) ? 'utf8' : 'latin1';
    const [bytes, code] = [Buffer.from(text, encoding), script.createCachedData()];
    parts.push(bytes, code);
    return [filename, encoding, bytes.length, code.length];
  });
  const index = Buffer.from(JSON.stringify({ files, resolved: [...resolved] }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(index.length);
  writeFileSync(FILE, Buffer.concat([length, index, ...parts]));
}

if (require.main === module) fill();
else if (isMainThread && existsSync(FILE)) use();
