/** A class of processes whose constructor has parameters: what it sets on the object is there in the child. */

import { importable, isMainProcess, Process } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export class Child extends Process {
  readonly first: string;
  readonly second: string;

  constructor(first: string, second: string) {
    super();
    this.first = first;
    this.second = second;
  }

  override run(): void {
    console.log(`child: ${this.pid} ${this.first} ${this.second}`);
  }
}
importable(import.meta, { Child });

if (isMainProcess()) {
  takeStartMethod();
  const children = [new Child('arg1', 'arg2'), new Child('arg1', 'arg2')];
  for (const child of children) await child.start();
  console.log(`main: ${process.pid}`);
  for (const child of children) await child.join();
}
