/** Makes a forked child a process of its own: identity, randomness, and in a fresh child nothing of the parent's left. */

import { inspect } from 'node:util';
import { builtin } from '../internal/builtins.js';
import { type ForkKind, rehearseRenewal, renewLibraryState } from '../internal/per_process.js';
import type { ForkBinding } from '../native/fork.js';
import { native } from '../native/load.js';
import { runChildHooks } from './hooks.js';
import { forgetHttpConnections } from './http_pools.js';
import { forgetPendingObservers, type Linked, readTimerInternals, type TimerInternals } from './internals.js';
import { renewRandomness } from './randomness.js';
import { detachStandardStreams } from './standard_streams.js';

/** What is made into a child: the process itself, or in a rehearsal a double of it. */
interface Subject {
  readonly self: NodeJS.Process;
  readonly math: { random: () => number };
  readonly timers: TimerInternals;
  readonly binding: Pick<
    ForkBinding,
    'fillRandom' | 'lostDnsQueries' | 'setExitCode' | 'standardStreams' | 'unblockSignals'
  >;
  readonly renewState: (kind: ForkKind) => void;
  readonly forgetConnections: () => void;
  readonly runHooks: () => void;
}

function thisProcess(binding: ForkBinding): Subject {
  return {
    self: process,
    math: Math,
    timers: readTimerInternals(),
    binding,
    renewState: renewLibraryState,
    forgetConnections: forgetHttpConnections,
    runHooks: runChildHooks,
  };
}

/** Runs in every child right after fork(2), before anything else. A child that can't become one ends here, with 1. */
export function becomeChild(binding: ForkBinding, kind: ForkKind, subject: Subject = thisProcess(binding)): void {
  try {
    const { self } = subject;
    // Node's own is a constant of the process that was forked.
    Object.defineProperty(self, 'pid', {
      value: native.getpid(),
      enumerable: true,
      configurable: true,
      writable: false,
    });
    subject.renewState(kind);
    renewRandomness(subject.binding, subject.math);
    recordExitCode(self, subject.binding);
    if (kind === 'fresh') {
      cancelTimers(subject.timers);
      if (subject.binding.lostDnsQueries()) renewResolver();
      dropListeners(self);
      leaveIpcChannel(self);
      subject.forgetConnections();
      detachStandardStreams(self, subject.binding.standardStreams());
      subject.binding.unblockSignals();
    }
    subject.runHooks();
  } catch (error) {
    // Above are only frames of the parent's: they must not see it.
    process.stderr.write(`A forked child failed before its target ran:\n${inspect(error)}\n`);
    process.exit(1);
  }
}

/**
 * V8 compiles a function when it is first called. What each child would have to compile is called here, in the parent, on
 * a double of the process: a child starts a millisecond sooner.
 */
export function rehearse(binding: ForkBinding): void {
  const nothing = (): void => {};
  const double = Object.assign(new (builtin.events())(), {
    hasUncaughtExceptionCaptureCallback: () => process.hasUncaughtExceptionCaptureCallback(),
    send: nothing,
    exitCode: process.exitCode,
  });
  // As on the process: a listener for removals, and some to be removed.
  for (const event of ['removeListener', 'exit', 'exit', 'SIGHUP']) double.on(event, nothing);
  becomeChild(binding, 'fresh', {
    ...thisProcess(binding),
    self: double as unknown as NodeJS.Process,
    math: { random: Math.random },
    timers: { timerListMap: {}, immediateQueue: { head: null } },
    binding: {
      fillRandom: binding.fillRandom,
      lostDnsQueries: () => false,
      standardStreams: () => [],
      setExitCode: nothing,
      unblockSignals: nothing,
    },
    renewState: rehearseRenewal,
    forgetConnections: () => {},
    runHooks: () => runChildHooks([]),
  });
  double.emit('exit', 0);
  const { clearTimeout, clearImmediate } = builtin.timers();
  clearTimeout(setTimeout(nothing));
  clearImmediate(setImmediate(nothing));
  flushesObservers(nothing);
  process.on('exit', nothing).off('exit', nothing);
}

/**
 * Every timer and immediate of the parent, by the public functions, so that Node's tables stay consistent. But for two of
 * Node's own that stand for something to be forgotten: those run now.
 */
