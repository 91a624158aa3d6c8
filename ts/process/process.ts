/** class Process: a child process with a function to run. How it comes to be is the start method's business. */

import { inspect } from 'node:util';
import { ClosedError, ProcessError } from '../errors.js';
import { forkAtCleanPoint, forkFreshSync } from '../fork/launch.js';
import { builtin } from '../internal/builtins.js';
import { deadlineOf, type SyncWaitOptions, signalOf, type WaitOptions } from '../internal/deadline.js';
import { SIGINT, SIGKILL, SIGTERM } from '../internal/signal_numbers.js';
import {
  invalidArgType,
  invalidArgValue,
  validateBoolean,
  validateOptions,
  validateString,
} from '../internal/validate.js';
import { registerHomebody } from '../serialization/registry.js';
import type { Birth, Load } from './birth.js';
import { ChildHandle } from './child_handle.js';
import { type Life, rehearseLife, runChild, runChildSync } from './child_life.js';
import { endChildrenAtExit } from './ending.js';
import { type FreshStart, freshStart, knowToFreshProcesses, type Starter } from './fresh_start.js';
import { log } from './log.js';
import { ParentProcess } from './parent.js';
import { chosenStartMethod, getStartMethod, type StartMethod, validateStartMethod } from './start_method.js';
import { callTarget, isAsyncFunction, type ResolvedTarget, resolveTarget, type Target } from './target.js';
import { nameOfThis, Tree, tree } from './tree.js';

/** What a Process is made with. Python: the arguments of `Process()`. */
export interface ProcessOptions<A extends readonly unknown[]> {
  /** What the child runs; a subclass may override run() instead. */
  target?: Target<A>;
  /** What the target is called with. Under 'fork' the child has them as they are, else they are serialised. */
  args?: A;
  /** Default: the class's name and a number, `Process-1`, nested `Process-1:1`. */
  name?: string;
  /**
   * Default: inherited from the creator. A daemon is stopped when its parent ends, however it ends (SIGKILL included),
   * and never keeps the parent alive; its own children end with it. The parent waits for its other children.
   */
  daemon?: boolean;
  /** Default: getStartMethod(). */
  startMethod?: StartMethod;
}

type State = 'initial' | 'starting' | 'started' | 'closed';

/**
 * A child process that runs a function. Under 'fork' it is a copy of this process, closures and heap included, and costs
 * about 2 ms. The creator owns it: only the process that started it may join or signal it. Only the calls named `…Sync`
 * block.
 *
 * Python: `multiprocessing.Process`. fork(2), pidfd_open(2), waitid(2)
 *
 * @example
 * const greeting = 'hello';
 * const child = new Process({ target: (name: string) => console.log(greeting, name), args: ['world'] });
 * await child.start();
 * await child.join();
 */
// biome-ignore lint/suspicious/noExplicitAny: the contract's default
export class Process<A extends readonly unknown[] = readonly any[]> {
  static #rehearsed = false;
  #path: string = tree.nextPath();
  readonly #creator: number = process.pid;
  readonly #method: StartMethod | undefined;
  #state: State = 'initial';
  #name: string;
  #daemon: boolean;
  #authKey: Uint8Array = tree.authKey;
  #target: ResolvedTarget | undefined;
  #args: A | undefined;
  #child: ChildHandle | undefined;

  /**
   * Starts nothing yet.
   * @throws ERR_INVALID_ARG_TYPE; ERR_MP_TARGET: the module is not there; ERR_MP_START_METHOD: unknown.
   */
  constructor(options: ProcessOptions<A> = {}) {
    validateOptions(options, 'options');
    const { target, args, name, daemon = tree.self?.daemon ?? false, startMethod } = options;
    if (name !== undefined) validateString(name, 'options.name');
    validateBoolean(daemon, 'options.daemon');
    if (args !== undefined && !Array.isArray(args)) throw invalidArgType('options.args', 'an array', args);
    validateStartMethod(startMethod, 'options.startMethod');
    this.#method = startMethod;
    if (target !== undefined) this.#target = resolveTarget(target);
    this.#args = args;
    this.#daemon = daemon;
    this.#name = name ?? `${this.constructor.name}-${this.#path}`;
  }

