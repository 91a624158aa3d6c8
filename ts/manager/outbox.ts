/** Messages to a peer, put together while the event loop is busy: a hundred calls at once wake the peer once. */

import type { Connection } from '../connection/connection.js';
import { serialize } from '../serialization/serialize.js';

/** What has been serialised, or the value itself when it has descriptors. */
export type Content =
  | { readonly encoded: true; readonly value: Uint8Array }
  | { readonly encoded: false; readonly value: unknown };

/** Serialises now: later changes don't travel. @throws ERR_MP_SERIALIZE, with the path from `root`. */
export function encodeContent(value: unknown, root: string): Content {
  const descriptors: number[] = [];
  const parts = serialize(value, root, descriptors);
  if (descriptors.length > 0) return { encoded: false, value };
  return { encoded: true, value: parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts) };
}

export class Outbox<M> {
  readonly #connection: Connection;
  readonly #schedule: (flush: () => void) => void;
  readonly #failed: (error: unknown) => void;
  #messages: M[] = [];
  #bytes = 0;

  /** `schedule` runs what it is given a little later; `failed` is told when the connection has broken. */
  constructor(connection: Connection, schedule: (flush: () => void) => void, failed: (error: unknown) => void) {
    this.#connection = connection;
    this.#schedule = schedule;
    this.#failed = failed;
  }

  /** Sends it with what else comes meanwhile; large ones, and those with descriptors, at once. */
  put(message: M, { encoded, value }: Content): void {
    this.#messages.push(message);
    this.#bytes += encoded ? value.length : Number.POSITIVE_INFINITY;
    if (this.#bytes > LARGE) this.flush();
    else if (this.#messages.length === 1) this.#schedule(() => this.flush());
  }

  flush(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    this.sent = this.#connection.send(messages);
    this.sent.catch(this.#failed);
  }

  /** Settles when the kernel has taken what was sent last. */
  sent: Promise<void> = Promise.resolve();
}

/** Bytes that are not kept waiting. */
const LARGE = 64 * 1024;
