/**
 * Start method 'forkserver', the client's side: one warm Node per program forks all its processes. It is started when it is first
 * needed, again when it has died, and ends when this program has ended: its connection tells.
 */

import type { Connection } from '../connection/connection.js';
import { socketPipe } from '../connection/pipe.js';
import { TargetError } from '../errors.js';
import { isMainThread } from '../internal/main_thread.js';
import { moduleUrl } from '../internal/module_url.js';
import { perProcess } from '../internal/per_process.js';
import { invalidArgType } from '../internal/validate.js';
import { packageFile } from '../native/load.js';
import type { Newborn } from './birth.js';
import { ChildHandle } from './child_handle.js';
import { feed, feedSync, LostAtBirth } from './feeding.js';
import { startFreshNode } from './fresh_node.js';
import { log } from './log.js';
import { fdOf, type OpenFile } from './open_file.js';

const PROGRAM = packageFile('fork_server_main.cjs');
/** The whole library: whatever module a child imports imports this. */
const LIBRARY = packageFile('index.js').href;

/** What the server is told first. */
export interface Introduction {
  readonly client: number;
  readonly preload: readonly string[];
}

/** Asks for one child: it is fed by the one connection, and its end is reported on the other. */
export interface ForkRequest {
  readonly feed: Connection;
  readonly report: Connection;
}

/** The first word on `report`; the last one is the exit code. */
export type Answer = { readonly pid: number; readonly pidfd: OpenFile } | { readonly error: Error };

let preload: readonly string[] = [];

/**
 * Modules that the fork server imports when it starts, so that no child has to: a URL, a file's path, or the name of a
 * package as the working directory sees it. What they start (timers, sockets) is the server's and does not run in
 * children; a Worker would keep it from forking. Takes effect at the server's next start. Doesn't block.
 *
 * Python: `multiprocessing.set_forkserver_preload`
 * @throws ERR_INVALID_ARG_TYPE; ERR_MP_TARGET: a module that is not there.
 */
export function setForkserverPreload(modules: readonly (string | URL)[]): void {
  if (!Array.isArray(modules)) throw invalidArgType('modules', 'an array of strings and URLs', modules);
  preload = modules.map(urlOf);
}

function urlOf(module: unknown): string {
  if (module instanceof URL) return module.href;
  if (typeof module !== 'string') throw invalidArgType('modules', 'an array of strings and URLs', module);
  try {
    return moduleUrl(module);
  } catch (cause) {
    throw new TargetError(`the module '${module}' to be preloaded is not there`, { cause });
  }
}

class ForkServer {
  readonly #node: ChildHandle;
  readonly #connection: Connection;

  constructor() {
    const [ours, theirs] = socketPipe();
    try {
      this.#node = startFreshNode(PROGRAM, theirs);
    } catch (error) {
      ours.close();
      throw error;
    } finally {
      theirs.close();
    }
    this.#connection = ours;
    log(() => `started the fork server, pid ${this.#node.pid}`);
    const introduction: Introduction = { client: process.pid, preload: [LIBRARY, ...preload] };
    ours.sendSync(introduction);
    // Reaped when it ends; it does not keep this program alive.
    void this.#node.join(Number.POSITIVE_INFINITY, undefined, false);
  }

  get isAlive(): boolean {
    return this.#node.poll() === undefined;
  }

  ask(request: ForkRequest): void {
    this.#connection.sendSync(request);
  }

  /** Ends it; its children go on. */
  async stop(): Promise<void> {
    this.#connection.close();
    await this.#node.join(Number.POSITIVE_INFINITY);
    this.#node.close();
  }

  stopSync(): void {
    this.#connection.close();
    this.#node.joinSync(Number.POSITIVE_INFINITY);
    this.#node.close();
  }

  /** Gives up what this process has of it. */
  abandon(): void {
    this.#connection.close();
    this.#node.close();
  }
}

/** A forked child has nothing to do with its parent's server. */
const server = perProcess<ForkServer | undefined>(
  () => undefined,
  (inherited) => {
    inherited?.abandon();
    return undefined;
  },
);

/** Python: `_forkserver._stop`, for tests, which count what is left behind. */
export async function stopForkServer(): Promise<void> {
  const stopped = server.value;
  server.value = undefined;
  await stopped?.stop();
}

function stopForkServerSync(): void {
  const stopped = server.value;
  server.value = undefined;
  stopped?.stopSync();
}

/** False when it was forgotten before. */
function forget(lost: ForkServer | undefined): boolean {
  if (server.value !== lost) return false;
  server.value = undefined;
  return true;
}

function running(): ForkServer {
  if (server.value?.isAlive === false) {
    log(() => 'the fork server has ended');
    server.value.abandon();
    server.value = undefined;
  }
  if (server.value === undefined) {
    server.value = new ForkServer();
    // A Worker's descriptors outlive it, and with this one's its server.
    if (!isMainThread) process.off('exit', stopForkServerSync).once('exit', stopForkServerSync);
  }
  return server.value;
}

/** Servers that may be lost one after the other before that is taken for their fault: what they preload may end them. */
const LOSSES = 5;

/** A server that is killed takes its time to end: what was asked of it meanwhile is asked of the next one. */
export async function serveProcess(newborn: Newborn): Promise<ChildHandle> {
  for (let losses = 1; ; losses++) {
    let asked: ForkServer | undefined;
    try {
      return await serve(newborn, () => (asked = running()));
    } catch (error) {
      if (!(error instanceof LostAtBirth) || losses === LOSSES) throw error;
      // Others may have noticed before, and have the next one already.
      if (forget(asked)) await asked?.stop();
    }
  }
}

function serve(newborn: Newborn, find: () => ForkServer): Promise<ChildHandle> {
  return feed(newborn, async (theirs) => {
    const report = ask(find(), theirs);
    try {
      return childFrom(await report.recv(), report);
    } catch (error) {
      report.close();
      throw error;
    }
  });
}

/** Blocks until the child has been told all. */
export function serveProcessSync(newborn: Newborn): ChildHandle {
  for (let losses = 1; ; losses++) {
    let asked: ForkServer | undefined;
    try {
      return serveSync(newborn, () => (asked = running()));
    } catch (error) {
      if (!(error instanceof LostAtBirth) || losses === LOSSES) throw error;
      if (forget(asked)) asked?.stopSync();
    }
  }
}

function serveSync(newborn: Newborn, find: () => ForkServer): ChildHandle {
  return feedSync(newborn, (theirs) => {
    const report = ask(find(), theirs);
    try {
      return childFrom(report.recvSync(), report);
    } catch (error) {
      report.close();
      throw error;
    }
  });
}

/** Our end of the connection on which the answer comes. */
function ask(asked: ForkServer, food: Connection): Connection {
  const [ours, theirs] = socketPipe();
  try {
    asked.ask({ feed: food, report: theirs });
    return ours;
  } catch (error) {
    ours.close();
    throw error;
  } finally {
    theirs.close();
  }
}

function childFrom(answer: unknown, report: Connection): ChildHandle {
  const found = answer as Answer;
  if ('error' in found) throw found.error;
  return new ChildHandle(found.pid, fdOf(found.pidfd), report);
}
