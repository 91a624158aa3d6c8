/** What a fresh process runs for the tests of names. */

import { SharedMemory } from 'posix-multiprocessing';

export function make(name: string): void {
  SharedMemory.create({ name, size: 1 }).close();
}
