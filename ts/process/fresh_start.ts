/** How a Process begins that is no copy of this process: what it is to be told, and who starts it. */

import { StartMethodError } from '../errors.js';
import { type Birth, environment, type Newborn } from './birth.js';
import type { ChildHandle } from './child_handle.js';
import { serveProcess, serveProcessSync } from './fork_server.js';
import { type Place, placeOf } from './importable.js';
import { log } from './log.js';
import { spawnProcess, spawnProcessSync } from './spawn.js';
import { chosenStartMethod, type StartMethod } from './start_method.js';
import type { ResolvedTarget } from './target.js';
import { nameOfThis, tree } from './tree.js';

/** The start methods that begin with a fresh process. */
export type FreshMethod = Exclude<StartMethod, 'fork'>;

/** Process, and what getContext() makes of it: a fresh process has them without being told where they are. */
const known = new WeakSet<object>();

export function knowToFreshProcesses(type: object): void {
  known.add(type);
}

/** What start() was called on. */
export interface Starter extends Pick<Birth, 'name' | 'path' | 'daemon' | 'authKey'> {
  readonly object: object & { readonly constructor: { readonly name: string } };
  readonly target: ResolvedTarget | undefined;
  readonly args: readonly unknown[] | undefined;
}

/** A process that can be started, in one of two ways. */
export interface FreshStart {
  /** Resolves once the process has been told all. */
  begin(): Promise<ChildHandle>;
  /** The same, blocking. */
  beginSync(): ChildHandle;
}

/**
 * Checks all that can be checked before anything is started. `orSpawn`: nobody has asked for the fork server by its name.
 * @throws ERR_MP_TARGET for what a fresh process can't find
 */
export function freshStart(method: FreshMethod, starter: Starter, orSpawn: boolean): FreshStart {
  const newborn = newbornOf(method, starter);
  const spawned = { begin: () => spawnProcess(newborn), beginSync: () => spawnProcessSync(newborn) };
  if (method === 'spawn') return spawned;
  return {
    begin: () => serveProcess(newborn).catch((error) => whereItCanNotFork(error, orSpawn).begin()),
    beginSync() {
      try {
        return serveProcessSync(newborn);
      } catch (error) {
        return whereItCanNotFork(error, orSpawn).beginSync();
      }
    },
  };

  /** The options of this node may forbid the server to fork, too: a loader that runs in a thread does (tsx on Node 20). */
  function whereItCanNotFork(error: unknown, mayWeSpawn: boolean): FreshStart {
    if (!mayWeSpawn || !(error instanceof StartMethodError) || error.cause !== undefined) throw error;
    log(() => `spawns ${starter.name}: ${error.message}`);
    return spawned;
  }
}

/** What its process is to be told. */
function newbornOf(method: FreshMethod, { object, target, args, ...who }: Starter): Newborn {
  const place: Place | undefined = typeof target === 'function' ? placeOf(target, method) : target;
  const birth: Birth = {
    ...who,
    insideDaemon: who.daemon || tree.insideDaemon,
    startMethod: chosenStartMethod(),
    creator: process.pid,
    creatorName: nameOfThis(),
    argv: process.argv,
    environment: environment(),
    directory: process.cwd(),
    type: known.has(object.constructor) ? undefined : placeOf(object.constructor, method),
    target: place,
  };
  return { birth, load: { args: args ?? [], properties: Object.fromEntries(Object.entries(object)) } };
}
