/** Shared memory: named objects, the size of files, mappings as ArrayBuffers. shm_overview(7) */

import { constants as fsConstants } from 'node:fs';
import { type MappingOptions, mapMemory } from '../internal/mapping.js';
import {
  invalidArgValue,
  validateBoolean,
  validateInteger,
  validateOptions,
  validateString,
} from '../internal/validate.js';
import { native } from '../native/load.js';
import { unmapMemory } from '../shared/unmap.js';
import { validateDescriptor } from './arguments.js';

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC } = fsConstants;
const ALL_PERMISSIONS = 0o7777;
const OWNER_ONLY = 0o600;

/** Flags of sem_open and shm_open in words. */
export interface OpenOptions {
  /** O_CREAT: make it when it is not there. Default false. */
  create?: boolean | undefined;
  /** O_EXCL: with `create`, EEXIST when it is there. Default false. */
  exclusive?: boolean | undefined;
}

/** Flags of shmOpen() in words. Python: the flags of _posixshmem.shm_open. */
export interface ShmOpenOptions extends OpenOptions {
  /** O_RDONLY instead of O_RDWR. Default false. */
  readOnly?: boolean | undefined;
  /** O_TRUNC: cut an existing one to size 0. Default false. */
  truncate?: boolean | undefined;
}

export type { MappingOptions } from '../internal/mapping.js';

/** The name of a semaphore or memory object: not one that would end early in C. */
export function validateObjectName(name: unknown): asserts name is string {
  validateString(name, 'name');
  if (name.includes('\0')) throw invalidArgValue('name', 'must not contain NUL', name);
}

export function validateMode(mode: unknown, name: string): asserts mode is number {
  validateInteger(mode, name, 0, ALL_PERMISSIONS);
}

export function openFlags({ create = false, exclusive = false }: OpenOptions): number {
  validateBoolean(create, 'options.create');
  validateBoolean(exclusive, 'options.exclusive');
  return (create ? O_CREAT : 0) | (exclusive ? O_EXCL : 0);
}

/**
 * Opens, or with `create` makes, the memory object of that name ('/name'); returns a descriptor that the caller owns,
 * close-on-exec. A new object has size 0: ftruncate() or posixFallocate() comes next. `mode` (default 0o600) are the
 * permissions of a new one, less the umask. Doesn't block.
 *
 * Python: _posixshmem.shm_open. shm_open(3)
 * @throws ENOENT; EEXIST; EACCES; EINVAL: a second '/' in the name; ENAMETOOLONG.
 */
export function shmOpen(name: string, options: ShmOpenOptions = {}, mode: number = OWNER_ONLY): number {
  validateObjectName(name);
  validateOptions(options, 'options');
  const { readOnly = false, truncate = false } = options;
  validateBoolean(readOnly, 'options.readOnly');
  validateBoolean(truncate, 'options.truncate');
  validateMode(mode, 'mode');
  return native.shmOpen(name, openFlags(options) | (readOnly ? O_RDONLY : O_RDWR) | (truncate ? O_TRUNC : 0), mode);
}

/**
 * Removes the name of a memory object; the object lives on until nobody has it open or mapped. Doesn't block.
 *
 * Python: _posixshmem.shm_unlink. shm_unlink(3)
 * @throws ENOENT; EACCES.
 */
export function shmUnlink(name: string): void {
  validateObjectName(name);
  native.shmUnlink(name);
}

/**
 * A memory object without a name; returns a descriptor that the caller owns, close-on-exec. `label` only shows in
 * /proc. Doesn't block.
 *
 * Python: os.memfd_create. memfd_create(2)
 * @throws EINVAL: a label of more than 249 bytes; EMFILE.
 */
export function memfdCreate(label: string): number {
  validateString(label, 'label');
  if (label.includes('\0')) throw invalidArgValue('label', 'must not contain NUL', label);
  return native.memfdCreate(label);
}

