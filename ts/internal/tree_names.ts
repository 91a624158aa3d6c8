/**
 * The names in /dev/shm that go with this tree of processes. They are written down in a registry (native/ipc) that every
 * process of the tree inherits; a tracker, a small program outside the tree, waits for the end of its last process and
 * then removes what is left, however they have ended.
 */

import { native, trackerProgram } from '../native/load.js';
import type { NameRegistryObject } from '../native/name_registry.js';
import { builtin } from './builtins.js';
import { isMainThread } from './main_thread.js';

/** Tells a fresh process of the tree the number of its descriptor, and the registry's file. */
const VARIABLE = 'MP_TREE_NAMES';

class TreeNames {
  readonly registry: NameRegistryObject;
  readonly file: string;
  readonly #slots: Map<string, number> = new Map();

  constructor() {
    const inherited = /^(\d+):(\/.+)$/.exec(process.env[VARIABLE] ?? '');
    delete process.env[VARIABLE]; // other programs that this process starts are no part of the tree
    this.file = inherited?.[2] ?? `/mp-names-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
    this.registry = new native.NameRegistry(inherited === null ? undefined : Number(inherited[1]));
  }

  add(file: string, inode: number): void {
    if (!this.registry.isTracked()) this.#startTracker();
    this.#slots.set(file, this.registry.add(file, inode));
  }

  remove(file: string, inode: number): void {
    this.registry.remove(file, inode, this.#slots.get(file));
    this.#slots.delete(file);
  }

  /** For the tree's first name, or because somebody has killed the tracker. */
  #startTracker(): void {
    try {
      this.registry.publish(this.file);
    } catch (error) {
      // Another process of the tree was first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const failure = runTracker('track', this.file);
    if (failure !== undefined) {
      process.emitWarning(`${failure}: names in /dev/shm may stay after the end of this program`, {
        code: 'MP_NO_TRACKER',
      });
    }
  }
}

function runTracker(...words: string[]): string | undefined {
  const program = trackerProgram();
  if (program === undefined) return 'the tracker program is missing';
  try {
    const exitCode = native.runDetached(program, ...words);
    return exitCode === 0 ? undefined : `the tracker ended with ${exitCode}`;
  } catch (error) {
    return `the tracker could not be started (${(error as Error).message})`;
  }
}

function open(): TreeNames | undefined {
  try {
    return new TreeNames();
  } catch {
    return undefined; // whoever needs it will be told why
  }
}

/** From the start, so that this process and its children are one tree. */
let names: TreeNames | undefined = isMainThread ? open() : undefined;

function treeNames(): TreeNames {
  names ??= new TreeNames();
  return names;
}

/** What makes a fresh process part of this tree: a descriptor, there to be number `fd`, and the variable that tells it. */
export function inheritableNames(fd: number): { fd: number; environment: Record<string, string> } | undefined {
  if (names === undefined) return undefined;
  return { fd: names.registry.fd(), environment: { [VARIABLE]: `${fd}:${names.file}` } };
}

/**
 * The name is removed at the end of this tree of processes, if it still stands for the same object by then. `file` is a
 * memory object as shm_open(3) names it. Best before the object gets the name.
 */
export function removeAtExit(file: string, inode: number): void {
  treeNames().add(file, inode);
}

/** The object's name has been removed, or shall stay. Not before it has: who is killed in between would leave it. */
export function keepAtExit(file: string, inode: number): void {
  treeNames().remove(file, inode);
}

/** The paths that trees have left which have ended, and whose tracker was killed too; with `remove` they are removed. */
export function leftovers({ remove }: { remove: boolean }): string[] {
  const program = trackerProgram();
  if (program === undefined) throw new Error('the tracker program is missing');
  const { stdout, error, status } = builtin
    .childProcess()
    .spawnSync(program, [remove ? 'clean' : 'list'], { encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw error ?? new Error(`the tracker ended with ${status}`);
  return stdout.split('\n').filter((line) => line !== '');
}
