/** Small files in batches: one by one they would spend more time in queues than being read. */

import { lstatSync } from 'node:fs';

/** A batch is full with so many files, or bytes. So whatever is large goes alone, or last in its batch. */
const FULL = { files: 64, bytes: 512 * 1024 };

/** Takes paths in portions of any size. */
export async function* batches(portions: AsyncIterable<Buffer[]>): AsyncGenerator<Buffer[]> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for await (const portion of portions) {
    for (const path of portion) {
      batch.push(path);
      bytes += sizeOf(path);
      if (batch.length < FULL.files && bytes < FULL.bytes) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/** 0 if it is not there any more, or not to be seen: the worker will find out. */
export function sizeOf(path: Buffer): number {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}
