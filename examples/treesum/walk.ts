/** The paths of all regular files below a directory, a portion of a directory at a time. */

import { type Dir, type Dirent, statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { vanished, whyNot } from './reasons.js';

/** Told of everything that is not yielded. `failed`: it should have been, but could not be read. */
export type Omit = (path: Buffer, reason: string, failed: boolean) => void;

const SLASH = Buffer.from('/');

/** Entries of a directory that are read at a time. */
const PORTION = 256;

/**
 * Names are bytes on Linux, hence Buffers. One directory is open at a time and read in portions, so memory grows with
 * the directories still to be visited, not with the files.
 */
export async function* walk(root: Buffer, omit?: Omit, signal?: AbortSignal): AsyncGenerator<Buffer[]> {
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    signal?.throwIfAborted();
    try {
      for await (const entries of portionsOf(path)) {
        const files: Buffer[] = [];
        for (const entry of entries) {
          const name = join(path, entry.name);
          if (entry.isFile()) files.push(name);
          else if (entry.isDirectory()) pending.push(name);
          else omit?.(name, kindOf(entry, name), false);
        }
        yield files;
      }
    } catch (error) {
      omit?.(path, whyNot(error), true);
    }
  }
}

/** Opening may have to wait for a disk. Reading is synchronous: a promise for each entry costs more than all the rest. */
async function* portionsOf(path: Buffer): AsyncGenerator<Dirent<Buffer>[]> {
  // 'buffer' is an encoding that opendir knows and its types don't.
  const directory = await opendir(path, { encoding: 'buffer' as BufferEncoding, bufferSize: PORTION });
  try {
    for (let entries = portionOf(directory); entries.length > 0; entries = portionOf(directory)) yield entries;
  } finally {
    directory.closeSync();
  }
}

function portionOf(directory: Dir): Dirent<Buffer>[] {
  const entries: Dirent<Buffer>[] = [];
  while (entries.length < PORTION) {
    const entry = directory.readSync() as Dirent<Buffer> | null;
    if (entry === null) break;
    entries.push(entry);
  }
  return entries;
}

function join(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat(directory.at(-1) === SLASH[0] ? [directory, name] : [directory, SLASH, name]);
}

function kindOf(entry: Dirent<Buffer>, path: Buffer): string {
  if (entry.isSymbolicLink()) return kindOfLink(path);
  if (entry.isFIFO()) return 'FIFO';
  if (entry.isSocket()) return 'socket';
  if (entry.isCharacterDevice()) return 'character device';
  if (entry.isBlockDevice()) return 'block device';
  return 'of unknown kind';
}

/** Links are never followed, so none leads the walk in a circle; those that lead nowhere are told apart. */
function kindOfLink(path: Buffer): string {
  try {
    statSync(path);
    return 'symbolic link';
  } catch (error) {
    if (vanished(error)) return 'dangling symbolic link';
    return (error as NodeJS.ErrnoException).code === 'ELOOP' ? 'loop of symbolic links' : 'symbolic link';
  }
}
