/**
 * Waiting for what is in shared memory: blocking, or on the threads of a room that all waits of this JavaScript thread
 * share, and that is there only while somebody waits.
 */

import { type Deadline, millisecondsLeft } from '../internal/deadline.js';
import { perProcess } from '../internal/per_process.js';
import { READABLE } from '../internal/readiness.js';
import { native } from '../native/load.js';
import type { PollerHandle } from '../native/poller.js';
import type { Outcome, WaitKind, WaitRoomObject } from '../native/wait_room.js';
import type { SharedWords } from './shared_words.js';

/** What is waited for. */
export interface WaitSpec {
  readonly kind: WaitKind;
  readonly shared: SharedWords;
  /** Bytes. */
  readonly offset: number;
  readonly extra: number;
}

/** Never waits; takes over from the dead. */
export function waitOnce({ kind, shared, offset, extra }: WaitSpec): Outcome {
  return shared.region.waitOnce(kind, offset, extra, shared.enter());
}

/** Blocks. */
export function waitSync({ kind, shared, offset, extra }: WaitSpec, deadline: Deadline): Outcome {
  return shared.region.waitSync(kind, offset, extra, shared.enter(), millisecondsLeft(deadline));
}

/** A wait on a thread. Each of its methods ends it. */
export class Pending {
  readonly #room: Room;
  readonly #ticket: number;

  constructor(room: Room, ticket: number) {
    this.#room = room;
    this.#ticket = ticket;
  }

  /** What it has got by now. */
  stop(): Outcome {
    return this.#room.end(this.#ticket, 'stop');
  }

  /** The time is up: what comes at this last moment. */
  giveUp(): Outcome {
    return this.#room.end(this.#ticket, 'giveUp');
  }

  /** What has come goes back. */
  cancel(): void {
    this.#room.end(this.#ticket, 'cancel');
  }
}

/** Milliseconds that an empty room is kept. */
const LINGER = 500;

class Room {
  readonly #room: WaitRoomObject = new native.WaitRoom();
  readonly #poller: PollerHandle;
  readonly #waits: Map<number, (outcome: Outcome) => void> = new Map();
  readonly #linger: NodeJS.Timeout = setTimeout(closeIdleRoom, LINGER).unref();

  constructor() {
    this.#poller = new native.Poller(this.#room.fd(), () => this.#serve());
    this.#poller.start(READABLE);
  }

  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  start({ kind, shared, offset, extra }: WaitSpec, onDone: (outcome: Outcome) => void): Pending {
    const ticket = this.#room.start(shared.region, kind, offset, extra, shared.enter());
    if (this.#waits.size === 0) this.#poller.ref();
    this.#waits.set(ticket, onDone);
    return new Pending(this, ticket);
  }

  end<How extends 'stop' | 'giveUp' | 'cancel'>(ticket: number, how: How): ReturnType<WaitRoomObject[How]> {
    this.#waits.delete(ticket);
    if (this.#waits.size === 0) {
      this.#poller.unref();
      this.#linger.refresh();
    }
    return this.#room[how](ticket) as ReturnType<WaitRoomObject[How]>;
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#waits.clear();
    this.#poller.close();
    this.#room.close();
  }

  #serve(): void {
    for (const ticket of this.#room.done()) {
      const onDone = this.#waits.get(ticket);
      if (onDone !== undefined) onDone(this.end(ticket, 'stop'));
    }
  }
}

/** The parent's waits, and their threads, are the parent's. */
const room = perProcess<Room | undefined>(
  () => undefined,
  (inherited) => {
    inherited?.close();
    return undefined;
  },
);

function closeIdleRoom(): void {
  if (room.value?.isEmpty !== true) return;
  room.value.close();
  room.value = undefined;
}

/** Begins a wait; `onDone` is called from the event loop, unless the wait is ended before. @throws EAGAIN; EMFILE. */
export function startWaiting(spec: WaitSpec, onDone: (outcome: Outcome) => void): Pending {
  room.value ??= new Room();
  return room.value.start(spec, onDone);
}

/** The longest that a timer of Node can wait. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Calls once the deadline has come; returns what stops that. */
export function atDeadline(deadline: Deadline, run: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const set = (): void => {
    const left = millisecondsLeft(deadline);
    if (left === 0) run();
    else timer = setTimeout(set, Math.min(Math.ceil(left), LONGEST_TIMER));
  };
  if (deadline !== Number.POSITIVE_INFINITY) set();
  return () => clearTimeout(timer);
}
