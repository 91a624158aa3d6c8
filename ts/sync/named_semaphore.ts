/** Named POSIX semaphores as shared words: opened or created, and removed at the end of who created them. */

import { bareName } from '../internal/object_names.js';
import { keepAtExit, removeAtExit } from '../internal/tree_names.js';
import { validateBoolean, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import type { RegionObject } from '../native/lock.js';
import { SharedWords } from './shared_words.js';

export interface NamedOptions {
  /**
   * A name under which unrelated processes (C and Python programs too) reach the same object: 'jobs' or '/jobs'. Opens
   * what exists (its value stands), else creates it. Without a name the object is private to this process's tree.
   */
  name?: string | undefined;
  /** The name outlives the process that made the object, until unlink(). Default false. */
  persist?: boolean | undefined;
}

/** What glibc puts before a semaphore's name to make its file. sem_overview(7) */
const PREFIX = 'sem.';
const OWNER_ONLY = 0o600;

export interface CheckedName {
  /** Without the slash. */
  readonly name: string | undefined;
  readonly persist: boolean;
}

export function checkName(options: NamedOptions): CheckedName {
  validateOptions(options, 'options');
  const { name, persist = false } = options;
  validateBoolean(persist, 'options.persist');
  return { name: name === undefined ? undefined : bareName(name, 'options.name', PREFIX.length), persist };
}

/** The semaphore of that name: the one that is there, else a new one. Others may make and remove it meanwhile. */
function openOrCreate(name: string, value: number): { region: RegionObject; created: boolean } {
  for (let create = false; ; create = !create) {
    try {
      return { region: new native.Region(name, create ? OWNER_ONLY : undefined, value), created: create };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    }
  }
}

/**
 * Opens it, or makes it with that value.
 * @throws EACCES; EMFILE; ENOSPC; EINVAL, EPROTO: what is there is no semaphore.
 */
export function openNamed(name: string, persist: boolean, value: number): SharedWords {
  const { region, created } = openOrCreate(name, value);
  if (created && !persist) removeAtExit(`/${PREFIX}${name}`, region.inode());
  return new SharedWords(region);
}

/** @throws ENOENT when the name is gone. */
export function unlinkNamed(name: string): void {
  keepAtExit(`/${PREFIX}${name}`);
  native.semUnlink(`/${name}`);
}