/**
 * Cuts or extends a file to `size` bytes. New ones are zero and take no space yet: where there is none left, touching
 * them through a mapping raises SIGBUS. Doesn't block. Restarted after signals.
 *
 * Python: os.ftruncate. ftruncate(2)
 * @throws EINVAL: not a file, not open for writing; EFBIG.
 */
export function ftruncate(fd: number, size: number): void {
  validateDescriptor(fd);
  validateInteger(size, 'size', 0);
  native.ftruncate(fd, size);
}

/**
 * Reserves the space of `length` bytes from `offset`, extending the file if need be: writing there can't fail for want
 * of space. Blocks while the kernel does so, on shared memory 0.1 to 0.3 ms a megabyte. Restarted after signals.
 *
 * Python: os.posix_fallocate. posix_fallocate(3)
 * @throws ENOSPC: nothing was reserved; ENODEV: not a file; EBADF: not open for writing; EFBIG.
 */
export function posixFallocate(fd: number, offset: number, length: number): void {
  validateDescriptor(fd);
  validateInteger(offset, 'offset', 0);
  validateInteger(length, 'length', 1);
  native.posixFallocate(fd, offset, length);
}

/**
 * Maps `length` bytes of a file, or with `fd` undefined of fresh zeros, into memory: an ArrayBuffer over the mapped
 * bytes, not a copy. The descriptor may be closed afterwards. A forked child has the same memory (shared) or a copy of
 * it (not shared). Unmapped by munmap(), or when the ArrayBuffer is collected. Doesn't block.
 *
 * JavaScript knows no read-only ArrayBuffer: what options.writable false or the end of the file forbids ends the
 * process with SIGSEGV or SIGBUS. SharedMemory has none of these edges.
 *
 * Python: mmap.mmap. mmap(2)
 * @throws EINVAL: an offset that is no multiple of the page size; EACCES: the descriptor is not open for that; ENOMEM;
 * ENODEV; EBADF.
 */
export function mmap(fd: number | undefined, length: number, options: MappingOptions = {}): ArrayBuffer {
  if (fd !== undefined) validateDescriptor(fd);
  validateInteger(length, 'length', 1);
  validateOptions(options, 'options');
  for (const name of ['readable', 'writable', 'shared'] as const) {
    if (options[name] !== undefined) validateBoolean(options[name], `options.${name}`);
  }
  if (options.offset !== undefined) validateInteger(options.offset, 'options.offset', 0);
  return mapMemory(fd, length, options);
}

function validateMapped(buffer: unknown): asserts buffer is ArrayBuffer {
  if (!native.isMapped(buffer)) throw invalidArgValue('buffer', 'must be an ArrayBuffer that mmap() returned', buffer);
}

/**
 * Unmaps the memory behind an ArrayBuffer of mmap() at once: it is detached, and every view of it has length 0.
 * Doesn't block.
 *
 * Python: mmap.close. munmap(2)
 * @throws EINVAL when it is detached already.
 */
export function munmap(buffer: ArrayBuffer): void {
  validateMapped(buffer);
  unmapMemory(buffer);
}

const MS_ASYNC = 1;
const MS_SYNC = 4;

/**
 * Writes what was changed through a shared mapping back to its file. Blocks until it is there, unless `async`. The
 * range is `length` bytes (default: the rest) from `offset` (default 0, a multiple of the page size).
 *
 * Python: mmap.flush. msync(2)
 * @throws EINVAL; EIO; ENOMEM: a range outside the mapping.
 */
export function msync(
  buffer: ArrayBuffer,
  options: { offset?: number | undefined; length?: number | undefined; async?: boolean | undefined } = {},
): void {
  validateMapped(buffer);
  validateOptions(options, 'options');
  const { offset = 0, async = false } = options;
  validateInteger(offset, 'options.offset', 0, buffer.byteLength);
  const { length = buffer.byteLength - offset } = options;
  validateInteger(length, 'options.length', 0, buffer.byteLength - offset);
  validateBoolean(async, 'options.async');
  native.msync(buffer, offset, length, async ? MS_ASYNC : MS_SYNC);
}
