// One round per line of input: start something empty, wait until it is gone.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { argv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Process } from 'posix-multiprocessing';
import { drive } from '../harness.mjs';

const [, , driver, size] = argv;
const empty = fileURLToPath(new URL('empty.mjs', import.meta.url));

// About 100 bytes an object.
const live = Array.from({ length: (Number(size) << 20) / 100 }, (_, index) => ({ index, text: `item ${index}` }));
globalThis.live = live;

async function process(options) {
  const child = await new Process(options).start();
  await child.join();
  child.close();
}

const ways = {
  Process: () => process({ target: () => {} }),
  'Process, forkserver': () => process({ target: new URL('target.mjs', import.meta.url), startMethod: 'forkserver' }),
  'Process, spawn': () => process({ target: new URL('target.mjs', import.meta.url), startMethod: 'spawn' }),
  'child_process.fork': () => once(fork(empty), 'exit'),
  Worker: () => once(new Worker(empty), 'exit'),
  'node -e 0': () => once(spawn(execPath, ['-e', '0']), 'exit'),
};

const privateMB = Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) >> 10;
await drive({ privateMB }, async () => {
  const begin = performance.now();
  await ways[driver]();
  return performance.now() - begin;
});
