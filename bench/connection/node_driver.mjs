// The same by Node's own ways.   node node_driver.mjs send|postMessage pingpong|stream SIZE
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { drive } from '../harness.mjs';

const [mode, what, text, role] = process.argv.slice(2);
const size = Number(text);
const ping = what === 'pingpong';
const count = ping ? 10_000 : size <= 64 ? 100_000 : Math.floor(256e6 / size);
const bytes = new Uint8Array(size);

if (!isMainThread || role === 'child') {
  const here = isMainThread ? process : parentPort;
  const post = (value) => (isMainThread ? process.send(value) : parentPort.postMessage(value));
  let got = 0;
  here.on('message', () => {
    if (ping) {
      post(bytes);
    } else if (++got === count) {
      got = 0;
      post(0);
    }
  });
} else {
  const file = fileURLToPath(import.meta.url);
  const peer =
    mode === 'send'
      ? fork(file, [mode, what, text, 'child'], { serialization: 'advanced' })
      : new Worker(file, { argv: [mode, what, text] });
  const post = (value) => (mode === 'send' ? peer.send(value) : peer.postMessage(value));
  let answer;
  peer.on('message', () => answer());
  const round = async () => {
    const began = performance.now();
    for (let i = 0; i < count; i++) {
      if (ping) {
        const answered = new Promise((resolve) => (answer = resolve));
        post(bytes);
        await answered;
      } else {
        if (i % 64 === 63) await new Promise(setImmediate);
        if (i === count - 1) {
          const answered = new Promise((resolve) => (answer = resolve));
          post(bytes);
          await answered;
        } else post(bytes);
      }
    }
    return { seconds: (performance.now() - began) / 1000, count };
  };
  await drive({}, round);
  process.exit(0);
}
