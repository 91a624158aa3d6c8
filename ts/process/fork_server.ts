/**
 * Start method 'forkserver', the client's side: one warm Node per program forks all its processes. It is started when it is first
 * needed, again when it has died, and ends when this program has ended: its connection tells.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Connection } from '../connection/connection.js';
import { Pipe } from '../connection/pipe.js';
import { EndOfFileError, ProcessError, TargetError } from '../errors.js';
import { perProcess } from '../internal/per_process.js';
import { invalidArgType } from '../internal/validate.js';
import type { Newborn } from './birth.js';
import { ChildHandle } from './child_handle.js';
import { startFreshNode } from './fresh_node.js';
import { OpenFile } from './open_file.js';

const PROGRAM = new URL('./fork_server_main.js', import.meta.url);

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
 * Modules that the fork server imports when it starts, so that no child has to: a URL, a file's path, or the name of a package
 * as the working directory sees it. What they start (timers, sockets) is the server's and does not run in children; a
 * Worker would keep it from forking. Takes effect at the server's next start. Doesn't block.
 *
 * Python: `set_forkserver_preload`.
 * @throws ERR_INVALID_ARG_TYPE; ERR_MP_TARGET for a module that is not there.
 */
export function setForkserverPreload(modules: readonly (string | URL)[]): void {
  if (!Array.isArray(modules)) throw invalidArgType('modules', 'an array of strings and URLs', modules);
  preload = modules.map(urlOf);
}

function urlOf(module: unknown): string {
  if (module instanceof URL) return module.href;
  if (typeof module !== 'string') throw invalidArgType('modules', 'an array of strings and URLs', module);
  if (/^[a-z][a-z0-9+.-]+:/i.test(module)) return module;
  if (existsSync(module)) return pathToFileURL(resolve(module)).href;
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'preload.js')).resolve(module)).href;
  } catch (cause) {
    throw new TargetError(`the module '${module}' to be preloaded is not there`, { cause });
  }
}

class ForkServer {
  readonly #node: ChildHandle;
  readonly #connection: Connection;

  constructor() {
    const { pid, pidfd, connection } = startFreshNode(PROGRAM);
    this.#node = new ChildHandle(pid, pidfd);
    this.#connection = connection;
    const introduction: Introduction = { client: process.pid, preload };
    connection.sendSync(introduction);
    // Reaped when it ends; it does not keep this program alive.
    void this.#node.join(Number.POSITIVE_INFINITY, undefined, false);
  }

  get isAlive(): boolean {
    return this.#node.poll() === undefined;
  }

  /** Both ends' descriptors are the server's from here on. */
  ask(request: ForkRequest): void {
    try {
      this.#connection.sendSync(request);
    } finally {
      request.feed.close();
      request.report.close();
    }
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

function running(): ForkServer {
  if (server.value?.isAlive === false) {
    server.value.abandon();
    server.value = undefined;
  }
  server.value ??= new ForkServer();
  return server.value;
}

/** Resolves once the child has been told all. */
export async function serveProcess(newborn: Newborn): Promise<ChildHandle> {
  const { feed, report } = request();
  try {
    const child = childOf(await report.recv(), report);
    await feed.send(newborn.birth);
    await feed.send(newborn.load);
    return child;
  } catch (error) {
    report.close();
    throw lostBy(newborn, error);
  } finally {
    feed.close();
  }
}

/** The same, blocking. */
export function serveProcessSync(newborn: Newborn): ChildHandle {
  const { feed, report } = request();
  try {
    const child = childOf(report.recvSync(), report);
    feed.sendSync(newborn.birth);
    feed.sendSync(newborn.load);
    return child;
  } catch (error) {
    report.close();
    throw lostBy(newborn, error);
  } finally {
    feed.close();
  }
}

/** Our ends. */
function request(): ForkRequest {
  const [feed, theirFeed] = Pipe();
  const [report, theirReport] = Pipe();
  try {
    running().ask({ feed: theirFeed, report: theirReport });
    return { feed, report };
  } catch (error) {
    for (const end of [feed, report, theirFeed, theirReport]) end.close();
    throw error;
  }
}

function childOf(answer: unknown, report: Connection): ChildHandle {
  const found = answer as Answer;
  if ('error' in found) throw found.error;
  return new ChildHandle(found.pid, found.pidfd.fd, report);
}

function lostBy({ birth }: Newborn, error: unknown): unknown {
  const lost = error instanceof EndOfFileError || (error as NodeJS.ErrnoException).code === 'EPIPE';
  if (!lost) return error;
  return new ProcessError(`${birth.name} was lost before it had its arguments: it or the fork server has ended`, {
    cause: error,
  });
}
