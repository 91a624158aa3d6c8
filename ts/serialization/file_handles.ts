/**
 * FileHandles in messages. Node makes one only by opening a file, on the loop: so whoever receives descriptors opens
 * spare ones first, and a descriptor that arrives takes the place of a spare's (dup2(2)).
 */

import { fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { builtin } from '../internal/builtins.js';
import { native } from '../native/load.js';
import { Descriptor } from './descriptor.js';
import { CannotTravel, registerShape } from './registry.js';

const spares: FileHandle[] = [];

function mayBeFile(fd: number): boolean {
  const status = fstatSync(fd);
  return !status.isSocket();
}

/** The name of the codec, as it stands in a message. */
const NAME = 'FileHandle';
/** Bytes that are looked through for it. */
const MOST_LOOKED_AT = 1024 * 1024;

function mayHaveFiles(bytes: Uint8Array): boolean {
  const { buffer, byteOffset, length } = bytes;
  return length > MOST_LOOKED_AT || Buffer.from(buffer, byteOffset, length).includes(NAME, 0, 'latin1');
}

/** Runs `body`, which deserialises a message of these bytes and descriptors, with a spare for each that may be a file. */
export async function withSpares<R>(bytes: Uint8Array, descriptors: readonly number[], body: () => R): Promise<R> {
  if (!mayHaveFiles(bytes)) return body();
  const wanted = descriptors.filter(mayBeFile).length;
  const opened: FileHandle[] = [];
  try {
    for (let count = 0; count < wanted; count += 1) opened.push(await builtin.filePromises().open('/dev/null'));
    spares.push(...opened);
    return body();
  } finally {
    const left = spares.splice(0);
    for (const spare of left) await spare.close();
  }
}

interface Packed {
  readonly fd: Descriptor;
}

/** Makes them known; called once. */
export function registerFileHandles(): void {
  registerShape((object) => object.constructor?.name === NAME && 'getAsyncId' in object && 'fd' in object, {
    name: NAME,
    pack: (object): Packed => {
      const { fd } = object as FileHandle;
      if (fd < 0) throw new CannotTravel('is a closed FileHandle');
      return { fd: new Descriptor(fd) };
    },
    unpack: (packed) => {
      const spare = spares.pop();
      if (spare === undefined) {
        throw new CannotTravel('a FileHandle can be received by recv() and get() only, not by their Sync twins');
      }
      const fd = (packed as Packed).fd.take();
      native.dupOnto(fd, spare.fd, true);
      native.closeFd(fd);
      return spare;
    },
  });
}
