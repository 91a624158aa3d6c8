/** In a fresh process, spawned or forked by the fork server: from the first message to the Process that it is. */

import type { Connection } from '../connection/connection.js';
import { socketPipe } from '../connection/pipe.js';
import { EndOfFileError } from '../errors.js';
import { SIGKILL } from '../internal/signal_numbers.js';
import { native, packageFile } from '../native/load.js';
import { type Birth, environment, GO, type Load } from './birth.js';
import { type Life, rehearseLife, runChild } from './child_life.js';
import { findAt } from './importable.js';
import { ParentProcess } from './parent.js';
import { Process } from './process.js';
import { chosenStartMethod, inheritStartMethod } from './start_method.js';
import { Tree, tree } from './tree.js';

/**
 * Resolves when the Process lives. The connection brings a Birth, a Load and a word to go; `parent`: the kernel's, for a
 * daemon's end. In a rehearsal a double of the tree takes part, and a life that ends nothing.
 */
export async function beBorn(
  connection: Connection,
  parent: number,
  place: Tree = tree,
  life: Life = runChild,
): Promise<void> {
  // Blocks, as there is nothing else to do here; the Load may bring a FileHandle, which takes the event loop.
  const birth = connection.recvSync() as Birth;
  takePlace(birth, parent, place);
  life(birth.name, async () => {
    // Modules first: they may register how their classes travel.
    const type = birth.type === undefined ? Process : ((await findAt(birth.type)) as unknown as typeof Process);
    const target = birth.target === undefined ? undefined : await findAt(birth.target);
    const load = await loadFrom(connection);
    connection.close();
    place.bootstrapping = false;
    const self = Process.revive(type, birth, target, load);
    place.self = self;
    await self.run();
  });
}

/**
 * In the fork server: one birth as its children will have theirs, for V8 to compile what that takes; see rehearse() in
 * ts/fork/child.ts. What it sets is as it was. Resolves when it is over.
 */
export async function rehearseBirth(): Promise<void> {
  const birth: Birth = {
    name: 'rehearsal',
    path: '',
    daemon: false,
    insideDaemon: false,
    authKey: Buffer.alloc(32),
    startMethod: chosenStartMethod(),
    creator: process.pid,
    creatorName: '',
    argv: process.argv,
    environment: environment(),
    directory: process.cwd(),
    type: undefined,
    target: { module: packageFile('index.js').href, exportName: 'isMainProcess' },
  };
  const load: Load = { args: [], properties: {} };
  const [ours, theirs] = socketPipe();
  const place = new Tree();
  try {
    for (const message of [birth, load, GO]) await ours.send(message);
    await new Promise<void>((resolve, reject) => {
      const live: Life = (name, body) =>
        rehearseLife(name, async () => {
          await body();
          resolve();
        });
      beBorn(theirs, process.ppid, place, live).catch(reject);
    });
  } finally {
    ours.close();
    theirs.close();
    place.startAnew();
  }
}

/** Without one there is nobody any more who wants this process, or would hear of its fault. */
async function loadFrom(connection: Connection): Promise<Load> {
  try {
    const load = (await connection.recv()) as Load;
    connection.recvSync(); // the word that somebody waits for this process
    return load;
  } catch (error) {
    if (error instanceof EndOfFileError) process.exit(1);
    throw error;
  }
}

function takePlace(birth: Birth, parent: number, place: Tree): void {
  if (birth.insideDaemon) dieWith(parent);
  process.chdir(birth.directory);
  takeEnvironment(birth.environment);
  place.path = birth.path;
  place.insideDaemon = birth.insideDaemon;
  place.authKey = birth.authKey;
  // Until its module is there; who asks meanwhile is told the right name.
  place.self = Process.revive(Process, birth, undefined, { args: [], properties: {} });
  place.bootstrapping = true;
  // Opened now: whoever calls start() is still waiting for us.
  place.parent = new ParentProcess(birth.creator, birth.creatorName, native.pidfdOpen(birth.creator));
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
