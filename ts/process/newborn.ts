/** In a fresh process, spawned or forked by the fork server: from the first message to the Process that it is. */

import { constants } from 'node:os';
import type { Connection } from '../connection/connection.js';
import { EndOfFileError } from '../errors.js';
import { native } from '../native/load.js';
import type { Birth, Load } from './birth.js';
import { runChild } from './child_life.js';
import { findAt } from './importable.js';
import { ParentProcess } from './parent.js';
import { Process } from './process.js';
import { inheritStartMethod } from './start_method.js';
import { tree } from './tree.js';

const { SIGKILL } = constants.signals;

/** Resolves when the Process lives. The connection brings a Birth, a Load and a word to go; `parent`: the kernel's, for a daemon's end. */
export async function beBorn(connection: Connection, parent: number): Promise<void> {
  const birth = (await connection.recv()) as Birth;
  takePlace(birth, parent);
  runChild(birth.name, async () => {
    // Modules first: they may register how their classes travel.
    const type = birth.type === undefined ? Process : ((await findAt(birth.type)) as unknown as typeof Process);
    const target = birth.target === undefined ? undefined : await findAt(birth.target);
    const load = await loadFrom(connection);
    connection.close();
    tree.bootstrapping = false;
    const self = Process.revive(type, birth, target, load);
    tree.self = self;
    await self.run();
  });
}

/** Without one there is nobody any more who wants this process, or would hear of its fault. */
async function loadFrom(connection: Connection): Promise<Load> {
  try {
    const load = (await connection.recv()) as Load;
    await connection.recv(); // the word that somebody waits for this process
    return load;
  } catch (error) {
    if (error instanceof EndOfFileError) process.exit(1);
    throw error;
  }
}

function takePlace(birth: Birth, parent: number): void {
  if (birth.insideDaemon) dieWith(parent);
  process.chdir(birth.directory);
  takeEnvironment(birth.environment);
  tree.path = birth.path;
  tree.insideDaemon = birth.insideDaemon;
  tree.authKey = birth.authKey;
  // Until its module is there; who asks meanwhile is told the right name.
  tree.self = Process.revive(Process, birth, undefined, { args: [], properties: {} });
  tree.bootstrapping = true;
  // Opened now: whoever calls start() is still waiting for us.
  tree.parent = new ParentProcess(birth.creator, birth.creatorName, native.pidfdOpen(birth.creator));
  inheritStartMethod(birth.startMethod);
  process.argv = [...birth.argv];
}

function takeEnvironment(wanted: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name];
  for (const [name, value] of Object.entries(wanted)) if (process.env[name] !== value) process.env[name] = value;
}

/** A daemon ends with whoever is its parent to the kernel: its creator, or the fork server, which ends with that one. */
function dieWith(parent: number): void {
  native.setParentDeathSignal(SIGKILL);
  if (native.getppid() !== parent) native.exit(128 + SIGKILL);
}
