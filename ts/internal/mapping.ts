/** mmap(2) with words for its flags. */

import { native } from '../native/load.js';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

/** mmap(2)'s protection and flags in words. Python: the arguments of mmap.mmap. */
export interface MappingOptions {
  /** Default true. Reading what is not readable raises SIGSEGV. */
  readable?: boolean | undefined;
  /** Default true. Writing what is not writable raises SIGSEGV. */
  writable?: boolean | undefined;
  /** Default true: writes reach the file and all who map it. False: the process keeps them, page by page, to itself. */
  shared?: boolean | undefined;
  /** Bytes from the start of the file, a multiple of the page size. Default 0. */
  offset?: number | undefined;
}

/** Maps `length` bytes of the file behind `fd`, or of zeros without one. The arguments have been checked. */
export function mapMemory(fd: number | undefined, length: number, options: MappingOptions = {}): ArrayBuffer {
  const { readable = true, writable = true, shared = true, offset = 0 } = options;
  const protection = (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0);
  const sharing = shared ? MAP_SHARED : MAP_PRIVATE;
  return native.mmap(fd ?? -1, length, protection, sharing | (fd === undefined ? MAP_ANONYMOUS : 0), offset);
}

/**
 * Maps a file so that writing to it neither reaches the file nor raises a signal: the pages written to become private
 * copies, until native.discardWrites() drops them. `fd` may be open for reading only.
 */
export function mapForReading(fd: number, length: number): ArrayBuffer {
  return native.mmap(fd, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, 0);
}
