/** The receiving half of a connection. */

import { EndOfFileError, MultiprocessingError, TimeoutError } from '../errors.js';
import { type Deadline, millisecondsLeft } from '../internal/deadline.js';
import { forkGeneration } from '../internal/fork_generation.js';
import { READABLE, waitReadySync, whenReady } from '../internal/readiness.js';
import { type Attempt, type Patience, PENDING, RequestLine } from '../internal/request_line.js';
import { afterTurn, isTurnOver } from '../internal/turns.js';
import { native } from '../native/load.js';
import { AF_UNIX } from '../native/socket.js';
import { MOST_DESCRIPTORS } from '../serialization/descriptor.js';
import { type ByteSource, FrameReader, HEADER } from './framing.js';

/** A read that moved so much may have taken a while. */
const MUCH = 64 * 1024;

/**
 * What becomes of a message, whose memory is lent for the call unless it is `owned`. The descriptors that came with it
 * are given away.
 */
export interface Reception<R> {
  readonly maxLength?: number | undefined;
  readonly finish: (message: Buffer, descriptors: readonly number[], owned: boolean) => R;
}

/** Not a small message: what has come of it is kept for the general way. */
const IN_PART: unique symbol = Symbol('in part');

/** Longer messages, with their header, are not small. */
const MOST_SMALL = 16 * 1024;

/** Where small messages are read to; undefined while one is there. */
let spare: Buffer | undefined = Buffer.allocUnsafeSlow(MOST_SMALL);
const NO_ROOM: Int32Array = new Int32Array(0);
const NONE: readonly number[] = [];

/** Receptions of bytes have no use for descriptors. */
export function closeAll(descriptors: readonly number[]): void {
  for (const fd of descriptors) native.closeFd(fd);
}

/** What receive() may append at once: two messages' at most, as the kernel never joins two that have some. */
const ROOM = 1 + MOST_DESCRIPTORS;

export class Incoming {
  readonly #fd: number;
  readonly #line: RequestLine;
  #frames: FrameReader = new FrameReader();
  #generation: number = forkGeneration();
  #isBroken = false;
  /** What has come with the message that is being read; its first element counts. Only for Unix sockets. */
  readonly #descriptors: Int32Array | undefined;

  constructor(fd: number, owner: object) {
    this.#fd = fd;
    this.#line = new RequestLine(fd, READABLE, owner);
    this.#descriptors = native.socketFamily(fd) === AF_UNIX ? new Int32Array(ROOM) : undefined;
  }

  /** A message was refused before it was read: what follows can't be told apart any more. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Whether the stream ended, or would, with a message and not within one. */
  get isBetweenMessages(): boolean {
    return this.#frames.isBetweenMessages;
  }

  receive<R>(reception: Reception<R>, deadline: Deadline, signal: AbortSignal | undefined): R | Promise<R> {
    const attempt = this.#attempt(reception);
    const tries = signal === undefined && this.#line.isIdle && !isTurnOver();
    if (tries) {
      const outcome = attempt(deadline !== Number.NEGATIVE_INFINITY);
      if (outcome !== PENDING) return outcome;
    }
    return this.#line.run(attempt, patienceOf(deadline, signal), tries);
  }

  receiveSync<R>(reception: Reception<R>, deadline: Deadline): R {
    if (this.#line.isIdle && this.#isAtRest()) {
      const outcome = this.#small(reception, millisecondsLeft(deadline));
      if (outcome !== PENDING && outcome !== IN_PART) return outcome;
    }
    return this.#line.runSync(this.#attempt(reception), patienceOf(deadline));
  }

  /** True when there is something to read, the end of the stream included; false on time-out. */
  async poll(deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
    signal?.throwIfAborted();
    if (isTurnOver()) await new Promise<void>(afterTurn);
    if (this.pollSync(Number.NEGATIVE_INFINITY)) return true;
    if (deadline === Number.NEGATIVE_INFINITY) return false;
    return whenReady(this.#fd, READABLE, deadline, signal);
  }

  pollSync(deadline: Deadline): boolean {
    return waitReadySync(this.#fd, READABLE, deadline);
  }

  close(reason: () => Error): void {
    this.#line.close(reason);
    closeAll(this.#takeDescriptors());
  }

  /** Nothing of a message has been read: a small one can be had in one call. */
  #isAtRest(): boolean {
    this.#forgetParent();
    return !this.#isBroken && this.#frames.isBetweenMessages;
  }

  /** The next message if it is small, all there, and comes within so many milliseconds; blocks for so long. */
  #small<R>({ maxLength, finish }: Reception<R>, milliseconds: number): R | typeof PENDING | typeof IN_PART {
    // What makes a value of it may receive something, too.
    const buffer = spare ?? Buffer.allocUnsafeSlow(MOST_SMALL);
    spare = undefined;
    try {
      const got = this.#readFrame(buffer, milliseconds);
      if (got === -1) return PENDING;
      const length = got - HEADER;
      if (length < 0 || buffer.readInt32BE() !== length || (maxLength !== undefined && length > maxLength)) {
        this.#frames.resume(Buffer.from(buffer.subarray(0, got)));
        return IN_PART;
      }
      return finish(buffer.subarray(HEADER, got), this.#takeDescriptors(), false);
    } finally {
      spare = buffer;
    }
  }

  #readFrame(buffer: Buffer, milliseconds: number): number {
    try {
      return native.readFrame(this.#fd, buffer, this.#descriptors ?? NO_ROOM, milliseconds);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return 0;
      throw error;
    }
  }

  #attempt<R>(reception: Reception<R>): Attempt<R> {
    return (inTurns) => {
      if (this.#isAtRest()) {
        const outcome = this.#small(reception, 0);
        if (outcome !== IN_PART) return outcome;
      }
      const message = this.#next(inTurns ? this.#readInTurns : this.#read, reception.maxLength);
      return message === undefined ? PENDING : reception.finish(message, this.#takeDescriptors(), true);
    };
  }

  #takeDescriptors(): readonly number[] {
    const all = this.#descriptors;
    const count = all?.[0] ?? 0;
    if (all === undefined || count === 0) return NONE;
    all[0] = 0;
    return [...all.subarray(1, 1 + count)];
  }

  #next(read: ByteSource, maxLength: number | undefined): Buffer | undefined {
    if (this.#isBroken) throw new MultiprocessingError('the stream is broken: an earlier message was refused');
    try {
      return this.#frames.next(read, maxLength);
    } catch (error) {
      if (error instanceof MultiprocessingError && !(error instanceof EndOfFileError)) this.#isBroken = true;
      throw error;
    }
  }

  readonly #readInTurns: ByteSource = (buffer, offset, length) =>
    length >= MUCH && offset > 0 && isTurnOver() ? undefined : this.#read(buffer, offset, length);

  readonly #read: ByteSource = (buffer, offset, length) => {
    try {
      if (this.#descriptors === undefined) return native.read(this.#fd, buffer, offset, length);
      return native.receive(this.#fd, buffer, offset, length, this.#descriptors);
    } catch (error) {
      // The peer left without reading all that it was sent; what it had sent itself has been read. unix(7)
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return 0;
      throw error;
    }
  };

  /** In a forked child: the part of a message that the parent has read is the parent's. */
  #forgetParent(): void {
    if (this.#generation === forkGeneration()) return;
    this.#generation = forkGeneration();
    this.#frames = new FrameReader();
    closeAll(this.#takeDescriptors());
  }
}

function patienceOf(deadline: Deadline, signal?: AbortSignal): Patience {
  return { deadline, signal, expired: () => new TimeoutError('no message came in time') };
}
