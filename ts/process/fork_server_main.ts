/** The program of the fork server: imports the preload modules once, then forks a child for each request. */

import { inspect } from 'node:util';
import { Connection } from '../connection/connection.js';
import { EndOfFileError } from '../errors.js';
import { forkAtCleanPoint } from '../fork/launch.js';
import { forkSupport } from '../fork/support.js';
import { builtin } from '../internal/builtins.js';
import { native } from '../native/load.js';
import { ChildHandle } from './child_handle.js';
import type { Answer, ForkRequest, Introduction } from './fork_server.js';
import { CONNECTION } from './fresh_node.js';
import { log } from './log.js';
import { beBorn, rehearseBirth } from './newborn.js';
import { OpenFile } from './open_file.js';
import { ParentProcess } from './parent.js';
import { tree } from './tree.js';

/** To who reads the log. */
const NAME = 'fork server';

/** Whatever has come over a connection and is open. A child closes all but its own. */
const open = new Set<Connection>();

function take(connection: Connection): Connection {
  open.add(connection);
  return connection;
}

function giveBack(connection: Connection): void {
  open.delete(connection);
  connection.close();
}

async function serve({ feed, report }: ForkRequest): Promise<void> {
  take(feed);
  take(report);
  try {
    const child = await forkChild(feed);
    log(() => `forked pid ${child.pid}`, NAME);
    giveBack(feed);
    const answer: Answer = { pid: child.pid, pidfd: new OpenFile(child.pidfd) };
    await report.send(answer);
    await child.join(Number.POSITIVE_INFINITY);
    await report.send(child.poll());
    child.close();
  } catch (error) {
    // Nobody may be listening any more.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') await report.send({ error }).catch(() => {});
  } finally {
    giveBack(report);
    if (open.has(feed)) giveBack(feed);
  }
}

async function forkChild(feed: Connection): Promise<ChildHandle> {
  const server = process.pid;
  const live = (): void => {
    // By their numbers: nobody uses the objects here, and writing to them would copy their pages.
    for (const connection of open) if (connection !== feed) native.closeFd(connection.fd);
    void beBorn(feed, server).catch(() => process.exit(1)); // who asked for it is gone
  };
  const { pid, pidfd } = await forkAtCleanPoint({ parentDeathSignal: 0, main: live });
  return new ChildHandle(pid, pidfd);
}

async function importAll(modules: readonly string[]): Promise<void> {
  for (const module of modules) {
    try {
      log(() => `imports ${module}`, NAME);
      await import(module);
    } catch (error) {
      process.stderr.write(`The fork server could not preload ${module}:\n${inspect(error)}\n`);
    }
  }
}

export async function main(): Promise<void> {
  // Ctrl-C in the terminal is meant for the program, which ends its children and thereby this server.
  process.on('SIGINT', () => {});
  const requests = take(new Connection(CONNECTION));
  const { client, preload } = (await requests.recv()) as Introduction;
  tree.parent = new ParentProcess(client, '');
  tree.bootstrapping = true;
  // What a child may want should be here already: modules of Node's, too.
  for (const load of Object.values(builtin)) load();
  await importAll(preload);
  if (forkSupport().supported) await rehearseBirth();
  try {
    for (;;) void serve((await requests.recv()) as ForkRequest);
  } catch (error) {
    if (!(error instanceof EndOfFileError)) throw error;
    process.exit();
  }
}
