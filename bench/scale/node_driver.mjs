// One case of bench/scale, so many items a round.   node node_driver.mjs children|segments <count>
import { Process, SharedMemory } from 'posix-multiprocessing';
import { close, pipe, read } from 'posix-multiprocessing/posix';
import { drive } from '../harness.mjs';

const [mode, count] = process.argv.slice(2);
const n = Number(count);

const modes = {
  // All live at a time, until the pipe that they read from ends. Milliseconds for each.
  async children() {
    const { readEnd, writeEnd } = pipe();
    const target = () => {
      close(writeEnd);
      read(readEnd, new Uint8Array(1));
    };
    const began = performance.now();
    const children = [];
    for (let index = 0; index < n; index++) children.push(await new Process({ target }).start());
    const live = performance.now();
    close(writeEnd);
    for (const child of children) await child.join();
    const ended = performance.now();
    for (const child of children) child.close();
    close(readEnd);
    return { started: (live - began) / n, ended: (ended - live) / n };
  },
  // All open at a time. Microseconds for each.
  segments() {
    const began = performance.now();
    const all = Array.from({ length: n }, () => SharedMemory.create({ size: 4096 }));
    for (const { bytes } of all) bytes[0] = 1;
    for (const one of all) {
      one.close();
      one.unlink();
    }
    return ((performance.now() - began) * 1000) / n;
  },
};

await drive({}, modes[mode]);
