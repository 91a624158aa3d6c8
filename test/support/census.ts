/**
 * A mocha root hook: each top-level `describe` must leave the process as it found it. What one of them leaves behind
 * (descriptors, children, zombies, names of kernel objects) fails its last hook, by name.
 */

import { execFile } from 'node:child_process';
import { readdirSync, statSync, watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Context } from 'mocha';
import { childrenOf, descriptorsOf } from './processes.js';

/** What this process holds; each entry in words, e.g. `descriptor 23: pipe:[4711]`. */
export type Census = ReadonlySet<string>;

/** Milliseconds that closing may take: libuv closes in its next turn, the kernel ends children when it gets to it. */
const GRACE = 10_000;

/**
 * False for a name that another process, still alive, made: other runs on this machine are none of our business. This
 * process's registry of names stays until its end.
 */
function isOurs(name: string): boolean {
  if (name.startsWith(`mp-names-${process.pid}-`)) return false;
  const owner = /^(?:sem\.)?mp-(?:[a-z]+-)?(\d+)(?:-|$)/.exec(name)?.[1];
  if (owner === undefined || Number(owner) === process.pid) return true;
  try {
    process.kill(Number(owner), 0);
    return false;
  } catch {
    return true;
  }
}

/** Tests of what is not there any more: tsc compiles them, and not what they test. */
function refuseOutdatedBundle(): void {
  const made = statSync(new URL('../../../dist/library.cjs', import.meta.url)).mtimeMs;
  const sources = new URL('../../../ts/', import.meta.url);
  for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || statSync(new URL(file, sources)).mtimeMs <= made) continue;
    throw new Error(`dist/library.cjs is older than ts/${file}: node scripts/setup.mjs`);
  }
}
refuseOutdatedBundle();

/** Names that were there before this run: whoever's they are, they are not ours. */
const earlier: ReadonlySet<string> = new Set(readdirSync('/dev/shm'));

/** Counts now. */
export function takeCensus(): Census {
  const descriptors = [...descriptorsOf('self')]
    // The descriptor that lists this very folder is in the list and gone after.
    .filter(([, refersTo]) => refersTo !== `/proc/${process.pid}/fd`)
    .map(([number, refersTo]) => `descriptor ${number}: ${refersTo}`);
  const children = childrenOf(process.pid).map(({ pid, name, state }) => `child ${pid} (${name}), state ${state}`);
  const names = readdirSync('/dev/shm')
    .filter((name) => !earlier.has(name) && isOurs(name))
    .map((name) => `/dev/shm/${name}`);
  return new Set([...descriptors, ...children, ...names]);
}

/** Two descriptors of one kind stand for each other: what is closed and opened again got another inode. */
function kindOf(entry: string): string {
  return entry.replace(/^descriptor \d+: /, '').replaceAll(/\d+/g, '');
}

function countByKind(census: Census): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of census) counts.set(kindOf(entry), (counts.get(kindOf(entry)) ?? 0) + 1);
  return counts;
}

/** What `after` holds beyond `before`. */
export function growth(before: Census, after: Census): string[] {
  const counts = countByKind(before);
  const grown = new Set(
    [...countByKind(after)].filter(([kind, count]) => count > (counts.get(kind) ?? 0)).map(([kind]) => kind),
  );
  return [...after].filter((entry) => !before.has(entry) && grown.has(kindOf(entry)));
}

/** Resolves with the new census once nothing has grown; rejects with what has after some seconds. */
export async function expectNoGrowth(before: Census, grace: number = GRACE): Promise<Census> {
  const deadline = performance.now() + grace;
  for (;;) {
    const now = takeCensus();
    const left = growth(before, now);
    if (left.length === 0) return now;
    if (performance.now() > deadline) throw new Error(`left behind:\n${left.map((entry) => `  ${entry}`).join('\n')}`);
    await delay(10);
  }
}

let last: Census = new Set();

async function checkSuite(this: Context): Promise<void> {
  this.timeout(3 * GRACE);
  try {
    last = await expectNoGrowth(last);
  } catch (error) {
    last = takeCensus(); // so that one leak is reported once
    throw error;
  }
}

export const mochaHooks = {
  async beforeAll(this: Context): Promise<void> {
    // What Node opens once for good: /dev/null for its first child, an inotify descriptor for its first watcher.
    await promisify(execFile)('true');
    watch('/').close();
    last = takeCensus();
    // All files are loaded, so this hook comes after every other one of its suite.
    for (const suite of this.test?.parent?.suites ?? []) suite.afterAll('leaves nothing behind', checkSuite);
  },
};
