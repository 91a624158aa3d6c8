/** Who am I: currentProcess, parentProcess, activeChildren, isMainProcess. */

import { ProcessError } from '../errors.js';
import type { ParentProcess } from './parent.js';
import { Process } from './process.js';
import { MAIN_PROCESS, tree } from './tree.js';

/** The process that the user started: nobody started it through this library. */
class MainProcess extends Process {
  constructor() {
    super({ name: MAIN_PROCESS, daemon: false });
  }
  override get pid(): number {
    return process.pid;
  }
  override isAlive(): boolean {
    return true;
  }
  override async start(): Promise<this> {
    throw new ProcessError(`${MAIN_PROCESS} runs already`);
  }
  override startSync(): this {
    throw new ProcessError(`${MAIN_PROCESS} runs already`);
  }
  override close(): void {}
  override get authKey(): Uint8Array {
    return super.authKey;
  }
  /** Processes that are made from now on inherit it. */
  override set authKey(key: Uint8Array) {
    super.authKey = key;
    tree.authKey = super.authKey;
  }
}

let mainProcess: Process | undefined;

/**
 * The Process object of the caller. Its pid is its own, it is alive, and it can't be joined. Doesn't block. Never throws.
 * Python: `multiprocessing.current_process`
 */
export function currentProcess(): Process {
  if (tree.self !== undefined) return tree.self;
  mainProcess ??= tree.unnumbered(() => new MainProcess());
  return mainProcess;
}

/**
 * The process that started this one; undefined in the main process. Doesn't block. Never throws.
 * Python: `multiprocessing.parent_process`
 */
export function parentProcess(): Pick<ParentProcess, 'pid' | 'name' | 'isAlive' | 'join' | 'joinSync'> | undefined {
  return tree.parent;
}

/**
 * The living children of this process; ended ones are reaped. Doesn't block. Never throws.
 * Python: `multiprocessing.active_children`
 */
export function activeChildren(): Process[] {
  return [...tree.children].filter((child) => child.isAlive());
}

/**
 * True in the process that the user started, false in every child. Doesn't block. Never throws.
 * Python: `__name__ == '__main__'`
 */
export function isMainProcess(): boolean {
  return tree.self === undefined && tree.parent === undefined;
}
