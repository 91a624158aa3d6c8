/** The sending half of a connection. */

import { WRITABLE } from '../internal/readiness.js';
import { type Patience, PENDING, RequestLine } from '../internal/request_line.js';
import { afterTurn, isTurnOver } from '../internal/turns.js';
import { LANE_PUT } from '../native/lane.js';
import { native } from '../native/load.js';
import { AF_UNIX, AF_UNSPEC } from '../native/socket.js';
import { Departure, type Route } from './departure.js';
import { HEADER, LONGEST_SHORT } from './framing.js';
import type { Lane } from './lane.js';

const patience: Patience = {
  deadline: Number.POSITIVE_INFINITY,
  expired: () => new Error('unreachable'),
};

/** Up to here a copy behind a header costs less than a second piece of memory in the call. */
const LONGEST_COPIED = 4 * 1024;
const copied: Buffer = Buffer.allocUnsafeSlow(HEADER + LONGEST_COPIED);

/** write(2) for pipes, send(2) for sockets. */
type ByteSink = (fd: number, bytes: Uint8Array, offset: number, length: number) => number | undefined;

export class Outgoing {
  /** Whether descriptors can go with a message: through a Unix socket only. */
  readonly carriesDescriptors: boolean;
  readonly #fd: number;
  readonly #lane: Lane | undefined;
  readonly #line: RequestLine;
  readonly #isSocket: boolean;
  readonly #write: ByteSink;
  readonly #route: Route;

  constructor(fd: number, owner: object, lane: Lane | undefined) {
    this.#fd = fd;
    this.#lane = lane;
    this.#line = new RequestLine(fd, WRITABLE, owner);
    const family = native.socketFamily(fd);
    this.carriesDescriptors = family === AF_UNIX;
    this.#isSocket = family !== AF_UNSPEC;
    this.#write = this.#isSocket ? native.send : native.write;
    this.#route = { fd, isSocket: this.#isSocket, lane, line: this.#line };
  }

  /**
   * send() of `length` bytes that lie in one piece, with room for a header before them that is overwritten; nearly
   * always one call, into the lane or of the system. undefined: they have gone.
   */
  sendWhole(memory: Buffer, start: number, length: number): Promise<void> | undefined {
    return this.#leave(this.#goWhole(memory, start, length));
  }

  sendWholeSync(memory: Buffer, start: number, length: number): void {
    this.#leaveSync(this.#goWhole(memory, start, length));
  }

  /** send() of bytes that are the caller's. */
  sendBytes(bytes: Uint8Array): Promise<void> | undefined {
    return this.#leave(this.#goBytes(bytes));
  }

  sendBytesSync(bytes: Uint8Array): void {
    this.#leaveSync(this.#goBytes(bytes));
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

  /** What could not go at once. */
  #goWhole(memory: Buffer, start: number, length: number): Departure | undefined {
    const mayGo = this.#line.isIdle; // what waits comes first
    if (mayGo && this.#lane?.put(memory, start, length, this.#fd) === LANE_PUT) return undefined;
    let written = 0;
    if (mayGo && this.#lane === undefined && length <= LONGEST_SHORT) {
      const first = start - HEADER;
      memory.writeInt32BE(length, first);
      written = this.#write(this.#fd, memory, first, HEADER + length) ?? 0;
    }
    return this.#rest(memory.subarray(start, start + length), written);
  }

  #goBytes(bytes: Uint8Array): Departure | undefined {
    const { length } = bytes;
    const mayGo = this.#line.isIdle;
    if (mayGo && this.#lane?.native.putBytes(bytes, this.#fd) === LANE_PUT) return undefined;
    if (this.#lane === undefined && length <= LONGEST_COPIED) {
      copied.set(bytes, HEADER);
      return this.#goWhole(copied, HEADER, length);
    }
    let written = 0;
    if (mayGo && this.#lane === undefined && length <= LONGEST_SHORT) {
      written = native.writeFrame(this.#fd, this.#isSocket, bytes) ?? 0;
    }
    return this.#rest(bytes, written);
  }

  #rest(message: Uint8Array, written: number): Departure | undefined {
    if (written === HEADER + message.length) return undefined;
    const departure = new Departure(this.#route, [message]);
    if (written > 0) departure.goOn(written);
    return departure;
  }

  /** Resolves when all of it has gone, which undefined says at once. The parts may be changed, the descriptors closed, when this returns. */
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
    return new Departure(this.#route, parts, some);
  }
}
