/** The SHA-256 of one file. */

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

export interface Digest {
  /** 64 hexadecimal digits. */
  digest: string;
  /** How many were read. */
  bytes: number;
}

/**
 * Reads a file in pieces of the buffer's size and tells `onRead` how far it is. undefined: not a regular file (any more).
 * Synchronous, which is fastest: who calls it is a process of its own.
 */
export function digestFile(path: Buffer, buffer: Buffer, onRead: (bytes: number) => void): Digest | undefined {
  // What was a file when it was listed may be a FIFO by now: opening must neither wait for its writer nor follow a link.
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const hash = createHash('sha256');
    let bytes = 0;
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, count));
      bytes += count;
      onRead(bytes);
    }
    return { digest: hash.digest('hex'), bytes };
  } finally {
    closeSync(fd);
  }
}
