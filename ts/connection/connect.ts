/** connect(): a connection to a Listener. */

import { setTimeout as delay } from 'node:timers/promises';
import { AuthenticationError, EndOfFileError, MessageTooLongError, TimeoutError } from '../errors.js';
import { type Deadline, deadlineOf, millisecondsLeft, signalOf, type WaitOptions } from '../internal/deadline.js';
import { WRITABLE, whenReady } from '../internal/readiness.js';
import { native } from '../native/load.js';
import { type Address, authKeyOf, type Endpoint, endpointsOf, validateAddress } from './address.js';
import { authenticateListener } from './auth.js';
import { Connection } from './connection.js';

/** Milliseconds between two tries while a Unix listener's backlog is full: the kernel has no event for it. */
const RETRY = 5;

/**
 * Connects to a Listener of this machine or, over TCP, of another. With an `authKey` it resolves once both sides have
 * proved to each other that they have the same. The caller owns the connection.
 *
 * Python: `multiprocessing.connection.Client`, which can connect to this library's listeners
 * @throws ECONNREFUSED: nobody listens there; ENOENT: there is no such path; ENOTFOUND: no such host; ERR_MP_AUTH: the
 * keys differ, or only one side has one; ERR_MP_TIMEOUT; the signal's reason; ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE;
 * ERR_OUT_OF_RANGE.
 *
 * @example
 * using connection = await connect({ path: '/run/app/jobs' }, { authKey, timeout: 1000 });
 */
export async function connect(address: Address, options?: WaitOptions & { authKey?: Uint8Array }): Promise<Connection> {
  validateAddress(address);
  const authKey = authKeyOf(options);
  const deadline = deadlineOf(options);
  const signal = signalOf(options);
  signal?.throwIfAborted();
  const connection = await reach(await endpointsOf(address), deadline, signal);
  if (authKey === undefined) return connection;
  try {
    const timeout = deadline === Number.POSITIVE_INFINITY ? undefined : millisecondsLeft(deadline);
    await authenticateListener(connection, authKey, { timeout, signal });
    return connection;
  } catch (error) {
    connection.close();
    throw asAuthenticationError(error);
  }
}

async function reach(
  endpoints: readonly Endpoint[],
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  let refusal: unknown;
  for (const endpoint of endpoints) {
    try {
      return new Connection(await socketTo(endpoint, deadline, signal));
    } catch (error) {
      if (error instanceof TimeoutError || signal?.aborted === true) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

async function socketTo([where, port]: Endpoint, deadline: Deadline, signal: AbortSignal | undefined): Promise<number> {
  for (;;) {
    const connecting = native.connectTo(where, port);
    if (connecting?.established === true) return connecting.fd;
    if (connecting !== undefined) return finished(connecting.fd, deadline, signal);
    if (millisecondsLeft(deadline) === 0) throw tooLate();
    await delay(RETRY, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

async function finished(fd: number, deadline: Deadline, signal: AbortSignal | undefined): Promise<number> {
  try {
    if (!(await whenReady(fd, WRITABLE, deadline, signal))) throw tooLate();
    native.finishConnect(fd);
    return fd;
  } catch (error) {
    native.closeFd(fd);
    throw error;
  }
}

function tooLate(): Error {
  return new TimeoutError('no connection was made in time');
}

/** A listener that hangs up instead of a verdict, or whose first message is no challenge, has refused. */
function asAuthenticationError(error: unknown): unknown {
  const hungUp = error instanceof EndOfFileError || (error as NodeJS.ErrnoException).code === 'EPIPE';
  if (!hungUp && !(error instanceof MessageTooLongError)) return error;
  return new AuthenticationError(`the listener did not authenticate: ${(error as Error).message}`, { cause: error });
}
