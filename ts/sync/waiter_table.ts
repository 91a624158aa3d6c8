/** The places of those who wait at a Condition or a Barrier (native/ipc/waiter_table.h). */

import { type RegionObject, waiterTableBytes } from '../native/lock.js';
import type { WaitKind } from '../native/wait_room.js';
import { freeNow, type PackedPlace, type Place, packPlace } from './arena.js';
import { type Packed, placeFor } from './origin.js';
import type { WaitSpec } from './waiting.js';

export class WaiterTable {
  readonly #owner: object;
  readonly #place: Place;

  /** `packed`: one that has come in a message. @throws ENOMEM. */
  constructor(owner: object, capacity: number, parties: number, packed: Packed | undefined) {
    this.#owner = owner;
    const { place, isNew } = placeFor(owner, packed, waiterTableBytes(capacity));
    this.#place = place;
    if (isNew) this.region.prepareTable(this.offset, capacity, parties);
  }

  /** For another process. */
  pack(): PackedPlace {
    return packPlace(this.#place);
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