  /**
   * What the child runs: the default calls `target(...args)`. A returned promise is awaited. Python: `run()`
   * @throws what the target throws.
   */
  run(): unknown | Promise<unknown> {
    return this.#target === undefined ? undefined : callTarget(this.#target, this.#args ?? []);
  }

  /**
   * Starts the child: this process is copied at a point of the event loop where no JavaScript is on the stack. Resolves
   * when `pid` is set. Doesn't block, but for the fork itself.
   *
   * Python: `start()`
   * @throws ERR_MP_PROCESS: started before, or created by another process; ERR_MP_CLOSED; ERR_MP_START_METHOD: fork
   * can't work here, or there is no room for a process, says why; EMFILE; of a fresh process ERR_MP_TARGET: it can't
   * find the function; ERR_MP_SERIALIZE: an argument can't travel.
   */
  async start(): Promise<this> {
    this.#checkStartable();
    const fresh = this.#freshStart();
    this.#state = 'starting';
    this.#started(await this.#orStartableAgain(() => (fresh === undefined ? this.#fork() : fresh.begin())));
    return this;
  }

  /**
   * Starts the child here and now, with the state of this very line. The target must be synchronous: an `async` one
   * throws before anything is started, one that returns a promise all the same ends the child with 1 and says so. Blocks
   * the event loop until the child is there.
   *
   * Python: `start()`
   * @throws as start() does; ERR_INVALID_ARG_VALUE: an async target.
   */
  startSync(): this {
    this.#checkStartable();
    const fresh = this.#freshStart();
    if (fresh === undefined && (isAsyncFunction(this.#target) || isAsyncFunction(this.run))) {
      throw invalidArgValue('target', 'must be synchronous for startSync(); start() awaits an async one', this.#target);
    }
    this.#state = 'starting';
    try {
      this.#started(fresh === undefined ? this.#forkSync() : fresh.beginSync());
    } catch (error) {
      this.#state = 'initial';
      throw error;
    }
    return this;
  }

  /**
   * Resolves true once the child has ended, false on time-out (milliseconds). Any number of times. Python: `join()`
   * @throws ERR_MP_PROCESS: not started, or by another process; ERR_MP_CLOSED; the signal's reason.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    return this.#ownChild('join').join(deadlineOf(options), signalOf(options));
  }

  /** join(), blocking the event loop. Python: `join()` */
  joinSync(options?: SyncWaitOptions): boolean {
    return this.#ownChild('join').joinSync(deadlineOf(options));
  }

  /**
   * False before the start and after the end. Never blocks. Python: `is_alive()`
   * @throws ERR_MP_PROCESS in a process that is not the parent; ERR_MP_CLOSED.
   */
  isAlive(): boolean {
    this.#checkOpen();
    if (tree.self === (this as unknown as Process)) return true;
    if (this.#child === undefined) return false;
    return this.#ownChild('ask about').poll() === undefined;
  }

  /** Sends SIGINT. No effect on an ended process. Python: `interrupt()` (3.14). @throws as sendSignal() does. */
  interrupt(): void {
    this.sendSignal(SIGINT);
  }
  /**
   * Sends SIGTERM. No effect on an ended process; exit handlers and finally blocks of the child don't run.
   * Python: `terminate()`
   * @throws as sendSignal() does.
   */
  terminate(): void {
    this.sendSignal(SIGTERM);
  }
  /** Sends SIGKILL, which nothing can stop. No effect on an ended process. Python: `kill()` @throws as sendSignal() does. */
  kill(): void {
    this.sendSignal(SIGKILL);
  }
  /**
   * Sends any signal, by number or name. No effect on an ended process.
   *
   * Python: none; `os.kill()`. pidfd_send_signal(2)
   * @throws ERR_MP_PROCESS: not started, or by another process; ERR_MP_CLOSED; ERR_INVALID_ARG_VALUE: no such name; EINVAL:
   * no such number; EPERM.
   */
  sendSignal(signal: number | NodeJS.Signals): void {
    const number = typeof signal === 'number' ? signal : builtin.os().constants.signals[signal];
    if (number === undefined) throw invalidArgValue('signal', 'is not the name of a signal', signal);
    this.#checkOpen();
    if (tree.self === (this as unknown as Process)) process.kill(process.pid, number);
    else this.#ownChild('signal').signal(number);
  }

  /**
   * Gives back what the operating system holds for an ended child. Idempotent. Python: `close()`
   * @throws ERR_MP_PROCESS while it runs.
   */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'starting') throw new ProcessError(`${this.#name} is being started: it can't be closed`);
    if (this.#child !== undefined && this.#creator === process.pid) {
      if (this.#child.poll() === undefined) throw new ProcessError(`${this.#name} still runs: join or kill it first`);
      tree.children.delete(this);
      this.#child.close();
    }
    this.#state = 'closed';
  }

  /** For logs, and for people. Python: `name` @throws when set ERR_INVALID_ARG_TYPE. */
  get name(): string {
    return this.#name;
  }
  set name(name: string) {
    validateString(name, 'name');
    this.#name = name;
  }

  /** Whether it ends with its parent. Python: `daemon` @throws when set ERR_INVALID_ARG_TYPE; ERR_MP_PROCESS: was started. */
  get daemon(): boolean {
    return this.#daemon;
  }
  set daemon(daemon: boolean) {
    validateBoolean(daemon, 'daemon');
    if (this.#state !== 'initial') throw new ProcessError(`${this.#name} was started: daemon can't be changed`);
    this.#daemon = daemon;
  }

  /** undefined before the start. Python: `pid` @throws ERR_MP_CLOSED. */
  get pid(): number | undefined {
    this.#checkOpen();
    return tree.self === (this as unknown as Process) ? process.pid : this.#child?.pid;
  }

  /**
   * undefined before the end; 0 normal; n for `process.exit(n)` (mod 256); 1 after an uncaught error (its stack is on
   * stderr); -s when killed by signal number s; 255 when somebody else has reaped the child. Python: `exitcode`
   * @throws ERR_MP_CLOSED.
   */
  get exitCode(): number | undefined {
    this.#checkOpen();
    if (this.#child === undefined || this.#creator !== process.pid) return undefined;
    return this.#child.poll();
  }

  /**
   * A descriptor, a pidfd: polls readable when the child has ended. This object owns it. Python: `sentinel`
   * @throws ERR_MP_PROCESS: before the start, or another process's child; ERR_MP_CLOSED.
   */
  get sentinel(): number {
    return this.#ownChild('wait for').pidfd;
  }

  /**
   * The key, bytes, that connections between this tree's processes authenticate with. Inherited. Python: `authkey`
   * @throws ERR_MP_CLOSED; when set ERR_INVALID_ARG_TYPE.
   */
  get authKey(): Uint8Array {
    this.#checkOpen();
    return this.#authKey;
  }
  set authKey(key: Uint8Array) {
    this.#checkOpen();
    if (!(key instanceof Uint8Array)) throw invalidArgType('authKey', 'an instance of Uint8Array', key);
    this.#authKey = Uint8Array.from(key);
    if (tree.self === (this as unknown as Process)) tree.authKey = this.#authKey;
  }

  /** Terminates a child that still runs, joins and closes; resolves then. Python: none. @throws as join() does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined && this.#state === 'started' && this.#creator === process.pid) {
      this.terminate();
      await this.join();
    }
    this.close();
  }

  static {
    // Not a computed member: --isolatedDeclarations could not name it.
    const value = function (this: Process): string {
      return this.#describe();
    };
    // biome-ignore lint/complexity/noThisInStatic: tsc's alias for the class's name has no value yet in here
    Object.defineProperty(this.prototype, inspect.custom, { value, configurable: true, writable: true });
  }

  #describe(): string {
    const parts = [`name='${this.#name}'`, ...(this.#child === undefined ? [] : [`pid=${this.#child.pid}`])];
    const code = this.#state === 'started' && this.#creator === process.pid ? this.#child?.poll() : undefined;
    const state = code === undefined ? this.#state : `stopped exitCode=${code}`;
    return `<${this.constructor.name} ${parts.join(' ')} ${state}${this.#daemon ? ' daemon' : ''}>`;
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw new ClosedError(`${this.#name} is closed`);
  }

  #checkStartable(): void {
    this.#checkOpen();
    if (this.#creator !== process.pid) throw new ProcessError(`${this.#name} was created by another process`);
    if (this.#state !== 'initial') throw new ProcessError(`${this.#name} was started already: a process starts once`);
    if (tree.bootstrapping) {
      throw new ProcessError(
        `${this.#name} would be started by a module that a fresh process only imports: ` +
          'start processes inside functions, or under if (isMainProcess())',
      );
    }
  }

  #ownChild(verb: string): ChildHandle {
    this.#checkOpen();
    if (this.#creator !== process.pid) {
      throw new ProcessError(`only the process that started ${this.#name} can ${verb} it`);
    }
    if (this.#child === undefined) throw new ProcessError(`can't ${verb} ${this.#name}: it was not started`);
    return this.#child;
  }

  async #orStartableAgain(start: () => Promise<ChildHandle>): Promise<ChildHandle> {
    try {
      return await start();
    } catch (error) {
      this.#state = 'initial';
      throw error;
    }
  }

  #plan(main: () => void): { parentDeathSignal: number; main: () => void } {
    return { parentDeathSignal: this.#daemon || tree.insideDaemon ? SIGKILL : 0, main };
  }

  async #fork(): Promise<ChildHandle> {
    Process.#rehearse();
    const { pid, pidfd } = await forkAtCleanPoint(this.#plan(this.#main(runChild)));
    return new ChildHandle(pid, pidfd);
  }

  #forkSync(): ChildHandle {
    const { pid, pidfd } = forkFreshSync(this.#plan(this.#main(runChildSync)));
    return new ChildHandle(pid, pidfd);
  }

  /** undefined for a fork. @throws ERR_MP_TARGET for what a fresh process can't find */
  #freshStart(): FreshStart | undefined {
    const method = this.#method ?? getStartMethod();
    if (method === 'fork') return undefined;
    const starter: Starter = {
      object: this,
      name: this.#name,
      path: this.#path,
      daemon: this.#daemon,
      authKey: this.#authKey,
      target: this.#target,
      args: this.#args,
    };
    return freshStart(method, starter, (this.#method ?? chosenStartMethod()) === undefined);
  }

  /** @internal In a fresh process: the object that start() was called on, as far as it has travelled. */
  static revive(type: typeof Process, birth: Birth, target: ResolvedTarget | undefined, load: Load): Process {
    const self = tree.unnumbered(() => Reflect.construct(Process, [{ name: birth.name, daemon: birth.daemon }], type));
    self.#path = birth.path;
    self.#authKey = birth.authKey;
    self.#target = target;
    self.#args = load.args;
    self.#state = 'started';
    return Object.assign(self, load.properties);
  }

  /** In the parent: the child is there. */
  #started(child: ChildHandle): void {
    this.#child = child;
    this.#state = 'started';
    // The child has its own; what they hold may go.
    this.#target = undefined;
    this.#args = undefined;
    tree.children.add(this);
    endChildrenAtExit();
    log(() => `started ${this.#name}, pid ${child.pid}`);
    // Reaped at its end, joined or not; unless it is a daemon the event loop stays alive until then.
    child.onEnd = () => {
      tree.children.delete(this);
      log(() => `${this.#name}, pid ${child.pid}, ended with ${child.poll()}`);
    };
    void child.join(Number.POSITIVE_INFINITY, undefined, !this.#daemon);
  }

  /** What the child does, in the async context of this call: this object is then the process itself. */
  #main(life: Life, place: Tree = tree): () => void {
    const context = new (builtin.asyncHooks().AsyncResource)('Process');
    const live = (): void => {
      const parentName = nameOfThis();
      place.self = this as unknown as Process;
      place.path = this.#path;
      place.insideDaemon ||= this.#daemon;
      place.authKey = this.#authKey;
      place.parent = new ParentProcess(this.#creator, parentName);
      this.#state = 'started';
      life(this.#name, () => this.run());
    };
    return () => context.runInAsyncScope(live);
  }

  /** Lives a child's life in the parent, for V8 to compile it: see rehearse() in ts/fork/child.ts. */
  static #rehearse(): void {
    if (Process.#rehearsed) return;
    Process.#rehearsed = true;
    const place = new Tree();
    tree.unnumbered(() => new Process({ target: () => {} })).#main(rehearseLife, place)();
    place.startAnew();
  }
}

knowToFreshProcesses(Process);
registerHomebody('Process', Process);
