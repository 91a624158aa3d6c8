/**
 * Modules of Node that few processes need and that take a millisecond or more to load: had when they are asked for, so that
 * a fresh process does not wait for them. All others are imported as usual.
 */

import type assert from 'node:assert';
import type asyncHooks from 'node:async_hooks';
import type childProcess from 'node:child_process';
import type crypto from 'node:crypto';
import type dns from 'node:dns/promises';
import type events from 'node:events';
import type filePromises from 'node:fs/promises';
import type inspector from 'node:inspector';
import type net from 'node:net';
import type os from 'node:os';
import type timers from 'node:timers';
import type v8 from 'node:v8';
import type vm from 'node:vm';
import type workerThreads from 'node:worker_threads';

export const builtin = {
  assert: (): typeof assert => process.getBuiltinModule('node:assert'),
  asyncHooks: (): typeof asyncHooks => process.getBuiltinModule('node:async_hooks'),
  childProcess: (): typeof childProcess => process.getBuiltinModule('node:child_process'),
  crypto: (): typeof crypto => process.getBuiltinModule('node:crypto'),
  dns: (): typeof dns => process.getBuiltinModule('node:dns/promises'),
  events: (): typeof events => process.getBuiltinModule('node:events'),
  filePromises: (): typeof filePromises => process.getBuiltinModule('node:fs/promises'),
  inspector: (): typeof inspector => process.getBuiltinModule('node:inspector'),
  net: (): typeof net => process.getBuiltinModule('node:net'),
  os: (): typeof os => process.getBuiltinModule('node:os'),
  timers: (): typeof timers => process.getBuiltinModule('node:timers'),
  v8: (): typeof v8 => process.getBuiltinModule('node:v8'),
  vm: (): typeof vm => process.getBuiltinModule('node:vm'),
  workerThreads: (): typeof workerThreads => process.getBuiltinModule('node:worker_threads'),
};
