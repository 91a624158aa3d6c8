/** Finds and loads the binaries: the only module that does. Their typed faces are beside it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AdoptedMemoryBinding } from './adopted_memory.js';
import type { DescriptorBinding } from './descriptor.js';
import type { ForkBinding } from './fork.js';
import type { FrameBinding } from './frame.js';
import type { LaneBinding } from './lane.js';
import type { LimitsBinding } from './limits.js';
import type { LockBinding } from './lock.js';
import type { LockingBinding } from './locking.js';
import type { MemoryBinding } from './memory.js';
import type { NameRegistryBinding } from './name_registry.js';
import type { PollerBinding } from './poller.js';
import type { ProcessBinding } from './process.js';
import type { RingBinding } from './ring.js';
import type { SocketBinding } from './socket.js';
import type { WaitBinding } from './wait.js';
import type { WaitRoomBinding } from './wait_room.js';

function libc(): string {
  const header = (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)?.header;
  return header?.glibcVersionRuntime === undefined ? 'not glibc' : `glibc ${header.glibcVersionRuntime}`;
}

/** A file by its path from dist/, where all code of the library is one file (scripts/bundle.mjs). */
export function packageFile(path: string): URL {
  return new URL(path, import.meta.url);
}

/** Where a binary may be, in order: where MP_BINARY_DIR says, a checkout's own build, the package's prebuilds. */
function candidates(file: string): string[] {
  const override = process.env['MP_BINARY_DIR'];
  return [
    ...(override === undefined ? [] : [join(override, file)]),
    ...[`../build/Release/${file}`, `../prebuilds/${process.platform}-${process.arch}/${file}`].map((path) =>
      fileURLToPath(packageFile(path)),
    ),
  ];
}

function load(what: string, name: string): unknown {
  const tried: string[] = [];
  for (const path of candidates(`${name}.node`)) {
    if (!existsSync(path)) {
      tried.push(`${path}: not there`);
      continue;
    }
    try {
      const module = { exports: {} };
      process.dlopen(module, path);
      return module.exports;
    } catch (error) {
      tried.push(`${path}: ${(error as Error).message}`);
    }
  }
  const error = new Error(
    `posix-multiprocessing: no ${what} for ${process.platform}-${process.arch}, ${libc()}, ` +
      `Node ${process.version} (ABI ${process.versions.modules}).\n` +
      `Tried:\n${tried.map((line) => `  ${line}\n`).join('')}` +
      'Build it from source with a C++20 compiler: npm explore posix-multiprocessing -- npm run build',
  );
  throw Object.assign(error, { code: 'ERR_MP_NO_BINARY' });
}

type Addon = DescriptorBinding &
  FrameBinding &
  LaneBinding &
  LimitsBinding &
  LockBinding &
  LockingBinding &
  MemoryBinding &
  NameRegistryBinding &
  PollerBinding &
  ProcessBinding &
  AdoptedMemoryBinding &
  RingBinding &
  SocketBinding &
  WaitBinding &
  WaitRoomBinding;

/** The path of the tracker's program (native/tracker/main.cc); undefined when it is missing. */
export function trackerProgram(): string | undefined {
  return candidates('tracker').find((path) => existsSync(path));
}

/** The Node-API addon: one binary for every Node version. */
export const native: Addon = load('native addon', 'mp') as Addon;

/** The fork addon, bound to this Node's ABI; most of the library works without. */
export function loadForkBinding(): ForkBinding {
  return load('fork addon', `fork-${process.versions.modules}`) as ForkBinding;
}
