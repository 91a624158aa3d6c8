/** The life of a forked child above its identity: run, report, wait for its own children, leave. */

import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { childrenToEnd, type EndingChildren, endChildren, endChildrenSync } from './ending.js';

/** As Node does for a promise that never settles at top level (its exit code 13). */
const UNSETTLED = 13;

function report(name: string, error: unknown): void {
  process.stderr.write(`Uncaught error in ${name} (pid ${process.pid}):\n${inspect(error)}\n`);
}

/** Runs the body of a child that has a name. */
export type Life = (name: string, body: () => unknown) => void;

/** Runs an asynchronous child: starts now, ends the process when the promise has settled. */
export function runChild(
  name: string,
  body: () => unknown,
  self: Pick<NodeJS.Process, 'on' | 'exit'> = process,
  children: () => EndingChildren = childrenToEnd,
): void {
  exitWhenNothingIsLeft(self, name);
  void live(name, body, children, () => self.exit());
}

async function live(
  name: string,
  run: () => unknown,
  children: () => EndingChildren,
  leave: () => void,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    report(name, error);
    process.exitCode = 1;
  }
  const ending = children();
  if (ending.daemons.length + ending.others.length > 0) await endChildren(ending);
  // One more turn: an unhandled rejection that the target left is reported, and counts.
  setImmediate(leave);
}

/** Nothing that could settle the target's promise is left in the loop: better an end that says so than none. */
function exitWhenNothingIsLeft(self: Pick<NodeJS.Process, 'on'>, name: string): void {
  self.on('beforeExit', () => {
    process.stderr.write(
      `${name} (pid ${process.pid}) ends: its target's promise never settled and nothing is pending\n`,
    );
    process.exit(UNSETTLED);
  });
}

/** runChild() in the parent, so that V8 has compiled it: see rehearse() in ts/fork/child.ts. */
export function rehearseLife(name: string, body: () => unknown): void {
  const nobody: EndingChildren = { daemons: [], others: [] };
  const double = Object.assign(new EventEmitter(), { exit: () => {} });
  runChild(name, body, double as unknown as NodeJS.Process, () => nobody);
  childrenToEnd();
  endChildrenSync(nobody);
}

/** Runs a synchronous child to its end, on top of whatever frames the parent had. */
export function runChildSync(name: string, run: () => unknown): never {
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
  process.exit();
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
