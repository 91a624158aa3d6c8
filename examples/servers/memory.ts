/**
 * What a worker costs: memory beside that of node:cluster, with the same data and the same requests.
 *   node out/examples/servers/memory.js --workers 4 --records 400000
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Load } from './load.js';
import { type Options, readOptions } from './options.js';

/** One process, MB, as /proc/PID/smaps_rollup has it (proc_pid_smaps(5)). */
interface Memory {
  /** All that it maps. */
  readonly resident: number;
  /** That nobody else maps. */
  readonly own: number;
  /** Each page divided by the number of those who map it: these add up. */
  readonly share: number;
}

function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(rollup)?.[1] ?? Number.NaN) / 1024;
  return {
    resident: megabytes('Rss'),
    own: megabytes('Private_Clean') + megabytes('Private_Dirty'),
    share: megabytes('Pss'),
  };
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

async function portOf(server: ChildProcess): Promise<number> {
  if (server.stdout === null) throw new Error('no output to read');
  for await (const line of createInterface(server.stdout)) {
    const [, port] = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(line) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the server has ended');
}

/** One line of the table: the server's workers after `requests` requests. */
async function measure(name: string, { workers, records }: Options): Promise<string> {
  const program = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const options = ['--port', '0', '--workers', String(workers), '--records', String(records)];
  const server = spawn(process.execPath, [program, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await portOf(server);
    await new Load({ port, records, clients: 4 * workers, requests: 5000 * workers, keepAlive: false }).run();
    const pids = childrenOf(server.pid as number);
    const each = pids.map(memoryOf);
    const mean = (field: keyof Memory): number => each.reduce((sum, memory) => sum + memory[field], 0) / each.length;
    const all = [...each, memoryOf(server.pid as number)].reduce((sum, { share }) => sum + share, 0);
    return [name, ...[mean('resident'), mean('own'), mean('share'), all].map((value) => value.toFixed(0))].join('\t');
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
}

const options = readOptions();
console.log(`Node ${process.versions.node}, ${options.workers} workers, ${options.records} records; MB`);
console.log(['', 'resident', 'own', 'share', 'all processes'].join('\t'));
console.log(await measure('main', options));
console.log(await measure('cluster', options));
