/** The sending half of a connection. */

import { WRITABLE } from '../internal/readiness.js';
import { type Patience, PENDING, RequestLine } from '../internal/request_line.js';
import { isTurnOver } from '../internal/turns.js';
import { native } from '../native/load.js';
import { frame } from './framing.js';

/** A write that moved so much may have taken a while. */
const MUCH = 64 * 1024;

const patience: Patience = {
  deadline: Number.POSITIVE_INFINITY,
  expired: () => new Error('unreachable'),
};

/** write(2) for pipes, send(2) for sockets. */
type ByteSink = (bytes: Uint8Array, offset: number, length: number) => number | undefined;

/** One message on its way: what the kernel has not taken yet. */
class Departure {
  readonly #pieces: Uint8Array[];
  readonly #write: ByteSink;
  #offset = 0;

  constructor(parts: readonly Uint8Array[], write: ByteSink) {
    this.#pieces = frame(parts);
    this.#write = write;
  }

  readonly attempt = (): typeof PENDING | undefined => {
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const count = this.#write(piece, this.#offset, piece.length - this.#offset);
      if (count === undefined) return PENDING;
      this.#offset += count;
      if (this.#offset === piece.length) {
        this.#pieces.shift();
        this.#offset = 0;
      }
      if (count >= MUCH && this.#pieces.length > 0 && isTurnOver()) return PENDING;
    }
    return undefined;
  };

  /** What is left is copied: the caller may change its memory now. */
  settleIn(): void {
    for (const [index, piece] of this.#pieces.entries()) this.#pieces[index] = Buffer.from(piece);
  }
}

export class Outgoing {
  readonly #line: RequestLine;
  readonly #write: ByteSink;

  constructor(fd: number) {
    this.#line = new RequestLine(fd, WRITABLE);
    const write = native.isSocket(fd) ? native.send : native.write;
    this.#write = (bytes, offset, length) => write(fd, bytes, offset, length);
  }

  /** Resolves when the kernel has all of it. The parts may be changed when this returns. */
  send(parts: readonly Uint8Array[]): Promise<void> {
    const departure = new Departure(parts, this.#write);
    const sent = this.#line.run<undefined>(departure.attempt, patience);
    departure.settleIn();
    return sent;
  }

  sendSync(parts: readonly Uint8Array[]): void {
    this.#line.runSync<undefined>(new Departure(parts, this.#write).attempt, patience);
  }

  close(reason: () => Error): void {
    this.#line.close(reason);
  }
}
