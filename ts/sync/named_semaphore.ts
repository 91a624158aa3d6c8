/** Named POSIX semaphores as shared words: opened or created, and removed at the end of who created them. */

import { systemError } from '../internal/system_error.js';
import { keepAtExit, removeAtExit } from '../internal/tree_names.js';
import { native } from '../native/load.js';
import type { RegionObject } from '../native/lock.js';
import { type Origin, type PackedName, SEMAPHORE_PREFIX } from './origin.js';
import { SharedWords } from './shared_words.js';

const OWNER_ONLY = 0o600;

function nameOf(name: string): string {
  return `/${SEMAPHORE_PREFIX}${name}`;
}

/** The semaphore is whole, and written down, before anybody can see it. @throws EEXIST. */
function create(name: string, persist: boolean, value: number): RegionObject {
  const region = new native.Region({ mode: OWNER_ONLY, value });
  if (!persist) removeAtExit(nameOf(name), region.inode());
  try {
    region.name(name);
  } catch (error) {
    region.closeFile();
    if (!persist) keepAtExit(nameOf(name), region.inode());
    throw error;
  }
  return region;
}

/** The semaphore of that name: the one that is there, else a new one. Others may make and remove it meanwhile. */
function openOrCreate(name: string, persist: boolean, value: number): RegionObject {
  for (let isThere = true; ; isThere = !isThere) {
    try {
      return isThere ? new native.Region({ name }) : create(name, persist, value);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    }
  }
}

/** Those that this process has, by their inodes: whoever opens one again gets the same. */
const known = new Map<number, WeakRef<SharedWords>>();
const forgotten = new FinalizationRegistry<number>((inode) => {
  if (known.get(inode)?.deref() === undefined) known.delete(inode);
});

function wordsOf(region: RegionObject): SharedWords {
  const inode = region.inode();
  const before = known.get(inode)?.deref();
  if (before !== undefined) return before;
  const words = new SharedWords(region);
  known.set(inode, new WeakRef(words));
  forgotten.register(words, inode);
  return words;
}

/** The one that a message tells of. @throws ENOENT: the name is gone, or another one's by now. */
function openAgain({ name, inode }: PackedName): SharedWords {
  const region = new native.Region({ name });
  if (region.inode() !== inode) throw systemError('ENOENT', 'sem_open');
  return wordsOf(region);
}

/**
 * Opens it, or makes it with that value; one that has come in a message has to be there.
 * @throws EACCES; EMFILE; ENOSPC; ENOENT: it is gone; EINVAL, EPROTO: what is there is no semaphore.
 */
export function openNamed(name: string, { persist, packed }: Origin, value: number): SharedWords {
  if (packed !== undefined) return openAgain(packed as PackedName);
  return wordsOf(openOrCreate(name, persist, value));
}

export function packName(name: string, { region }: SharedWords): PackedName {
  return { name, inode: region.inode() };
}

/** Without a name nothing happens. @throws ENOENT when it is gone. */
export function unlinkNamed(name: string | undefined, { region }: SharedWords): void {
  if (name === undefined) return;
  native.semUnlink(`/${name}`);
  keepAtExit(nameOf(name), region.inode());
}
