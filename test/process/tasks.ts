/** What processes of every start method run in the tests. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import {
  type Connection,
  currentProcess,
  getStartMethod,
  importable,
  isMainProcess,
  Process,
  parentProcess,
  type Queue,
} from 'posix-multiprocessing';

/** What a child knows of itself. */
export interface Self {
  name: string;
  pid: number;
  isMain: boolean;
  parent: { pid: number | undefined; name: string | undefined; isAlive: boolean | undefined };
  ppid: number;
  authKey: string;
  argv: string[];
  directory: string;
  variable: string | undefined;
  stdin: string;
  descriptors: string[];
}

function self(): Self {
  const me = currentProcess();
  return {
    name: me.name,
    pid: me.pid ?? -1,
    isMain: isMainProcess(),
    parent: { pid: parentProcess()?.pid, name: parentProcess()?.name, isAlive: parentProcess()?.isAlive() },
    ppid: process.ppid,
    authKey: Buffer.from(me.authKey).toString('hex'),
    argv: process.argv,
    directory: process.cwd(),
    variable: process.env['MP_TEST_VARIABLE'],
    stdin: readFileSync(0, 'utf8'),
    descriptors: readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return []; // the folder's own
      }
    }),
  };
}

export const {
  describeSelf,
  exitWith,
  fail,
  failLate,
  forEver,
  measure,
  addUp,
  nest,
  orphan,
  tellStartMethod,
  keys,
  parentLater,
  startOne,
} = importable(import.meta, {
  describeSelf: (reply: Connection<Self>) => reply.sendSync(self()),
  exitWith: (code: number) => process.exit(code),
  fail: () => {
    throw new TypeError('on purpose');
  },
  failLate: async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new TypeError('late, on purpose');
  },
  forEver: () => new Promise(() => setInterval(() => {}, 1000)),
  measure: (bytes: Uint8Array, reply: Connection) => reply.sendSync([bytes.byteLength, bytes[bytes.length - 1]]),
  addUp: async (numbers: Queue<number>, sum: Queue<number>) => {
    let total = 0;
    for await (const number of numbers) total += number;
    await sum.put(total);
  },
  nest: async (depth: number, reply: Connection<string[]>, names: string[] = []) => {
    const path = [...names, currentProcess().name];
    if (depth === 0) {
      await reply.send(path);
      return;
    }
    const child = await new Process({ target: nest, args: [depth - 1, reply, path] }).start();
    reply.close();
    await child.join();
    process.exitCode = child.exitCode ?? 99;
    child.close();
  },
  tellStartMethod: () => console.log(getStartMethod()),
  /** The authentication keys of this process and of those that it starts, `depth` deep. */
  keys: async (depth: number, reply: Connection<string[]>, found: string[] = []) => {
    const all = [...found, Buffer.from(currentProcess().authKey).toString('hex')];
    if (depth === 0) {
      await reply.send(all);
      return;
    }
    const child = await new Process({ target: keys, args: [depth - 1, reply, all] }).start();
    await child.join();
    child.close();
  },
  /** Waits for a word, starts a child of its own, and tells how that one ended. */
  parentLater: async (gate: Connection<string>, reply: Connection<string | number | undefined>) => {
    await reply.send('ready');
    await gate.recv();
    const child = await new Process({ target: exitWith, args: [7], startMethod: 'forkserver' }).start();
    await child.join();
    await reply.send(child.exitCode);
  },
  startOne: async () => {
    const child = await new Process({ target: exitWith, args: [3] }).start();
    await child.join();
  },
  /** Starts a daemon, tells its pid, and waits to be killed. */
  orphan: async (reply: Connection<number>) => {
    const daemon = await new Process({ target: forEver, daemon: true }).start();
    await reply.send(daemon.pid ?? -1);
    await forEver();
  },
});

export class Greeter extends Process {
  greeting = 'hello';
  readonly #reply: string;
  readonly whom: string;
  readonly reply: Connection<string>;
  constructor(whom: string, reply: Connection<string>) {
    super({ name: 'greeter' });
    this.whom = whom;
    this.reply = reply;
    this.#reply = 'stays here';
  }
  get stays(): string {
    return this.#reply;
  }
  override run(): void {
    this.reply.sendSync(`${this.greeting} ${this.whom}, said ${currentProcess().name}`);
  }
}
importable(import.meta, { Greeter });

export default (reply: Connection<string>): void => reply.sendSync('the default export');
