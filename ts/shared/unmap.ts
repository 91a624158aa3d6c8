/** munmap(2), for memory whose words may be awaited. */

import { ClosedError } from '../errors.js';
import { failWaits } from '../internal/word_waits.js';
import { native } from '../native/load.js';

/** Unmaps what mapMemory() has mapped: every view of the buffer has length 0 then, and who awaits a word of it is rejected. */
export function unmapMemory(buffer: ArrayBuffer): void {
  failWaits(buffer, () => new ClosedError('the memory was unmapped'));
  native.munmap(buffer);
}
