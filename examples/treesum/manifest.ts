/** A list of digests in sha256sum's format, complete or not there at all. */

import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { InputError } from './options.js';

/** Bytes that are gathered before they are written. */
const BATCH = 64 * 1024;

/** GNU escapes a name with one of these, and announces it by a backslash before the digest. sha256sum(1), cksum(1) */
const ESCAPES = new Map([
  [0x0a, Buffer.from('\\n')],
  [0x0d, Buffer.from('\\r')],
  [0x5c, Buffer.from('\\\\')],
]);
const ESCAPED = [...ESCAPES.keys()];
const NEWLINE = Buffer.from('\n');

/** One line, for any name that a file can have. */
export function manifestLine(digest: string, name: Buffer): Buffer {
  if (!ESCAPED.some((byte) => name.includes(byte))) return Buffer.concat([Buffer.from(`${digest}  `), name, NEWLINE]);
  const escaped = Array.from(name, (byte) => ESCAPES.get(byte) ?? Buffer.of(byte));
  return Buffer.concat([Buffer.from(`\\${digest}  `), ...escaped, NEWLINE]);
}

/** Writes to a temporary file beside the final one, which takes its place at commit(); disposed before, it disappears. */
export class Manifest {
  readonly file: string;
  readonly temporary: string;
  #fd: number | undefined;
  #lines: Buffer[] = [];
  #size = 0;

  /** @throws InputError if `file` is something else than a file; system errors */
  constructor(file: string) {
    this.file = finalPath(file);
    this.temporary = path.join(path.dirname(this.file), `.${path.basename(this.file)}.${process.pid}.tmp`);
    this.#fd = openSync(this.temporary, 'wx');
  }

  add(digest: string, name: Buffer): void {
    const line = manifestLine(digest, name);
    this.#lines.push(line);
    this.#size += line.length;
    if (this.#size >= BATCH) this.#write();
  }

  commit(): void {
    this.#write();
    renameSync(this.temporary, this.file);
    this.#close();
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    rmSync(this.temporary, { force: true });
    this.#close();
  }

  #write(): void {
    let rest = Buffer.concat(this.#lines, this.#size);
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#fd as number, rest));
    this.#lines = [];
    this.#size = 0;
  }

  #close(): void {
    closeSync(this.#fd as number);
    this.#fd = undefined;
  }
}

/** Links resolved, for rename(2) would replace them. A device (/dev/stdout!) or a FIFO must not be replaced either. */
function finalPath(file: string): string {
  const directory = realpathSync(path.dirname(path.resolve(file)));
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined) return path.join(directory, path.basename(file));
  if (!there.isFile()) throw new InputError(`${file}: not a regular file`);
  return realpathSync(file);
}
