/** The receiving half of a connection. */

import { EndOfFileError, MultiprocessingError, TimeoutError } from '../errors.js';
import { type Deadline, millisecondsLeft } from '../internal/deadline.js';
import { forkGeneration } from '../internal/fork_generation.js';
import { READABLE, waitReadySync, whenReady } from '../internal/readiness.js';
import { type Attempt, type Patience, PENDING, RequestLine } from '../internal/request_line.js';
import { Spinning } from '../internal/spinning.js';
import { afterTurn, isTurnOver } from '../internal/turns.js';
import { LANE_EMPTY, LANE_NO_ROOM, type LaneObject } from '../native/lane.js';
import { native } from '../native/load.js';
import { AF_UNIX } from '../native/socket.js';
import { MOST_DESCRIPTORS } from '../serialization/descriptor.js';
import { type ByteSource, FrameReader, HEADER, memoryFor } from './framing.js';
import { arrivals, type Lane } from './lane.js';

/** A read that moved so much may have taken a while. */
const MUCH = 64 * 1024;

/**
 * What becomes of a message, from `start` to `end` of a memory that is lent for the call unless it is `owned`. The
 * descriptors that came with it are given away.
 */
export interface Reception<R> {
  readonly maxLength?: number | undefined;
  readonly finish: (memory: Buffer, start: number, end: number, descriptors: readonly number[], owned: boolean) => R;
}

/** Not a small message: what has come of it is kept for the general way. */
const IN_PART: unique symbol = Symbol('in part');

/** What makes a value of a message in `arrivals` may receive something, too: that gets memory of its own. */
let isReading = false;
const JUST_HEADER: Buffer = arrivals.subarray(0, HEADER);
const NO_PLACE: Int32Array = new Int32Array(0);
const NO_DESCRIPTORS: readonly number[] = [];

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
  readonly #lane: LaneObject | undefined;
  readonly #spinning: Spinning = new Spinning();
  #isClosed = false;

  constructor(fd: number, owner: object, lane: Lane | undefined) {
    this.#fd = fd;
    this.#lane = lane?.native;
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
      const outcome = this.#atOnce(reception, millisecondsLeft(deadline));
      if (outcome !== PENDING && outcome !== IN_PART) return outcome;
    }
    return this.#line.runSync(this.#attempt(reception), patienceOf(deadline));
  }

  /** True when there is something to read, the end of the stream included; false on time-out. */
  async poll(deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
    signal?.throwIfAborted();
    if (isTurnOver()) await new Promise<void>(afterTurn);
    while (!this.isReady()) {
      if (deadline === Number.NEGATIVE_INFINITY) return false;
      if (!(await whenReady(this.#fd, READABLE, deadline, signal))) return false;
      if (this.#isClosed) return true;
    }
    return true;
  }

  pollSync(deadline: Deadline): boolean {
    while (!this.isReady()) {
      if (deadline === Number.NEGATIVE_INFINITY) return false;
      if (!waitReadySync(this.#fd, READABLE, deadline)) return false;
    }
    return true;
  }

  /** poll() that looks once. False: the descriptor will be readable when it is worth another look. */
  isReady(): boolean {
    if (this.#lane !== undefined && this.#isAtRest()) return this.#lane.look(this.#fd);
    return waitReadySync(this.#fd, READABLE, Number.NEGATIVE_INFINITY);
  }

  close(reason: () => Error): void {
    this.#isClosed = true;
    this.#line.close(reason);
    closeAll(this.#takeDescriptors());
  }

  /** Nothing of a message has been read: a small one can be had in one call. */
  #isAtRest(): boolean {
    this.#forgetParent();
    return !this.#isBroken && this.#frames.isBetweenMessages;
  }

  /** The next message if it is small or in memory, all there, and comes within so many milliseconds; blocks for so long. */
  #atOnce<R>(reception: Reception<R>, milliseconds: number): R | typeof PENDING | typeof IN_PART {
    const memory = isReading ? JUST_HEADER : arrivals;
    const got = this.#readFrame(memory, milliseconds);
    if (got === LANE_EMPTY) return PENDING;
    if (got < 0) return this.#long(LANE_NO_ROOM - got, reception);
    const length = got - HEADER;
    const { maxLength, finish } = reception;
    if (length < 0 || memory.readInt32BE() !== length || (maxLength !== undefined && length > maxLength)) {
      this.#frames.resume(Buffer.from(memory.subarray(0, got)));
      return IN_PART;
    }
    if (isReading) return finish(memory, HEADER, got, this.#takeDescriptors(), false);
    isReading = true;
    try {
      return finish(memory, HEADER, got, this.#takeDescriptors(), false);
    } finally {
      isReading = false;
    }
  }

  /** How many bytes of a message with its header; 0 at the end, LANE_EMPTY; or as LaneObject.take(). */
  #readFrame(memory: Buffer, milliseconds: number): number {
    const place = this.#descriptors ?? NO_PLACE;
    if (this.#lane !== undefined) return this.#readLane(this.#lane, memory.length, place, milliseconds);
    try {
      return native.readFrame(this.#fd, memory, place, milliseconds);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return 0;
      throw error;
    }
  }

  #readLane(lane: LaneObject, limit: number, place: Int32Array, milliseconds: number): number {
    const got = lane.take(limit);
    if (got !== LANE_EMPTY) return got;
    const longest = milliseconds === 0 ? 0 : this.#spinning.next();
    if (longest > 0) this.#spinning.tell(lane.spin(longest));
    return lane.receive(limit, this.#fd, place, milliseconds);
  }

  /** A message in the lane's memory, of about that size. */
  #long<R>(size: number, reception: Reception<R>): R | typeof PENDING | typeof IN_PART {
    const { maxLength = Number.POSITIVE_INFINITY, finish } = reception;
    for (let room = size; ; ) {
      const memory = this.#refusing(() => memoryFor(room, maxLength));
      const taken = this.#lane?.takeInto(memory) ?? LANE_EMPTY;
      // Where processes share this end, another one took that message.
      if (taken === LANE_EMPTY) return this.#atOnce(reception, 0);
      if (taken <= room) return finish(memory, 0, taken, NO_DESCRIPTORS, true);
      room = taken;
    }
  }

  #attempt<R>(reception: Reception<R>): Attempt<R> {
    return (inTurns) => {
      if (this.#isAtRest()) {
        const outcome = this.#atOnce(reception, 0);
        if (outcome !== IN_PART) return outcome;
      }
      const message = this.#next(inTurns ? this.#readInTurns : this.#read, reception.maxLength);
      if (message === undefined) return PENDING;
      this.#lane?.finishFrame();
      return reception.finish(message, 0, message.length, this.#takeDescriptors(), true);
    };
  }

  #takeDescriptors(): readonly number[] {
    const all = this.#descriptors;
    const count = all?.[0] ?? 0;
    if (all === undefined || count === 0) return NO_DESCRIPTORS;
    all[0] = 0;
    return [...all.subarray(1, 1 + count)];
  }

  #next(read: ByteSource, maxLength: number | undefined): Buffer | undefined {
    if (this.#isBroken) throw new MultiprocessingError('the stream is broken: an earlier message was refused');
    return this.#refusing(() => this.#frames.next(read, maxLength));
  }

  /** A message that is refused stays where it is. */
  #refusing<R>(read: () => R): R {
    try {
      return read();
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
