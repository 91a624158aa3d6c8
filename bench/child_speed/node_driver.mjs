// One round per line of input, in a process of its own: forked from a parent that has run and forked, or fresh.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Pipe, Process } from 'posix-multiprocessing';
import { drive } from '../harness.mjs';
import { measure } from './kernels.mjs';

const fresh = fileURLToPath(new URL('fresh.mjs', import.meta.url));

async function forked() {
  const [here, there] = Pipe({ duplex: false });
  const child = await new Process({ target: () => there.send(measure()) }).start();
  const times = await here.recv();
  await child.join();
  child.close();
  here.close();
  there.close();
  return times;
}

const ways = {
  'forked child': forked,
  'fresh process': async () => JSON.parse((await promisify(execFile)(process.execPath, [fresh])).stdout),
};
await drive({}, ways[process.argv[2]]);
