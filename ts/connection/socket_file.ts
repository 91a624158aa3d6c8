/** The files of Unix sockets: made, removed at the end, and replaced where a killed process has left one. */

import { closeSync, lstatSync, mkdtempSync, openSync, readdirSync, rmdirSync, rmSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { perProcess } from '../internal/per_process.js';
import { native } from '../native/load.js';
import { fitsAddress, isAbstract } from './address.js';

const LOCK_EX = 2;
const FOLDER = /^mp-(\d+)-[A-Za-z0-9]{6}$/;
const FILE = 'listener';

/** A socket that listens at a path. */
export interface ListeningFile {
  readonly fd: number;
  /** Removes the file, if it is still this socket's, and the folder that was made for it. Idempotent. */
  remove(): void;
}

function statusOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Whether a socket's file is there that nobody listens at any more. */
function isStale(path: string): boolean {
  if (statusOf(path)?.isSocket() !== true) return false;
  try {
    const connection = native.connectTo(path, undefined);
    if (connection !== undefined) native.closeFd(connection.fd);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  }
}

/** Runs it while no other process does so in this folder: between bind and listen a socket looks like a stale one. */
function withFolderLocked<T>(folder: string, body: () => T): T {
  let lock: number;
  try {
    lock = openSync(folder, 'r');
  } catch {
    return body(); // bind() will tell what is wrong with the folder; without leave to read it there is no lock
  }
  try {
    native.flock(lock, LOCK_EX);
    return body();
  } finally {
    closeSync(lock);
  }
}

/** What the parent listens at is the parent's to remove. */
const own = perProcess(() => new Set<ListeningFile>());

function removeOwn(): void {
  for (const file of [...own.value]) file.remove();
}

/** @throws EADDRINUSE: somebody listens there, or it is a file of another kind. */
export function listenAtPath(path: string, backlog: number, folder?: string): ListeningFile {
  if (isAbstract(path)) {
    return { fd: native.listenAt(path, undefined, backlog), remove() {} };
  }
  const fd = withFolderLocked(dirname(path), () => {
    if (isStale(path)) rmSync(path, { force: true });
    return native.listenAt(path, undefined, backlog);
  });
  const inode = statusOf(path)?.ino;
  const file: ListeningFile = {
    fd,
    remove() {
      if (!own.value.delete(file)) return;
      if (inode !== undefined && statusOf(path)?.ino === inode) rmSync(path, { force: true });
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
  own.value.add(file);
  // Forked children lose their parent's listeners.
  if (!process.listeners('exit').includes(removeOwn)) process.on('exit', removeOwn);
  return file;
}

/** Listens at a new path in a folder that only this user may enter. */
export function listenInPrivate(backlog: number): ListeningFile & { readonly path: string } {
  const base = fitsAddress(join(tmpdir(), `mp-${process.pid}-XXXXXX`, FILE)) ? tmpdir() : '/tmp';
  sweep(base);
  const folder = mkdtempSync(join(base, `mp-${process.pid}-`));
  try {
    const path = join(folder, FILE);
    return Object.assign(listenAtPath(path, backlog, folder), { path });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Removes what killed processes of this user have left. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const folder = join(base, name);
    try {
      if (statusOf(folder)?.uid !== process.getuid?.() || !isStale(join(folder, FILE))) continue;
      rmSync(join(folder, FILE));
      rmdirSync(folder);
    } catch {
      // somebody else was faster
    }
  }
}
