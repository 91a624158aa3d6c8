/** SharedMemory: a named block of memory that every process maps. */

import { constants as bufferConstants } from 'node:buffer';
import { closeSync, constants as fsConstants, fstatSync } from 'node:fs';
import { inspect } from 'node:util';
import { mapForReading, mapMemory } from '../internal/mapping.js';
import { bareName, underRandomName } from '../internal/object_names.js';
import { systemError } from '../internal/system_error.js';
import { keepAtExit, removeAtExit } from '../internal/tree_names.js';
import { invalidArgType, validateBoolean, validateInteger, validateOptions } from '../internal/validate.js';
import { native } from '../native/load.js';
import { CannotTravel, registerCodec } from '../serialization/registry.js';
import { unmapMemory } from './unmap.js';

/** Of SharedMemory.create(). Python: the arguments of `SharedMemory()`. */
export interface SharedMemoryCreateOptions {
  /** Bytes, at least 1. */
  size: number;
  /** 'frames' or '/frames'. Default: one that nobody has. */
  name?: string | undefined;
  /** Permissions, less the umask. Default 0o600. */
  mode?: number | undefined;
  /** The name outlives the tree of processes that made the segment, until unlink(). Default false. */
  persist?: boolean | undefined;
}

/** Of SharedMemory.open(). Python: none. */
export interface SharedMemoryOpenOptions {
  /** Whether what is written here reaches nobody, as open() says. Default false. */
  readOnly?: boolean | undefined;
}

const { O_RDONLY, O_RDWR } = fsConstants;
const OWNER_ONLY = 0o600;
const ALL_PERMISSIONS = 0o777;

/** Keeps the constructor for create() and open(). */
const internal = Symbol('internal');

interface Segment {
  readonly name: string;
  readonly buffer: ArrayBuffer;
  /** Tells it from another segment of that name. */
  readonly inode: number;
  readonly readOnly: boolean;
}

/** The segment is whole, and written down, before anybody can see it. */
function makeSegment(name: string, size: number, mode: number, persist: boolean): Segment {
  const file = `/${name}`;
  const fd = native.makeNamelessObject(mode);
  try {
    native.posixFallocate(fd, 0, size);
    const buffer = mapMemory(fd, size);
    const inode = fstatSync(fd).ino;
    if (!persist) removeAtExit(file, inode);
    try {
      native.nameObject(fd, file);
    } catch (error) {
      unmapMemory(buffer);
      if (!persist) keepAtExit(file, inode);
      throw error;
    }
    return { name, buffer, inode, readOnly: false };
  } finally {
    closeSync(fd);
  }
}

function openSegment(name: string, readOnly: boolean): Segment {
  const fd = native.shmOpen(`/${name}`, readOnly ? O_RDONLY : O_RDWR, 0);
  try {
    const { size, ino: inode } = fstatSync(fd);
    return { name, buffer: readOnly ? mapForReading(fd, size) : mapMemory(fd, size), inode, readOnly };
  } finally {
    closeSync(fd);
  }
}

/**
 * A block of memory with a name, the same bytes in every process that has it open: no copies, no messages. It is POSIX
 * shared memory: C's shm_open('/name') and Python's SharedMemory('name') reach the same one. Python:
 * `multiprocessing.shared_memory.SharedMemory`.
 *
 * Nothing orders what the processes do to the bytes: Atomics do for single elements of a typed array, a Lock for more.
 * Nothing of it blocks, but create().
 *
 * The name is removed when the last process of the tree that created it has ended, however that ended, unless it
 * persists; other trees' processes that only opened it remove nothing. Mappings live on. It is shared under 'fork' by
 * being captured in a closure, and travels in messages by its name.
 *
 * A segment that some other program makes shorter (this library never does) loses the pages past its new end: they are
 * zeros of this process's own from when they are next touched, and what is written there reaches nobody. (Elsewhere that
 * ends the process with SIGBUS.)
 *
 * ```js
 * using totals = SharedMemory.create({ size: 8 });
 * const counter = new BigInt64Array(totals.buffer);
 * const child = new Process({ target: () => void Atomics.add(counter, 0, 1n) });
 * ```
 */
export class SharedMemory {
  /** Without the leading '/', as Python has it. Python: `name` */
  readonly name: string;
  /** Bytes, as asked for at create(). Python: `size` */
  readonly size: number;
  readonly #inode: number;
  readonly #buffer: ArrayBuffer;
  readonly #bytes: Uint8Array;
  readonly #readOnly: boolean;
  #closed = false;

  private constructor(key: typeof internal, { name, buffer, inode, readOnly }: Segment) {
    if (key !== internal) throw new TypeError('a SharedMemory is made by SharedMemory.create() or .open()');
    this.name = name;
    this.size = buffer.byteLength;
    this.#inode = inode;
    native.guard(buffer);
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#readOnly = readOnly;
  }

