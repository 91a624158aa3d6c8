/** This process, as locks in shared memory name their holder. */

import { perProcess } from '../internal/per_process.js';
import { native } from '../native/load.js';

/** What the parent holds, its child does not. */
const token = perProcess<number | undefined>(() => undefined);

/** The same for the life of this process, and no other process's. */
export function ownToken(): number {
  token.value ??= native.processToken();
  return token.value;
}
