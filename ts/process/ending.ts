/** The end of a process that has children: daemons are stopped, the others are waited for. Python: `_exit_function`. */

import { SIGKILL, SIGTERM } from '../internal/signal_numbers.js';
import { log } from './log.js';
import type { Process } from './process.js';
import { tree } from './tree.js';

/** Milliseconds that a daemon has for its clean-up after SIGTERM. */
const DAEMON_GRACE = 1000;

export interface EndingChildren {
  daemons: Process[];
  others: Process[];
}

/** Who runs still, when this process comes to its end. */
export function childrenToEnd(): EndingChildren {
  const all = [...tree.children];
  return { daemons: all.filter(({ daemon }) => daemon), others: all.filter(({ daemon }) => !daemon) };
}

function stop(daemons: readonly Process[], others: readonly Process[]): void {
  for (const { name } of others) log(() => `waits for ${name}`);
  for (const daemon of daemons) {
    log(() => `stops the daemon ${daemon.name}`);
    daemon.sendSignal(SIGTERM);
  }
}

/** For the end of a target: the event loop goes on, the children may need it. */
export async function endChildren({ daemons, others }: EndingChildren): Promise<void> {
  stop(daemons, others);
  await Promise.all([
    ...others.map((child) => child.join()),
    ...daemons.map(async (daemon) => {
      if (await daemon.join({ timeout: DAEMON_GRACE })) return;
      daemon.sendSignal(SIGKILL);
      await daemon.join();
    }),
  ]);
}

/** For 'exit', where nothing asynchronous happens any more. */
export function endChildrenSync({ daemons, others }: EndingChildren): void {
  stop(daemons, others);
  for (const child of others) child.joinSync();
  const graceEnds = performance.now() + DAEMON_GRACE;
  for (const daemon of daemons) {
    if (daemon.joinSync({ timeout: graceEnds - performance.now() })) continue;
    daemon.sendSignal(SIGKILL);
    daemon.joinSync();
  }
}

/** A listener of 'exit', once per process from its first child on: forked children lose their parent's and get it again. */
export function endChildrenAtExit(): void {
  // First of all listeners: the children may need what the others give up, names of shared memory above all.
  if (!process.listeners('exit').includes(endAllSync)) process.prependListener('exit', endAllSync);
}

function endAllSync(): void {
  endChildrenSync(childrenToEnd());
}
