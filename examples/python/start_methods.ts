/**
 * The start method is set once per program: the second call is refused, and the first one stands. Then four children, one after
 * another.
 */

import { currentProcess, importable, isMainProcess, Process, setStartMethod } from 'posix-multiprocessing';
import { takeStartMethod } from './start_method.js';

export const { tell } = importable(import.meta, {
  tell: (name: string) => console.log(`PID-${currentProcess().pid}:  ${name}`),
});

if (isMainProcess()) {
  takeStartMethod();
  try {
    setStartMethod('spawn');
    setStartMethod('spawn'); // when the command line has set none
  } catch (error) {
    console.log((error as NodeJS.ErrnoException).code);
  }
  for (const name of ['A', 'B', 'C', 'D']) {
    const child = await new Process({ target: tell, args: [name] }).start();
    await child.join();
  }
}
