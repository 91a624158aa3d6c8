/** The sending half of a connection. */

import { WRITABLE } from '../internal/readiness.js';
import { recycledCopy } from '../internal/recycled_memory.js';
import { type Patience, PENDING, RequestLine } from '../internal/request_line.js';
import { afterTurn, isTurnOver } from '../internal/turns.js';
import { native } from '../native/load.js';
import { AF_UNIX, AF_UNSPEC } from '../native/socket.js';
import { frame, HEADER, LONGEST_SHORT } from './framing.js';

/** A write that moved so much may have taken a while. */
const MUCH = 64 * 1024;

const patience: Patience = {
  deadline: Number.POSITIVE_INFINITY,
  expired: () => new Error('unreachable'),
};

/** Up to here a copy behind a header costs less than a second piece of memory in the call. */
const LONGEST_COPIED = 4 * 1024;
const copied: Buffer = Buffer.allocUnsafeSlow(HEADER + LONGEST_COPIED);

/** write(2) for pipes, send(2) for sockets. */
type ByteSink = (fd: number, bytes: Uint8Array, offset: number, length: number) => number | undefined;

/** One message on its way: what the kernel has not taken yet. */
class Departure {
  readonly #fd: number;
  readonly #isSocket: boolean;
  readonly #pieces: Uint8Array[];
  /** They go with the first byte. */
  #descriptors: readonly number[] | undefined;
  /** Duplicates of the caller's, which it may close meanwhile. */
  #own: readonly number[] = [];
  #offset = 0;

  constructor(fd: number, isSocket: boolean, parts: readonly Uint8Array[], descriptors: readonly number[] | undefined) {
    this.#fd = fd;
    this.#isSocket = isSocket;
    this.#pieces = frame(parts);
    this.#descriptors = descriptors;
  }

  readonly attempt = (inTurns: boolean): typeof PENDING | undefined => {
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const count = this.#send(piece, this.#pieces[1]);
      if (count === undefined) return PENDING;
      this.skip(count);
      if (inTurns && count >= MUCH && this.#pieces.length > 0 && isTurnOver()) return PENDING;
    }
    return undefined;
  };