function cancelTimers({ timerListMap, immediateQueue }: TimerInternals): void {
  const { clearTimeout, clearImmediate } = builtin.timers();
  const found: Linked[] = [];
  for (const list of Object.values(timerListMap)) {
    for (let timer = list._idlePrev; timer !== list; timer = timer._idlePrev) found.push(timer);
  }
  for (const timer of found) {
    const run = timer._onTimeout;
    clearTimeout(timer as unknown as NodeJS.Timeout);
    if (forgetsHttpDate(run)) run?.();
  }
  const immediates: Linked[] = [];
  for (let next = immediateQueue.head; next !== null; next = next._idleNext) immediates.push(next);
  for (const immediate of immediates) {
    const run = immediate._onImmediate;
    clearImmediate(immediate as unknown as NodeJS.Immediate);
    if (flushesObservers(run)) {
      forgetPendingObservers();
      run?.();
    }
  }
}

/** The end of the second for which node:http keeps its Date header (lib/internal/http.js). */
function forgetsHttpDate(callback: (() => void) | undefined): boolean {
  return (
    callback?.name === 'resetCache' &&
    /^function resetCache\(\) \{\s+utcCache = undefined;\s+\}$/.test(String(callback))
  );
}

/** The delivery to PerformanceObservers, which is scheduled once for all of them (lib/internal/perf/observe.js). */
function flushesObservers(callback: (() => void) | null | undefined): boolean {
  return callback?.name === '' && /^\(\) => \{\s+isPending = false;/.test(String(callback));
}

/** The functions of node:dns get a resolver of their own; those that somebody has made are theirs to replace. */
function renewResolver(): void {
  const dns = process.getBuiltinModule('node:dns');
  const { promises } = dns;
  const [servers, promised] = [dns.getServers(), promises.getServers()];
  dns.setServers(servers);
  promises.setServers(promised);
}

const LIFECYCLE_EVENTS: ReadonlySet<string | symbol> = new Set([
  'exit',
  'beforeExit',
  'uncaughtException',
  'uncaughtExceptionMonitor',
  'unhandledRejection',
  'rejectionHandled',
  'multipleResolves',
  'message',
  'internalMessage',
  'disconnect',
]);

/** What the parent's listeners would do is not the child's business: remove its files, answer its signals, say goodbye. */
function dropListeners(self: NodeJS.Process): void {
  for (const event of self.eventNames()) {
    const signal = typeof event === 'string' && event.startsWith('SIG');
    if (signal || LIFECYCLE_EVENTS.has(event)) self.removeAllListeners(event);
  }
  if (self.hasUncaughtExceptionCaptureCallback()) self.setUncaughtExceptionCaptureCallback(null);
}

/** A child has no part in the channel between its parent and that one's parent (child_process.fork, cluster). */
function leaveIpcChannel(self: NodeJS.Process): void {
  if (self.send === undefined) return;
  const refuse = (): never => {
    throw new Error('process.send() is not available: the IPC channel belongs to the process that was forked');
  };
  Object.defineProperty(self, 'send', { value: refuse, configurable: true, writable: true });
  Object.defineProperty(self, 'disconnect', { value: () => {}, configurable: true, writable: true });
  Object.defineProperty(self, 'connected', { value: false, configurable: true, writable: true });
}

const recorders = new WeakSet<NodeJS.Process>();

/** The end of a dry loop leads to _exit(2), which has to know the code; and coverage is written by Node's shutdown only. */
function recordExitCode(self: NodeJS.Process, binding: Pick<ForkBinding, 'setExitCode'>): void {
  if (recorders.has(self)) return; // inherited from a parent that is a child itself
  recorders.add(self);
  const emit = self.emit;
  const emitAndRecord = function (this: NodeJS.Process, event: string, ...values: unknown[]): boolean {
    const heard: boolean = Reflect.apply(emit, this, [event, ...values]);
    if (event === 'exit') {
      binding.setExitCode(Number(self.exitCode ?? values[0] ?? 0) & 0xff);
      if (process.env['NODE_V8_COVERAGE'] !== undefined) builtin.v8().takeCoverage();
    }
    return heard;
  };
  self.emit = emitAndRecord as typeof self.emit;
}
