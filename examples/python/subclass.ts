/** A class of processes: run() overridden. */

import { currentProcess, importable, isMainProcess, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export class Child extends Process {
  override run(): void {
    if (this !== currentProcess()) throw new Error('in the child the object is the current process');
    console.log(`child: ${this.pid}`);
  }
}
importable(import.meta, { Child });

if (isMainProcess()) {
  takeStartMethod();
  const children = [new Child(), new Child()];
  for (const child of children) await child.start();
  console.log(`main: ${process.pid}`);
  for (const child of children) await child.join();
}
