/** Errors on their way to another process: by their class where that knows it, else as what they were. */

import { inspect } from 'node:util';
import { RemoteError } from '../errors.js';
import { nearestErrorClass } from './error_classes.js';

/** What Node calls the class of its TypeErrors and RangeErrors that have a code: they arrive as what they extend. */
const NODES_OWN = 'NodeError';

/** What was thrown as an Error that can travel: of its own class if every process knows that, else a RemoteError with its stack. */
export function travelling(thrown: unknown): Error {
  if (thrown instanceof DOMException) return thrown;
  if (!(thrown instanceof Error)) return new RemoteError(`thrown: ${describe(thrown)}`);
  const className = thrown.constructor?.name;
  if (className === nearestErrorClass(thrown) || className === NODES_OWN) return thrown;
  const { message: _message, name: _name, stack: _stack, code: _code, ...rest } = thrown as NodeJS.ErrnoException;
  const remote = Object.assign(new RemoteError(`${thrown.name}: ${thrown.message}`), rest);
  if (thrown.cause !== undefined) remote.cause = thrown.cause;
  if (thrown.stack !== undefined) remote.stack = thrown.stack;
  return remote;
}

/** What is left of an error that has something in it which can't travel: its text. */
export function bareTravelling(thrown: unknown): RemoteError {
  const remote = new RemoteError(textOf(thrown));
  try {
    remote.stack = String((thrown as Error).stack ?? remote.stack);
  } catch {
    // A getter of its own threw.
  }
  return remote;
}

function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `thrown: ${describe(thrown)}`;
  } catch {
    return 'an error that can not be described';
  }
}

function describe(value: unknown): string {
  try {
    return inspect(value);
  } catch {
    return 'a value that can not be described';
  }
}
