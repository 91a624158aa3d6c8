/** Trees of files for the tests of treesum, with everything in them that a file system may hold. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory that is removed at the end of the test's scope. */
export class TemporaryDirectory {
  readonly path: string = mkdtempSync(join(tmpdir(), 'mp-treesum-'));

  /** Writes a file, its directories first. */
  write(name: string, content: string | Uint8Array): string {
    const file = join(this.path, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  /** A file that takes long to read and no room on the disk. */
  writeHuge(name: string): string {
    const file = this.write(name, '');
    truncateSync(file, 2 ** 40);
    return file;
  }

  [Symbol.dispose](): void {
    // Node's own fails at names that are no UTF-8 and at paths that are too long.
    execFileSync('rm', ['-rf', this.path]);
  }
}

/** `count` small files in directories of 50, of four types. */
export function fillWithSmallFiles(directory: TemporaryDirectory, count: number): void {
  const types = ['.js', '.json', '.md', ''];
  for (let index = 0; index < count; index++) {
    const name = `d${Math.floor(index / 50)}/file-${index}${types[index % types.length]}`;
    directory.write(name, `${index}\n`.repeat(index % 300));
  }
}

/** Names that are legal and that programs stumble over. */
export const ODD_NAMES: readonly Buffer[] = [
  'with space.txt',
  ' leading and trailing ',
  '-n',
  'new\nline.js',
  'two\n\nlines',
  'back\\slash',
  '\\n',
  'carriage\rreturn',
  'at the end\r',
  'tab\tand bell\x07',
  '\x1b[31mred',
  'ünïcödé.JS',
  '*',
  'quote\'"`$(x)',
].map((name) => Buffer.from(name));

export const INVALID_UTF8: readonly Buffer[] = [
  Buffer.from([0xff, 0xfe, 0x2e, 0x6a, 0x73]),
  Buffer.from([0x61, 0xc3, 0x28]),
];

export class OddTree extends TemporaryDirectory {
  /** What is no regular file, by what the report calls it. */
  readonly omitted: Record<string, number> = {
    'symbolic link': 3,
    'dangling symbolic link': 1,
    'loop of symbolic links': 2,
    FIFO: 1,
    socket: 1,
  };
  #server: Server | undefined;

  async fill(): Promise<this> {
    this.write('plain/empty', '');
    this.write('plain/a.js', 'a');
    this.write('plain/b.js', 'bb');
    this.write('plain/large.bin', Buffer.alloc(3 * 1024 * 1024 + 17, 'x'));
    this.write('plain/.hidden', 'h');
    this.write('plain/archive.tar.gz', 'gz');
    mkdirSync(join(this.path, 'empty directory'));
    const odd = Buffer.from(join(this.path, 'odd', '/'));
    mkdirSync(odd);
    for (const name of [...ODD_NAMES, ...INVALID_UTF8]) writeFileSync(Buffer.concat([odd, name]), name);
    const oddDirectory = Buffer.concat([odd, Buffer.from([0xfc, 0x0a, 0x5c])]);
    mkdirSync(oddDirectory);
    writeFileSync(Buffer.concat([oddDirectory, Buffer.from('/inside')]), 'inside');
    this.#link();
    execFileSync('mkfifo', [join(this.path, 'fifo')]);
    await this.#listen(join(this.path, 'socket'));
    return this;
  }

  #link(): void {
    const links = join(this.path, 'links');
    mkdirSync(links);
    symlinkSync('../plain/a.js', join(links, 'to-file'));
    symlinkSync('..', join(links, 'to-parent'));
    symlinkSync('.', join(links, 'to-self'));
    symlinkSync('nowhere', join(links, 'dangling'));
    symlinkSync('loop-b', join(links, 'loop-a'));
    symlinkSync('loop-a', join(links, 'loop-b'));
  }

  /** A device node needs privileges: true if there is one now. */
  tryDevice(): boolean {
    try {
      execFileSync('mknod', [join(this.path, 'null'), 'c', '1', '3'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  /** A file and a directory that may not be read, unless by root. */
  forbid(): void {
    chmodSync(this.write('forbidden-file', 'secret'), 0o000);
    this.write('forbidden-directory/file', 'secret');
    chmodSync(join(this.path, 'forbidden-directory'), 0o000);
  }

  #listen(path: string): Promise<void> {
    this.#server = createServer();
    return new Promise((resolve, reject) => this.#server?.on('error', reject).listen(path, resolve));
  }

  override [Symbol.dispose](): void {
    this.#server?.close();
    try {
      chmodSync(join(this.path, 'forbidden-directory'), 0o700);
    } catch {
      // there is none
    }
    super[Symbol.dispose]();
  }
}
