// The same values by Node's own ways, one sender, one receiver.
//   node node_driver.mjs KIND postMessage|transfer|json|advanced
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { drive } from '../harness.mjs';
import { countOf, payload } from './values.mjs';

const [kind, mode, role] = process.argv.slice(2);
const count = countOf(kind);
const value = payload(kind);
const isWorker = !isMainThread || role === 'child';

// Sends without a limit, as one has to here; giving the loop its turns, so that memory does not grow without one either.
async function send(post) {
  for (let i = 0; i < count; i++) {
    post();
    if (i % 256 === 255) await new Promise(setImmediate);
  }
}

if (isWorker) {
  const here = isMainThread ? process : parentPort;
  const transfer = mode === 'transfer';
  here.on('message', () =>
    send(() => {
      if (transfer) {
        const bytes = new ArrayBuffer(value.length);
        here.postMessage(bytes, [bytes]);
      } else if (isMainThread) process.send(value);
      else here.postMessage(value);
    }),
  );
} else {
  const file = fileURLToPath(import.meta.url);
  const peer =
    mode === 'json' || mode === 'advanced'
      ? fork(file, [kind, mode, 'child'], { serialization: mode })
      : new Worker(file, { argv: [kind, mode] });
  const post = (message) => (peer.send ? peer.send(message) : peer.postMessage(message));
  let left = 0;
  let finish;
  peer.on('message', () => {
    if (--left === 0) finish();
  });
  await drive({}, () => {
    const began = performance.now();
    left = count;
    post('go');
    return new Promise((resolve) => {
      finish = () => resolve({ seconds: (performance.now() - began) / 1000, count });
    });
  });
  process.exit(0);
}
