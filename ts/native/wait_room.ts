/** The face of native/binding/wait_room_api.cc. */

import type { RegionObject } from './lock.js';

/** As wait_room_api.cc numbers them. */
export const WaitKind = {
  wordLock: 0,
  semLock: 1,
  units: 2,
  restoredUnits: 3,
  event: 4,
  condition: 5,
  barrier: 6,
  barrierRoom: 7,
} as const;
export type WaitKind = (typeof WaitKind)[keyof typeof WaitKind];

/** How a wait ended: false when it has not, true, or a number that says more. */
export type Outcome = boolean | number;

export interface WaitRoomObject {
  /** Polls readable while done() has something; it stays the room's. */
  fd(): number;
  /** Waits on a thread; a ticket. `extra` and the number in the outcome depend on the kind. */
  start(region: RegionObject, kind: WaitKind, offset: number, extra: number, self: number): number;
  /** The tickets of waits that are done, each still to be stopped. */
  done(): number[];
  /** Ends a wait: what it has got by now. */
  stop(ticket: number): Outcome;
  /** stop() with a last attempt: the time is up. */
  giveUp(ticket: number): Outcome;
  /** Ends a wait that nobody wants any more: what has come goes back. */
  cancel(ticket: number): void;
  /** Cancels all; in a forked child it forgets the parent's. */
  close(): void;
}

export interface WaitRoomBinding {
  WaitRoom: new () => WaitRoomObject;
}
