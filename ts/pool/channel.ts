/** The pool's side of what it shares with one worker. */

import type { Connection } from '../connection/connection.js';
import { Pipe } from '../connection/pipe.js';
import { perProcess } from '../internal/per_process.js';
import { stopWaiting } from '../internal/readiness.js';
import { MessageRing } from '../queues/message_ring.js';
import { SharedArray } from '../shared/shared_array.js';
import { WORDS } from './progress.js';
import type { Channel, Control } from './protocol.js';

/** No child but the worker has a part in it. */
const open = perProcess(
  () => new Set<PoolChannel>(),
  (inherited, kind) => {
    if (kind === 'raw') return inherited;
    for (const channel of inherited) channel.close();
    return new Set();
  },
);

export class PoolChannel {
  readonly tasks: MessageRing;
  readonly results: MessageRing;
  readonly control: Connection<Control>;
  readonly words: SharedArray<'i32'>;
  readonly #theirs: Connection<Control>;

  /** @throws EMFILE, ENOMEM, ENOSPC */
  constructor() {
    const made: { close(): void }[] = [];
    const keep = <T extends { close(): void }>(part: T): T => {
      made.push(part);
      return part;
    };
    try {
      this.tasks = keep(MessageRing.make(0));
      this.results = keep(MessageRing.make(0));
      this.words = keep(new SharedArray('i32', WORDS, { lock: false }));
      [this.#theirs, this.control] = Pipe<Control>();
    } catch (error) {
      for (const part of made) part.close();
      throw error;
    }
    this.tasks.holdBell();
    open.value.add(this);
  }

  /** For the message that carries it to the worker; then gaveAway(). */
  get theirs(): Channel {
    return { tasks: this.tasks, results: this.results, control: this.#theirs, words: this.words };
  }

  /** The worker has its end. */
  gaveAway(): void {
    this.#theirs.close();
  }

  close(): void {
    open.value.delete(this);
    stopWaiting(this.results.bells().items);
    this.tasks.close();
    this.results.close();
    this.words.close();
    this.control.close();
    this.#theirs.close();
  }
}

/** The copies of a process that has only passed them on. */
export function closeCopies({ tasks, results, control, words }: Channel): void {
  tasks.close();
  results.close();
  control.close();
  words.close();
}
