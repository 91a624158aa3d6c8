/** The life of a forked child above its identity: run, report, wait for its own children, leave. */

import { inspect } from 'node:util';
import { builtin } from '../internal/builtins.js';
import { isThenable } from '../internal/thenable.js';
import { childrenToEnd, type EndingChildren, endChildren, endChildrenSync } from './ending.js';
import { log } from './log.js';

/** As Node does for a promise that never settles at top level (its exit code 13). */
const UNSETTLED = 13;

function report(name: string, error: unknown): void {
  process.stderr.write(`Uncaught error in ${name} (pid ${process.pid}):\n${inspect(error)}\n`);
}

/** What of `process` a child's end needs; in a rehearsal a double has it. */
type Self = Pick<NodeJS.Process, 'emit' | 'exitCode' | 'on'> & {
  _exiting?: boolean;
  reallyExit(code: NodeJS.Process['exitCode']): void;
};
const thisProcess = process as unknown as Self;

/** As Node's process.exit(), whatever the parent's program has put in that one's place: a test runner's guard throws. */
function leave(self: Self): void {
  self._exiting = true;
  self.emit('exit', Number(self.exitCode ?? 0));
  if (self === thisProcess) log(() => `ends with ${self.exitCode ?? 0}`);
  self.reallyExit(self.exitCode ?? 0);
}

/** Runs the body of a child that has a name. */
export type Life = (name: string, body: () => unknown) => void;

/** Runs an asynchronous child: starts now, ends the process when the promise has settled. */
export function runChild(
  name: string,
  body: () => unknown,
  self: Self = thisProcess,
  children: () => EndingChildren = childrenToEnd,
): void {
  if (self === thisProcess) log(() => 'calls run()', name);
  exitWhenNothingIsLeft(self, name);
  void live(name, body, children, () => leave(self));
}

async function live(name: string, run: () => unknown, children: () => EndingChildren, end: () => void): Promise<void> {
  try {
    await run();
  } catch (error) {
    report(name, error);
    process.exitCode = 1;
  }
  const ending = children();
  if (ending.daemons.length + ending.others.length > 0) await endChildren(ending);
  // One more turn: an unhandled rejection that the target left is reported, and counts.
  setImmediate(end);
}

/** Nothing that could settle the target's promise is left in the loop: better an end that says so than none. */
function exitWhenNothingIsLeft(self: Self, name: string): void {
  self.on('beforeExit', () => {
    process.stderr.write(
      `${name} (pid ${process.pid}) ends: its target's promise never settled and nothing is pending\n`,
    );
    self.exitCode = UNSETTLED;
    leave(self);
  });
}

/** runChild() in the parent, so that V8 has compiled it: see rehearse() in ts/fork/child.ts. */
export function rehearseLife(name: string, body: () => unknown): void {
  const nobody: EndingChildren = { daemons: [], others: [] };
  const double = Object.assign(new (builtin.events())(), { exitCode: undefined, reallyExit: () => {} });
  runChild(name, body, double as unknown as Self, () => nobody);
  childrenToEnd();
  endChildrenSync(nobody);
}

/** Runs a synchronous child to its end, on top of whatever frames the parent had. */
export function runChildSync(name: string, run: () => unknown): void {
  log(() => 'calls run()', name);
  try {
    const result = run();
    if (isThenable(result)) {
      process.stderr.write(
        `${name} (pid ${process.pid}): the target returned a promise; use start(), which awaits it\n`,
      );
      process.exitCode = 1;
    }
  } catch (error) {
    report(name, error);
    process.exitCode = 1;
  }
  endChildrenSync(childrenToEnd());
  leave(thisProcess);
}
