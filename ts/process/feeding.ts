/** A fresh process is fed: told who it is and what it works on, through a connection that nobody else reads. */

import type { Connection } from '../connection/connection.js';
import { socketPipe } from '../connection/pipe.js';
import { EndOfFileError, ProcessError } from '../errors.js';
import { SIGKILL } from '../internal/signal_numbers.js';
import { GO, type Newborn } from './birth.js';
import type { ChildHandle } from './child_handle.js';

/** The child was never heard of: who was to begin it has ended. */
export class LostAtBirth extends ProcessError {
  override get name(): string {
    return 'ProcessError';
  }
}

/** Begins the process that reads the other end. */
export type Begin<Child> = (theirs: Connection) => Child;

/** Resolves once the child has been told all: arguments of any size travel while it comes up. */
export async function feed(newborn: Newborn, begin: Begin<Promise<ChildHandle>>): Promise<ChildHandle> {
  const [ours, theirs] = socketPipe();
  let child: ChildHandle | undefined;
  try {
    const sent = Promise.all([ours.send(newborn.birth), ours.send(newborn.load)]);
    await Promise.race([sent, Promise.resolve()]); // what can't travel is refused before anything is started
    child = await begin(theirs);
    theirs.close();
    await sent;
    await ours.send(GO);
    return child;
  } catch (error) {
    child?.signal(SIGKILL);
    await child?.join(Number.POSITIVE_INFINITY);
    throw stillborn(newborn, child, error);
  } finally {
    ours.close();
    theirs.close();
  }
}

/** The same, blocking: the child is there first, for somebody has to read what is sent. */
export function feedSync(newborn: Newborn, begin: Begin<ChildHandle>): ChildHandle {
  const [ours, theirs] = socketPipe();
  let child: ChildHandle | undefined;
  try {
    child = begin(theirs);
    theirs.close();
    ours.sendSync(newborn.birth);
    ours.sendSync(newborn.load);
    ours.sendSync(GO);
    return child;
  } catch (error) {
    child?.signal(SIGKILL);
    child?.joinSync(Number.POSITIVE_INFINITY);
    throw stillborn(newborn, child, error);
  } finally {
    ours.close();
    theirs.close();
  }
}

/** What start() throws when the child is gone again before it was told all; gives back what it took. */
function stillborn({ birth }: Newborn, child: ChildHandle | undefined, error: unknown): unknown {
  const exitCode = child?.poll();
  child?.close();
  const isLost = error instanceof EndOfFileError || (error as NodeJS.ErrnoException).code === 'EPIPE';
  if (!isLost) return error;
  if (child === undefined) return new LostAtBirth(`${birth.name} was lost with the fork server`, { cause: error });
  return new ProcessError(`${birth.name} ended with ${exitCode} before it had its arguments`, { cause: error });
}
