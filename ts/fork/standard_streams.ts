/**
 * A child's standard streams. Input is /dev/null, as in Python. Output goes straight to the descriptor: whatever way the
 * child leaves, what it printed is out, and what the parent had yet to print is not printed twice.
 */

import fs from 'node:fs';
import { WRITABLE, waitReadySync } from '../internal/readiness.js';

const STDIN = 0;

type Output = NodeJS.WriteStream & { fd: number };

/** `inUse`: the descriptors that a stream of the parent's works on, so that others may hold that stream. */
export function detachStandardStreams(self: NodeJS.Process, inUse: readonly number[]): void {
  for (const [fd, name] of [
    [1, 'stdout'],
    [2, 'stderr'],
  ] as const) {
    if (inUse.includes(fd)) writeDirectly(self[name], fd);
    else onFirstUse(self, name, (stream) => writeDirectly(stream as Output, fd));
  }
  if (inUse.includes(STDIN)) silence(self.stdin);
  Object.defineProperty(self, 'stdin', {
    configurable: true,
    enumerable: true,
    get: once(() => fs.createReadStream('/dev/null', { fd: STDIN, autoClose: false })),
  });
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The stream is made when somebody asks for it, as in a fresh process. */
function onFirstUse(
  self: NodeJS.Process,
  name: 'stdout' | 'stderr',
  prepare: (stream: NodeJS.WriteStream) => void,
): void {
  const inherited = Object.getOwnPropertyDescriptor(self, name);
  if (inherited?.get === undefined) return;
  const original = inherited.get;
  Object.defineProperty(self, name, {
    ...inherited,
    get: once(() => {
      const stream: NodeJS.WriteStream = Reflect.apply(original, self, []);
      prepare(stream);
      return stream;
    }),
  });
}

/** Replaces write() of a stream that others may hold: files and terminals are written synchronously by Node already. */
function writeDirectly(stream: Output, fd: number): void {
  if (stream.isTTY || !('_handle' in stream)) return;
  const write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    const done = typeof encoding === 'function' ? encoding : callback;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : chunk;
    try {
      writeAll(fd, bytes);
    } catch (error) {
      stream.destroy(error as Error);
      if (done !== undefined) process.nextTick(done, error);
      return false;
    }
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  Object.defineProperty(stream, 'write', { value: write, configurable: true, writable: true });
  // The parent may have been waiting for 'drain'; a child never has to.
  Object.defineProperty(stream, 'writableNeedDrain', { value: false, configurable: true });
  Object.defineProperty(stream, 'writableLength', { value: 0, configurable: true });
}

/** The descriptor may be non-blocking: the open file description is shared with the parent. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      waitReadySync(fd, WRITABLE, Number.POSITIVE_INFINITY);
    }
  }
}

/** A reader of the parent's that a module still holds: it must not poll /dev/null, which epoll refuses. */
function silence(stream: NodeJS.ReadStream): void {
  const { _handle: handle } = stream as unknown as { _handle?: { readStart?: () => number } };
  if (handle?.readStart !== undefined) handle.readStart = () => 0;
  stream.removeAllListeners();
}
