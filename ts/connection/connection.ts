/** Connection: messages between processes over a pipe or a socket. */

import { inspect } from 'node:util';
import { ClosedError, EndOfFileError } from '../errors.js';
import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { stopWaiting } from '../internal/readiness.js';
import { systemError } from '../internal/system_error.js';
import { invalidArgValue, validateBoolean, validateInteger, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import { HEADROOM } from '../serialization/byte_writer.js';
import { Descriptor } from '../serialization/descriptor.js';
import { decode, deserialize, deserializeLater } from '../serialization/deserialize.js';
import { CannotTravel, registerCodec } from '../serialization/registry.js';
import { encode } from '../serialization/serialize.js';
import { asBytes, bytesOf, into, maxLengthOf, pollDeadlineOf } from './arguments.js';
import { Incoming, type Reception } from './incoming.js';
import { Lane, type PackedLane } from './lane.js';
import { Outgoing } from './outgoing.js';

const LARGEST_FD = 2 ** 31 - 1;

/** Which directions a descriptor is used in. Python: the arguments of `Connection()`. */
export interface ConnectionOptions {
  /** Whether it receives. Default true. */
  readable?: boolean;
  /** Whether it sends. Default true. */
  writable?: boolean;
}

/** The memory that the connection which is being made shares with its other end. */
let arriving: Lane | undefined;

/** An end of a Pipe whose messages go through memory, if there is any. */
export function connectionBy<T>(lane: Lane | undefined, fd: number, options?: ConnectionOptions): Connection<T> {
  arriving = lane;
  try {
    return new Connection<T>(fd, options);
  } finally {
    arriving = undefined;
  }
}

let pack: (connection: Connection) => Packed;

/** How wait() learns of something to receive: when the descriptor is readable, `isReady` tells whether that was it. */
export let watchOf: (connection: Connection) => { fd: number; isReady: (() => boolean) | undefined };

/** Closes what nobody can reach any more, in the process that opened it, so that the peer learns of the end. */
const lost = new FinalizationRegistry<{ fd: number; owner: number }>(({ fd, owner }) => {
  if (owner !== process.pid) return;
  stopWaiting(fd);
  native.closeFd(fd);
});

/**
 * One end of a channel on which whole messages travel. Plain calls return promises and don't block, the ones with the
 * suffix `Sync` block the event loop; both may be mixed, calls are served in their order. A message is read only when
 * it is asked for, and never a byte of the next one: processes that share an end may take turns.
 *
 * A forked child inherits the end by closure, and has it open until it closes it: for end of file each process closes
 * what it does not use. Waits and half-read messages stay with the process that had them; fork between messages.
 *
 * Python: `multiprocessing.connection.Connection`, and its format on the wire
 *
 * @example
 * const [mine, its] = Pipe<string>();
 * await mine.send('hello');
 * await its.recv(); // 'hello'
 */
export class Connection<T = unknown> implements AsyncIterable<T> {
  readonly #fd: number;
  readonly #incoming: Incoming | undefined;
  readonly #outgoing: Outgoing | undefined;
  readonly #lane: Lane | undefined = arriving;
  #closed = false;

  /**
   * Takes over an open descriptor of a pipe, socket or terminal: close() closes it. It becomes non-blocking.
   * @throws EBADF; ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE; ERR_INVALID_ARG_VALUE: neither readable nor writable.
   */
  constructor(fd: number, options?: ConnectionOptions) {
    validateInteger(fd, 'fd', 0, LARGEST_FD);
    validateOptions(options, 'options');
    const { readable = true, writable = true } = options ?? {};
    validateBoolean(readable, 'options.readable');
    validateBoolean(writable, 'options.writable');
    if (!readable && !writable) throw invalidArgValue('options', 'must leave it readable or writable', options);
    native.setNonblocking(fd, true);
    this.#fd = fd;
    this.#incoming = readable ? new Incoming(fd, this, this.#lane) : undefined;
    this.#outgoing = writable ? new Outgoing(fd, this, this.#lane) : undefined;
    lost.register(this, { fd, owner: process.pid }, this);
  }

  /**
   * The descriptor; it stays this object's. From here on whoever reads it himself finds all messages on it, in Python's
   * format: they no longer go through memory, so ask for it before the first is sent.
   *
   * Python: `Connection.fileno`
   * @throws ERR_MP_CLOSED.
   */
  get fd(): number {
    this.#mustBeOpen();
    this.#lane?.native.makePlain();
    return this.#fd;
  }

  /** Whether this process has closed it. Python: `Connection.closed` */
  get closed(): boolean {
    return this.#closed;
  }

  /** False on an end that only sends, and after a message that exceeded `maxLength`. Python: `Connection.readable` */
  get readable(): boolean {
    return this.#incoming !== undefined && !this.#incoming.isBroken;
  }

  /** False on an end that only receives. Python: `Connection.writable` */
  get writable(): boolean {
    return this.#outgoing !== undefined;
  }

  /**
   * Sends a value. It is serialised before this returns, later changes don't travel; resolves when the kernel or the
   * pipe's memory has taken the message, so a slow reader slows the sender. Unawaited sends stay in order.
   *
   * Through a Unix socket (a duplex Pipe(), a Listener's path) descriptors travel: in a net.Socket, a listening
   * net.Server, a FileHandle, a Connection, a Queue. The receiver gets its own; the sender's stay open until it closes
   * them, and it may do that at once. A socket that was sent reads no more here.
   *
   * Python: `Connection.send`
   * @throws ERR_MP_SERIALIZE: the value can't travel, nothing was sent; EPIPE: nobody can receive it any more; EBADF:
   * this end only receives; ERR_MP_CLOSED, also when it is closed before the message has left.
   */
  async send(value: T): Promise<void> {
    const outgoing = this.#mustWrite();
    const descriptors: number[] | undefined = outgoing.carriesDescriptors ? [] : undefined;
    const out = encode(value, 'value', descriptors);
    this.#mustBeOpen(); // a getter may have closed it
    const { length } = out;
    const sent =
      length === undefined || descriptors?.length
        ? outgoing.send(out.parts(), descriptors)
        : outgoing.sendWhole(out.memory, HEADROOM, length);
    if (sent !== undefined) await sent;
  }

  /** send(), blocking until the message is out of the sender's hands. Python: `Connection.send` */
  sendSync(value: T): void {
    const outgoing = this.#mustWrite();
    const descriptors: number[] | undefined = outgoing.carriesDescriptors ? [] : undefined;
    const out = encode(value, 'value', descriptors);
    this.#mustBeOpen();
    const { length } = out;
    if (length === undefined || descriptors?.length) outgoing.sendSync(out.parts(), descriptors);
    else outgoing.sendWholeSync(out.memory, HEADROOM, length);
  }

  /**
   * Resolves with the next value. An aborted or timed-out call loses nothing: the next one gets the message. A message
   * longer than `maxLength` bytes is refused as recvBytes() does.
   *
   * Python: `Connection.recv`
   * @throws ERR_MP_EOF, again and again, when the other end is closed everywhere, and its message tells when that was in
   * the middle of a message; ERR_MP_TIMEOUT; ERR_MP_MESSAGE_TOO_LONG; EBADF: this end only sends; ERR_MP_CLOSED.
   */
  recv(options?: WaitOptions & { maxLength?: number }): Promise<T> {
    return this.#receive(asValueLater as Reception<T>['finish'], options);
  }

  /** recv(), blocking. Python: `Connection.recv` */
  recvSync(options?: SyncWaitOptions): T {
    return this.#mustRead().receiveSync({ finish: asValue as Reception<T>['finish'] }, deadlineOf(options));
  }

  /**
   * Sends bytes as one message: `size` (default: the rest) from `offset` on, both in bytes. The receiver calls
   * recvBytes(). Resolves when it is out of the sender's hands; the memory may be changed as soon as this returns.
   *
   * Python: `Connection.send_bytes`
   * @throws as send() does; ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE: not within the memory.
   */
  async sendBytes(bytes: ArrayBufferView | ArrayBuffer, offset?: number, size?: number): Promise<void> {
    const outgoing = this.#mustWrite();
    const message = bytesOf(bytes, 'bytes', offset, size);
    const sent = outgoing.sendBytes(message);
    if (sent !== undefined) await sent;
  }

  /** sendBytes(), blocking. Python: `Connection.send_bytes` */
  sendBytesSync(bytes: ArrayBufferView | ArrayBuffer, offset?: number, size?: number): void {
    const outgoing = this.#mustWrite();
    const message = bytesOf(bytes, 'bytes', offset, size);
    outgoing.sendBytesSync(message);
  }

  /**
   * Resolves with the bytes of the next message, in memory of their own. One longer than `maxLength` bytes is neither read
   * nor allocated: this end can't receive any more then (it is closed, if it can't send either).
   *
   * Python: `Connection.recv_bytes`
   * @throws as recv() does; ERR_MP_MESSAGE_TOO_LONG.
   */
  recvBytes(options?: WaitOptions & { maxLength?: number }): Promise<Uint8Array> {
    return this.#receive(asBytes, options);
  }

  /** recvBytes(), blocking. Python: `Connection.recv_bytes` */
  recvBytesSync(options?: SyncWaitOptions & { maxLength?: number }): Uint8Array {
    const reception = { finish: asBytes, maxLength: maxLengthOf(options) };
    const incoming = this.#mustRead();
    try {
      return incoming.receiveSync(reception, deadlineOf(options));
    } finally {
      this.#closeIfUseless();
    }
  }

  /**
   * Puts the bytes of the next message into `buffer` from `offset` (in bytes) on and resolves with their number.
   *
   * Python: `Connection.recv_bytes_into`
   * @throws as recv() does; ERR_MP_BUFFER_TOO_SHORT with the whole message as `bytes`: the next message can be received.
   */
  async recvBytesInto(buffer: ArrayBufferView, offset: number = 0, options?: WaitOptions): Promise<number> {
    return this.#receive(into(buffer, offset), options);
  }

  /** recvBytesInto(), blocking. Python: `Connection.recv_bytes_into` */
  recvBytesIntoSync(buffer: ArrayBufferView, offset: number = 0, options?: SyncWaitOptions): number {
    return this.#mustRead().receiveSync({ finish: into(buffer, offset) }, deadlineOf(options));
  }

  /**
   * Whether there is something to receive: resolves true for a message, for its first bytes, and at end of file; takes
   * nothing. Without a timeout it looks once; `{ timeout: undefined }` waits for ever.
   *
   * Python: `Connection.poll`
   * @throws EBADF: this end only sends; ERR_MP_CLOSED; the signal's reason.
   */
  async poll(options: WaitOptions = {}): Promise<boolean> {
    const incoming = this.#mustRead();
    const ready = await incoming.poll(pollDeadlineOf(options), signalOf(options));
    this.#mustBeOpen();
    return ready;
  }

  /** poll(), blocking. Python: `Connection.poll` */
  pollSync(options: SyncWaitOptions = {}): boolean {
    return this.#mustRead().pollSync(pollDeadlineOf(options));
  }

  /**
   * Closes the descriptor in this process. Calls that wait reject with ERR_MP_CLOSED; what has been sent reaches the
   * peer. Idempotent. Never throws.
   *
   * Python: `Connection.close`
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    lost.unregister(this);
    const reason = (): Error => new ClosedError('this connection was closed');
    this.#incoming?.close(reason);
    this.#outgoing?.close(reason);
    stopWaiting(this.#fd);
    native.closeFd(this.#fd);
    if (this.#lane !== undefined) {
      stopWaiting(this.#lane.bell);
      this.#lane.native.close();
    }
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The values that come, until the other end is closed. Leaving the loop does not close this one.
   * Python: none; `recv()` until EOFError
   * @throws as recv() does, from next().
   */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      try {
        yield await this.recv();
      } catch (error) {
        if (error instanceof EndOfFileError && this.#incoming?.isBetweenMessages === true) return;
        throw error;
      }
    }
  }

  static {
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: Connection): string {
      const direction = this.writable ? (this.readable ? 'duplex' : 'sends') : 'receives';
      return this.#closed ? 'Connection { closed }' : `Connection { fd: ${this.#fd}, ${direction} }`;
    };
    Object.defineProperty(Connection.prototype, inspect.custom, { value, configurable: true, writable: true });
    watchOf = (connection) => {
      connection.#mustBeOpen();
      const incoming = connection.#lane && connection.#incoming;
      return { fd: connection.#fd, isReady: incoming && (() => incoming.isReady()) };
    };
    pack = (connection) => {
      if (connection.#closed) throw new CannotTravel('is a closed Connection');
      const { readable, writable } = connection;
      return { fd: new Descriptor(connection.#fd), readable, writable, lane: connection.#lane?.pack() };
    };
  }

  async #receive<R>(
    finish: Reception<R>['finish'],
    options: (WaitOptions & { maxLength?: number }) | undefined,
  ): Promise<R> {
    const reception = { finish, maxLength: maxLengthOf(options) };
    const incoming = this.#mustRead();
    try {
      return await incoming.receive(reception, deadlineOf(options), signalOf(options));
    } finally {
      this.#closeIfUseless();
    }
  }

  /** After a message that was refused unread: an end that can't send either is of no use. */
  #closeIfUseless(): void {
    if (!this.readable && !this.writable) this.close();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new ClosedError('this connection is closed');
  }

  #mustRead(): Incoming {
    this.#mustBeOpen();
    if (this.#incoming === undefined || this.#incoming.isBroken) throw systemError('EBADF', 'read');
    return this.#incoming;
  }

  #mustWrite(): Outgoing {
    this.#mustBeOpen();
    if (this.#outgoing === undefined) throw systemError('EBADF', 'write');
    return this.#outgoing;
  }
}

interface Packed {
  readonly fd: Descriptor;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly lane: PackedLane | undefined;
}

registerCodec(Connection, {
  name: 'Connection',
  pack: (object) => pack(object as Connection),
  unpack: (packed) => {
    const { fd, readable, writable, lane } = packed as Packed;
    return connectionBy(lane && Lane.unpack(lane), fd.take(), { readable, writable });
  },
});

const asValue: Reception<unknown>['finish'] = (memory, start, end, descriptors, owned) => {
  if (descriptors.length > 0) return deserialize(memory.subarray(start, end), { owned, descriptors });
  return decode(memory, start, end, owned ? (end - start) / 2 : Number.POSITIVE_INFINITY);
};

/** A promise of the value where descriptors came along, which settles the request in its place. */
const asValueLater: Reception<unknown>['finish'] = (memory, start, end, descriptors, owned) => {
  if (descriptors.length === 0) return asValue(memory, start, end, descriptors, owned);
  const message = memory.subarray(start, end);
  return deserializeLater(owned ? message : new Uint8Array(message), descriptors);
};
