/** Listener: connections from any process that knows the address, and the key if there is one. */

import { inspect } from 'node:util';
import { AuthenticationError, ClosedError, EndOfFileError, TimeoutError } from '../errors.js';
import { type Deadline, deadlineOf, signalOf, type WaitOptions } from '../internal/deadline.js';
import { READABLE, stopWaiting } from '../internal/readiness.js';
import { PENDING, RequestLine } from '../internal/request_line.js';
import { validateInteger, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import { type Address, authKeyOf, endpointsOf, validateAddress } from './address.js';
import { authenticateClient } from './auth.js';
import { Connection } from './connection.js';
import { listenAtPath, listenInPrivate } from './socket_file.js';

/** Connections that wait for accept(). */
const BACKLOG = 128;
const LARGEST_BACKLOG = 2 ** 31 - 1;
/** Milliseconds that a client may take to prove that it has the key. */
const HANDSHAKE = 10_000;

/** How a Listener listens. Python: the arguments of `Listener()`. */
export interface ListenOptions {
  /** The number of connections that may wait for accept(). Default 128. */
  backlog?: number;
  /** A key that both sides must have. Default: none, whoever reaches the address may connect. */
  authKey?: Uint8Array;
}

interface Open {
  readonly fd: number;
  readonly address: Address;
  readonly remove?: () => void;
}

type Arrival = { connection: Connection } | { error: unknown };

/**
 * Accepts connections at an address: a Unix socket by default, in a folder that only this user may enter. With an
 * `authKey` both sides prove to each other that they have it (HMAC; the key never travels, what follows is not
 * encrypted), several clients at a time: one that keeps silent does not hold up the others. Nothing of it blocks.
 *
 * The socket's file is removed by close() and at the end of the process; what a killed process has left is replaced by
 * the next listener at that path.
 *
 * Python: `multiprocessing.connection.Listener`, whose clients can connect
 *
 * @example
 * using listener = await Listener.listen({ path: '/run/app/jobs' }, { authKey });
 * const connection = await listener.accept();
 */
export class Listener {
  readonly #place: Open;
  readonly #authKey: Uint8Array | undefined;
  readonly #line: RequestLine;
  /** Who has proved to have the key, or failed to, and was not accepted yet. */
  readonly #arrived: Arrival[] = [];
  /** accept() calls that wait for one. */
  readonly #waiting: Set<(arrival: Arrival) => void> = new Set();
  readonly #handshakes: Set<Connection> = new Set();
  #pump: AbortController | undefined;
  #closed = false;

  private constructor(place: Open, authKey: Uint8Array | undefined) {
    this.#place = place;
    this.#authKey = authKey;
    this.#line = new RequestLine(place.fd, READABLE, this);
  }

  /**
   * Listens from when it resolves. Port 0 is any free one; `address` then tells which.
   *
   * Python: `Listener()`
   * @throws EADDRINUSE; EACCES; EADDRNOTAVAIL; ENOTFOUND; ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE; ERR_OUT_OF_RANGE.
   */
  static async listen(address?: Address, options?: ListenOptions): Promise<Listener> {
    if (address !== undefined) validateAddress(address);
    const authKey = authKeyOf(options);
    const backlog = options?.backlog ?? BACKLOG;
    validateInteger(backlog, 'options.backlog', 0, LARGEST_BACKLOG);
    return new Listener(await open(address, backlog), authKey);
  }

  /** Where it listens. Stays known after close(). Python: `Listener.address` */
  get address(): Address {
    return { ...this.#place.address };
  }

  /**
   * Resolves with the next connection; the caller owns it. An aborted or timed-out call loses none.
   *
   * Python: `Listener.accept`
   * @throws ERR_MP_AUTH: a client had another key, it is disconnected and accept() can be called again; ERR_MP_TIMEOUT;
   * ERR_MP_CLOSED; EMFILE; the signal's reason.
   */
  async accept(options?: WaitOptions): Promise<Connection> {
    this.#mustBeOpen();
    validateOptions(options, 'options');
    const deadline = deadlineOf(options);
    const signal = signalOf(options);
    if (this.#authKey === undefined) return this.#next(deadline, signal);
    return this.#nextTrusted(deadline, signal);
  }

  /**
   * Stops listening: calls that wait reject with ERR_MP_CLOSED, accepted connections go on. Idempotent. Never throws.
   * Python: `Listener.close`
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const reason = (): Error => new ClosedError('this listener was closed');
    this.#pump?.abort();
    this.#line.close(reason);
    for (const settle of [...this.#waiting]) settle({ error: reason() });
    for (const connection of this.#handshakes) connection.close();
    for (const arrival of this.#arrived) if ('connection' in arrival) arrival.connection.close();
    this.#arrived.length = 0;
    stopWaiting(this.#place.fd);
    this.#place.remove?.();
    native.closeFd(this.#place.fd);
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  static {
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: Listener): string {
      return this.#closed ? 'Listener { closed }' : `Listener ${inspect(this.address)}`;
    };
    Object.defineProperty(Listener.prototype, inspect.custom, { value, configurable: true, writable: true });
  }

  #next(deadline: Deadline, signal: AbortSignal | undefined): Promise<Connection> {
    const attempt = (): Connection | typeof PENDING => {
      const fd = native.accept(this.#place.fd);
      return fd === undefined ? PENDING : new Connection(fd);
    };
    return this.#line.run(attempt, { deadline, signal, expired });
  }

  #nextTrusted(deadline: Deadline, signal: AbortSignal | undefined): Promise<Connection> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const timeout = deadline - performance.now();
      const timer = Number.isFinite(timeout) || timeout < 0 ? setTimer(timeout) : undefined;
      const settle = (arrival: Arrival): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(settle);
        if (this.#waiting.size === 0) this.#pump?.abort();
        if ('connection' in arrival) resolve(arrival.connection);
        else reject(arrival.error);
      };
      const onAbort = (): void => settle({ error: signal?.reason });
      function setTimer(milliseconds: number): NodeJS.Timeout {
        const longest = 2 ** 31 - 1;
        return setTimeout(() => settle({ error: expired() }), Math.max(0, Math.min(Math.ceil(milliseconds), longest)));
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(settle);
      this.#deliver();
      if (this.#waiting.size > 0) void this.#acceptWhileWanted();
    });
  }

  #deliver(): void {
    for (const settle of [...this.#waiting]) {
      const arrival = this.#arrived.shift();
      if (arrival === undefined) return;
      settle(arrival);
    }
  }

  /** One loop at a time: takes connections for as long as somebody waits for one. */
  async #acceptWhileWanted(): Promise<void> {
    if (this.#pump !== undefined) return;
    while (this.#waiting.size > 0 && !this.#closed) {
      const pump = new AbortController();
      this.#pump = pump;
      try {
        void this.#greet(await this.#next(Number.POSITIVE_INFINITY, pump.signal));
      } catch (error) {
        if (!pump.signal.aborted && !this.#closed) this.#arrive({ error });
      }
    }
    this.#pump = undefined;
  }

  async #greet(connection: Connection): Promise<void> {
    this.#handshakes.add(connection);
    const limit = AbortSignal.timeout(HANDSHAKE);
    try {
      await authenticateClient(connection, this.#authKey as Uint8Array, { signal: limit });
      this.#arrive({ connection });
    } catch (error) {
      connection.close();
      // Who went away before it had proved anything has not been here.
      if (this.#closed || error instanceof EndOfFileError || (error as NodeJS.ErrnoException).code === 'EPIPE') return;
      this.#arrive({ error: asAuthenticationError(error, limit) });
    } finally {
      this.#handshakes.delete(connection);
    }
  }

  #arrive(arrival: Arrival): void {
    this.#arrived.push(arrival);
    this.#deliver();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new ClosedError('this listener is closed');
  }
}

function expired(): Error {
  return new TimeoutError('no connection came in time');
}

function asAuthenticationError(error: unknown, limit: AbortSignal): unknown {
  if (error instanceof AuthenticationError) return error;
  const why = limit.aborted ? 'it did not answer in time' : (error as Error).message;
  return new AuthenticationError(`a client could not be authenticated: ${why}`, { cause: error });
}

async function open(address: Address | undefined, backlog: number): Promise<Open> {
  if (address === undefined) {
    const { fd, path, remove } = listenInPrivate(backlog);
    return { fd, address: { path }, remove };
  }
  if ('path' in address) {
    const { fd, remove } = listenAtPath(address.path, backlog);
    return { fd, address: { path: address.path }, remove };
  }
  const [endpoint] = await endpointsOf(address);
  const [where, port] = endpoint as NonNullable<typeof endpoint>;
  const fd = native.listenAt(where, port, backlog);
  return { fd, address: native.localAddress(fd) };
}