  /**
   * Makes a new segment of `size` bytes, all zero. Its space is reserved now, which takes 0.1 to 0.3 ms a megabyte and
   * blocks: what fits here never fails later.
   *
   * Python: `SharedMemory(create=True)`. shm_open(3), open(2): O_TMPFILE
   * @throws EEXIST; ENOSPC; EACCES; EMFILE; ERR_OUT_OF_RANGE: a size below 1, with a fraction or above
   * `buffer.constants.MAX_LENGTH`; ERR_INVALID_ARG_VALUE: a name with a second '/', a NUL, nothing, or more than 255
   * bytes; ERR_INVALID_ARG_TYPE.
   */
  static create(options: SharedMemoryCreateOptions): SharedMemory {
    if (options === undefined) throw invalidArgType('options', 'of type object', options);
    validateOptions(options, 'options');
    const { size, mode = OWNER_ONLY, persist = false } = options;
    validateInteger(size, 'options.size', 1, bufferConstants.MAX_LENGTH);
    validateInteger(mode, 'options.mode', 0, ALL_PERMISSIONS);
    validateBoolean(persist, 'options.persist');
    const make = (name: string): Segment => makeSegment(name, size, mode, persist);
    const segment =
      options.name === undefined ? underRandomName(make).made : make(bareName(options.name, 'options.name'));
    return new SharedMemory(internal, segment);
  }

  /**
   * Opens an existing segment, as large as it is.
   *
   * With `readOnly` no write gets out of this process: JavaScript can't forbid writing to an ArrayBuffer, so what is
   * written only changes this process's own view of these pages (4 KiB each), and that until it next asks for `buffer`
   * or `bytes`: then the view is what the others see again, in every typed array that stands on it.
   *
   * Python: `SharedMemory(name)`. shm_open(3)
   * @throws ENOENT; EACCES; EINVAL: a segment of size 0; EMFILE; ERR_INVALID_ARG_VALUE: a name with a second '/', a NUL,
   * nothing, or more than 255 bytes; ERR_INVALID_ARG_TYPE.
   */
  static open(name: string, options: SharedMemoryOpenOptions = {}): SharedMemory {
    const bare = bareName(name, 'name');
    validateOptions(options, 'options');
    const { readOnly = false } = options;
    validateBoolean(readOnly, 'options.readOnly');
    return new SharedMemory(internal, openSegment(bare, readOnly));
  }

  /** The memory itself, not a copy; byteLength is `size`. After close() every view of it has length 0. Python: `buf` */
  get buffer(): ArrayBuffer {
    this.#dropStrayWrites();
    return this.#buffer;
  }

  /** The memory as bytes. Python: `buf` */
  get bytes(): Uint8Array {
    this.#dropStrayWrites();
    return this.#bytes;
  }

  /**
   * Unmaps the memory from this process: `buffer` and every view of it have length 0 from here on; reading an element
   * gives undefined, writing one does nothing, methods throw TypeError. The segment and its name stay. Idempotent.
   * Never throws.
   * Python: `close()`
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // Whoever has transferred the buffer has it unmapped with the new one.
    if (this.#buffer.byteLength > 0) unmapMemory(this.#buffer);
  }

  /**
   * Removes the name; who has the segment open keeps it. Also after close().
   *
   * Python: `unlink()`. shm_unlink(3)
   * @throws ENOENT when the name is gone.
   */
  unlink(): void {
    native.shmUnlink(`/${this.name}`);
    keepAtExit(`/${this.name}`, this.#inode);
  }

  /** close(). */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `SharedMemory '${this.name}' <${this.#closed ? 'closed' : `${this.size} bytes`}>`;
  }

  #dropStrayWrites(): void {
    if (this.#readOnly && !this.#closed) native.discardWrites(this.#buffer);
  }

  static {
    registerCodec(SharedMemory, {
      name: 'SharedMemory',
      pack: (object): Packed => {
        const memory = object as SharedMemory;
        if (memory.#closed) throw new CannotTravel('is a closed SharedMemory');
        return { name: memory.name, inode: memory.#inode, readOnly: memory.#readOnly };
      },
      unpack: (packed) => {
        const { name, inode, readOnly } = packed as Packed;
        const memory = SharedMemory.open(name, { readOnly });
        if (memory.#inode === inode) return memory;
        memory.close();
        throw systemError('ENOENT', 'shm_open'); // another one has the name by now
      },
    });
  }
}

interface Packed {
  readonly name: string;
  readonly inode: number;
  readonly readOnly: boolean;
}