  /** Two at once, which is a header and a large Buffer for the most part: the receiver is not woken for the header. */
  #send(piece: Uint8Array, next: Uint8Array | undefined): number | undefined {
    const offset = this.#offset;
    if (this.#descriptors === undefined) {
      if (next !== undefined) return native.writeTwo(this.#fd, this.#isSocket, piece, offset, next);
      return (this.#isSocket ? native.send : native.write)(this.#fd, piece, offset, piece.length - offset);
    }
    const count = native.sendFds(this.#fd, Int32Array.from(this.#descriptors), piece);
    if (count !== undefined) {
      this.#descriptors = undefined;
      this.discard();
    }
    return count;
  }

  /** So many bytes more have been written. */
  skip(count: number): void {
    let left = this.#offset + count;
    for (let piece = this.#pieces[0]; piece !== undefined && left >= piece.length; piece = this.#pieces[0]) {
      left -= piece.length;
      this.#pieces.shift();
    }
    this.#offset = left;
  }

  get isOver(): boolean {
    return this.#pieces.length === 0;
  }

  /** What is left is copied: the caller may change its memory and close its descriptors now. */
  settleIn(): void {
    for (const [index, piece] of this.#pieces.entries()) this.#pieces[index] = recycledCopy(piece);
    if (this.#descriptors === undefined) return;
    this.#own = this.#descriptors.map((fd) => native.dup(fd));
    this.#descriptors = this.#own;
  }

  /** Closes the duplicates. */
  readonly discard = (): void => {
    for (const fd of this.#own) native.closeFd(fd);
    this.#own = [];
  };
}

export class Outgoing {
  /** Whether descriptors can go with a message: through a Unix socket only. */
  readonly carriesDescriptors: boolean;
  readonly #fd: number;
  readonly #line: RequestLine;
  readonly #isSocket: boolean;
  readonly #write: ByteSink;

  constructor(fd: number, owner: object) {
    this.#fd = fd;
    this.#line = new RequestLine(fd, WRITABLE, owner);
    const family = native.socketFamily(fd);
    this.carriesDescriptors = family === AF_UNIX;
    this.#isSocket = family !== AF_UNSPEC;
    this.#write = this.#isSocket ? native.send : native.write;
  }

  /**
   * send() of `length` bytes that lie in one piece, with room for a header before them that is overwritten; nearly
   * always one system call. undefined: they have gone.
   */
  sendWhole(memory: Buffer, start: number, length: number): Promise<void> | undefined {
    return this.#leave(this.#writeWhole(memory, start, length));
  }

  sendWholeSync(memory: Buffer, start: number, length: number): void {
    this.#leaveSync(this.#writeWhole(memory, start, length));
  }

  /** send() of bytes that are the caller's. */
  sendBytes(bytes: Uint8Array): Promise<void> | undefined {
    return this.#leave(this.#writeBytes(bytes));
  }

  sendBytesSync(bytes: Uint8Array): void {
    this.#leaveSync(this.#writeBytes(bytes));
  }

  #leave(departure: Departure | undefined): Promise<void> | undefined {
    // It has left; who goes on at once when the loop has waited for long goes on in its next turn.
    if (departure === undefined) return isTurnOver() ? new Promise(afterTurn) : undefined;
    const sent = this.#line.run<undefined>(departure.attempt, patience);
    departure.settleIn();
    return sent;
  }

  #leaveSync(departure: Departure | undefined): void {
    if (departure !== undefined) this.#line.runSync<undefined>(departure.attempt, patience);
  }

  /** What could not be written at once. */
  #writeWhole(memory: Buffer, start: number, length: number): Departure | undefined {
    let written = 0;
    if (this.#line.isIdle && length <= LONGEST_SHORT) {
      const first = start - HEADER;
      memory.writeInt32BE(length, first);
      written = this.#write(this.#fd, memory, first, HEADER + length) ?? 0;
    }
    return written === HEADER + length ? undefined : this.#rest(memory.subarray(start, start + length), written);
  }

  #writeBytes(bytes: Uint8Array): Departure | undefined {
    const { length } = bytes;
    if (length <= LONGEST_COPIED) {
      copied.set(bytes, HEADER);
      return this.#writeWhole(copied, HEADER, length);
    }
    let written = 0;
    if (this.#line.isIdle && length <= LONGEST_SHORT) {
      written = native.writeFrame(this.#fd, this.#isSocket, bytes) ?? 0;
    }
    return written === HEADER + length ? undefined : this.#rest(bytes, written);
  }

  #rest(message: Uint8Array, written: number): Departure {
    const departure = this.#departure([message], undefined);
    departure.skip(written);
    return departure;
  }

  /** Resolves when the kernel has all of it, which undefined says at once. The parts may be changed, the descriptors closed, when this returns. */
  send(parts: readonly Uint8Array[], descriptors?: readonly number[]): Promise<void> | undefined {
    const departure = this.#departure(parts, descriptors);
    if (this.#line.isIdle && departure.attempt(true) !== PENDING) return this.#leave(undefined);
    const sent = this.#line.run<undefined>(departure.attempt, patience);
    if (departure.isOver) return sent;
    departure.settleIn();
    return descriptors === undefined ? sent : sent.finally(departure.discard);
  }

  sendSync(parts: readonly Uint8Array[], descriptors?: readonly number[]): void {
    this.#line.runSync<undefined>(this.#departure(parts, descriptors).attempt, patience);
  }

  close(reason: () => Error): void {
    this.#line.close(reason);
  }

  #departure(parts: readonly Uint8Array[], descriptors: readonly number[] | undefined): Departure {
    const some = descriptors !== undefined && descriptors.length > 0 ? descriptors : undefined;
    return new Departure(this.#fd, this.#isSocket, parts, some);
  }
}
