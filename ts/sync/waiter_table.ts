/** The places of those who wait at a Condition or a Barrier (native/ipc/waiter_table.h). */

import { type RegionObject, waiterTableBytes } from '../native/lock.js';
import type { WaitKind } from '../native/wait_room.js';
import { allocate, freeNow, freeWith, type Place } from './arena.js';
import type { WaitSpec } from './waiting.js';

export class WaiterTable {
  readonly #owner: object;
  readonly #place: Place;

  /** @throws ENOMEM. */
  constructor(owner: object, capacity: number, parties: number) {
    this.#owner = owner;
    this.#place = allocate(waiterTableBytes(capacity));
    freeWith(owner, this.#place);
    this.region.prepareTable(this.offset, capacity, parties);
  }

  get region(): RegionObject {
    return this.#place.shared.region;
  }

  /** Bytes. */
  get offset(): number {
    return this.#place.offset;
  }

  /** This process's token. */
  enter(): number {
    return this.#place.shared.enter();
  }

  /** How to wait in a slot, or for what else `extra` says. */
  spec(kind: WaitKind, extra: number): WaitSpec {
    return { kind, shared: this.#place.shared, offset: this.#place.offset, extra };
  }

  close(): void {
    freeNow(this.#owner, this.#place);
  }
}
