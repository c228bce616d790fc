import { Worker } from 'node:worker_threads';

/** What the worker is asked: to hash a password at a cost, or to compare it with a hash. */
export type PasswordTask = { readonly password: string; readonly cost: number } | { readonly password: string; readonly hash: string };

/** What the worker answers: a hash or a comparison, or why there is none. */
export type PasswordAnswer = { readonly value: string | boolean } | { readonly failure: string };

/**
 * Plain JavaScript, so that it runs the same from the compiled files and from tests that compile TypeScript in memory.
 *
 * On Linux a thread has a priority of its own and setpriority(2) with 0 means the calling thread, so the hashes yield to everything else
 * that wants a processor. Elsewhere the same call would slow the whole process and is left out.
 */
const WORKER_CODE = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const os = require('node:os');
if (process.platform === 'linux') {
  try {
    os.setPriority(0, workerData.niceness);
  } catch {
    // Without the lower priority hashes are as right as with it.
  }
}
const bcrypt = require(workerData.bcrypt);
parentPort.on('message', (task) => {
  try {
    const value = 'hash' in task ? bcrypt.compareSync(task.password, task.hash) : bcrypt.hashSync(task.password, task.cost);
    parentPort.postMessage({ value });
  } catch (error) {
    parentPort.postMessage({ failure: String(error && error.message) });
  }
});
`;

/** Of the kernel's weights a thread at 10 has a tenth of one at 0: enough to get on at full load, too little to be in the way. */
const NICENESS = 10;

/** Starts the thread that computes password hashes. It answers each `PasswordTask` with one `PasswordAnswer`, in order. */
export function startPasswordWorker(): Worker {
  return new Worker(WORKER_CODE, {
    eval: true,
    // Loaders that were given to this process, such as one for TypeScript, are of no use in there.
    execArgv: [],
    workerData: { bcrypt: require.resolve('bcrypt'), niceness: NICENESS },
  });
}
