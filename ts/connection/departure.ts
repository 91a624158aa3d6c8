/** One message on its way to the other end. */

import { READABLE, WRITABLE } from '../internal/readiness.js';
import { recycledCopy } from '../internal/recycled_memory.js';
import { PENDING, type RequestLine } from '../internal/request_line.js';
import { isTurnOver } from '../internal/turns.js';
import { LANE_FULL, LANE_PUT } from '../native/lane.js';
import { native } from '../native/load.js';
import { frame } from './framing.js';
import type { Lane } from './lane.js';

/** A write that moved so much may have taken a while. */
const MUCH = 64 * 1024;

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_DESCRIPTORS: Int32Array = new Int32Array(0);

/** How messages get there: through the lane, or else the descriptor; what has to wait does so in the line. */
export interface Route {
  readonly fd: number;
  readonly isSocket: boolean;
  readonly lane: Lane | undefined;
  readonly line: RequestLine;
}

export class Departure {
  readonly #route: Route;
  /** What has not gone: parts of the message, framed once it goes through the descriptor. */
  #pieces: readonly Uint8Array[];
  #isFramed = false;
  /** They go with the first byte, through the descriptor. */
  #descriptors: readonly number[] | undefined;
  /** Duplicates of the caller's, which it may close meanwhile. */
  #own: readonly number[] = [];
  /** Of the first piece, this much has gone. */
  #offset = 0;
  #hasBegun = false;
  /** The lane knows that a part of it is on the socket. */
  #isOpen = false;

  constructor(route: Route, parts: readonly Uint8Array[], descriptors?: readonly number[]) {
    this.#route = route;
    this.#pieces = parts;
    this.#descriptors = descriptors;
  }

  readonly attempt = (inTurns: boolean): typeof PENDING | undefined => {
    const { lane, fd, line } = this.#route;
    if (!this.#isFramed && lane !== undefined && this.#descriptors === undefined) {
      const outcome = lane.putParts(this.#pieces, fd, true);
      if (outcome === LANE_FULL) {
        line.waitFor(lane.bell, READABLE);
        return PENDING;
      }
      if (outcome === LANE_PUT) this.#pieces = [];
    }
    if (!this.isOver) this.#frame();
    while (!this.isOver) {
      const count = this.#send(this.#pieces[0] as Uint8Array, this.#pieces[1]);
      if (count === undefined) return PENDING;
      this.#skip(count);
      if (inTurns && count >= MUCH && !this.isOver && isTurnOver()) return PENDING;
    }
    if (this.#isOpen) lane?.native.endFrame(fd);
    this.#isOpen = false;
    return undefined;
  };

  /** It goes through the descriptor, and so many bytes of it have been written. */
  goOn(written: number): void {
    this.#frame();
    if (written > 0) this.#skip(written);
  }

  #frame(): void {
    if (this.#isFramed) return;
    this.#isFramed = true;
    this.#pieces = frame(this.#pieces);
    this.#route.line.waitFor(this.#route.fd, WRITABLE);
  }

  /** Two at once, which is a header and a large Buffer for the most part: the receiver is not woken for the header. */
  #send(piece: Uint8Array, next: Uint8Array | undefined): number | undefined {
    const { fd, isSocket, lane } = this.#route;
    const offset = this.#offset;
    if (this.#descriptors === undefined) {
      if (lane !== undefined && !this.#hasBegun) return this.#begin(lane, piece, next, NO_DESCRIPTORS);
      if (next !== undefined) return native.writeTwo(fd, isSocket, piece, offset, next);
      return (isSocket ? native.send : native.write)(fd, piece, offset, piece.length - offset);
    }
    const fds = Int32Array.from(this.#descriptors);
    const count = lane === undefined ? native.sendFds(fd, fds, piece) : this.#begin(lane, piece, undefined, fds);
    if (count !== undefined) {
      this.#descriptors = undefined;
      this.discard();
    }
    return count;
  }

  #begin(lane: Lane, piece: Uint8Array, next: Uint8Array | undefined, fds: Int32Array): number | undefined {
    const more = this.#pieces.length > (next === undefined ? 1 : 2);
    return lane.native.beginFrame(piece, next ?? NO_BYTES, more, fds, this.#route.fd);
  }

  #skip(count: number): void {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    let left = this.#offset + count;
    let gone = 0;
    for (const piece of this.#pieces) {
      if (left < piece.length) break;
      left -= piece.length;
      gone += 1;
    }
    this.#pieces = this.#pieces.slice(gone);
    this.#offset = left;
    if (isFirst) this.#isOpen = this.#route.lane !== undefined && !this.isOver;
  }

  get isOver(): boolean {
    return this.#pieces.length === 0;
  }

  /** What is left is copied: the caller may change its memory and close its descriptors now. */
  settleIn(): void {
    this.#pieces = this.#pieces.map(recycledCopy);
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
