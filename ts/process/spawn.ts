/** Start method 'spawn': a fresh Node that is told what to run. */

import { ProcessError } from '../errors.js';
import { native } from '../native/load.js';
import type { Newborn } from './birth.js';
import { ChildHandle } from './child_handle.js';
import { type FreshNode, startFreshNode } from './fresh_node.js';

const PROGRAM = new URL('./fresh_main.js', import.meta.url);
const SIGKILL = 9;

/** Resolves once the child has been told all: arguments of any size travel while it comes up. */
export async function spawnProcess({ birth, load }: Newborn): Promise<ChildHandle> {
  const fresh = startFreshNode(PROGRAM);
  return feeding(fresh, birth.name, async () => {
    await fresh.connection.send(birth);
    await fresh.connection.send(load);
  });
}

/** The same, blocking. */
export function spawnProcessSync({ birth, load }: Newborn): ChildHandle {
  const fresh = startFreshNode(PROGRAM);
  const child = new ChildHandle(fresh.pid, fresh.pidfd);
  try {
    fresh.connection.sendSync(birth);
    fresh.connection.sendSync(load);
    return child;
  } catch (error) {
    native.pidfdSendSignal(child.pidfd, SIGKILL);
    child.joinSync(Number.POSITIVE_INFINITY);
    throw stillborn(birth.name, child, error);
  } finally {
    fresh.connection.close();
  }
}

async function feeding(fresh: FreshNode, name: string, feed: () => Promise<void>): Promise<ChildHandle> {
  const child = new ChildHandle(fresh.pid, fresh.pidfd);
  try {
    await feed();
    return child;
  } catch (error) {
    child.signal(SIGKILL);
    await child.join(Number.POSITIVE_INFINITY);
    throw stillborn(name, child, error);
  } finally {
    fresh.connection.close();
  }
}

/** What start() throws when the child is gone again before it was told all; gives back what it took. */
function stillborn(name: string, child: ChildHandle, error: unknown): unknown {
  const exitCode = child.poll();
  child.close();
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return error;
  return new ProcessError(`${name} ended with ${exitCode} before it had its arguments`, { cause: error });
}
