// Values from producers to consumers through a Queue. A round: so many messages; its answer the seconds it took.
//   node queue_driver.mjs KIND PRODUCERS CONSUMERS sync|async|loan
import { Process, Queue } from 'posix-multiprocessing';
import { drive } from '../harness.mjs';
import { countOf, payload } from './values.mjs';

const [kind, producers, consumers, mode] = process.argv.slice(2);
const value = payload(kind);
const count = countOf(kind);
// Bounded: otherwise a fast producer would measure how fast memory grows. Of buffers 4 MiB may be under way, or four.
const queue = new Queue(kind === 'string64' || kind === 'object' ? 4096 : Math.max(4, 2 ** 22 / Number(kind)));
const start = new Queue();
const go = new Queue(); // to consumers: none begins the next round while another is in this one
const done = new Queue();

async function produce() {
  for (;;) {
    const each = await start.get();
    if (mode === 'sync') for (let i = 0; i < each; i++) queue.putSync(value);
    else if (mode === 'async') for (let i = 0; i < each; i++) await queue.put(value);
    else
      for (let i = 0; i < each; i++) {
        const loan = queue.lendSync(value.length);
        loan.bytes[0] = i; // written in place: what fills it is not what is measured
        loan.putSync();
      }
  }
}

async function consume(each) {
  for (;;) {
    await go.get();
    if (mode === 'sync') for (let i = 0; i < each; i++) queue.getSync();
    else if (mode === 'async') for (let i = 0; i < each; i++) await queue.get();
    else for (let i = 0; i < each; i++) queue.getLoanSync().giveBack();
    await done.put(1);
  }
}

for (let i = 0; i < producers; i++) await new Process({ target: produce, daemon: true }).start();
for (let i = 0; i < consumers; i++) {
  await new Process({ target: () => consume(count / consumers), daemon: true }).start();
}
await drive({}, async () => {
  const began = performance.now();
  for (let i = 0; i < consumers; i++) await go.put(1);
  for (let i = 0; i < producers; i++) await start.put(count / producers);
  for (let i = 0; i < consumers; i++) await done.get();
  return { seconds: (performance.now() - began) / 1000, count };
});
process.exit(0);
