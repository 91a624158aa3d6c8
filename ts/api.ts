/** What users import, but for contexts, which bind it to a start method. */

export type { Address } from './connection/address.js';
export { connect } from './connection/connect.js';
export { Connection, type ConnectionOptions } from './connection/connection.js';
export { Listener, type ListenOptions } from './connection/listener.js';
export { Pipe } from './connection/pipe.js';
export { type Waitable, wait, waitSync } from './connection/wait.js';
export * from './errors.js';
export { type ForkHooks, onFork } from './fork/hooks.js';
export { type ForkSupport, forkSupport } from './fork/support.js';
export { warmup } from './fork/warmup.js';
export type { SyncWaitOptions, WaitOptions } from './internal/deadline.js';
export { cpuCount } from './process/cpu_count.js';
export { activeChildren, currentProcess, isMainProcess, parentProcess } from './process/current.js';
export { setForkserverPreload } from './process/fork_server.js';
export { importable } from './process/importable.js';
export type { ParentProcess } from './process/parent.js';
export { Process, type ProcessOptions } from './process/process.js';
export { getAllStartMethods, getStartMethod, type StartMethod, setStartMethod } from './process/start_method.js';
export type { Target } from './process/target.js';
export { JoinableQueue } from './queues/joinable_queue.js';
export type { Loan } from './queues/loan.js';
export { Queue } from './queues/queue.js';
export { SimpleQueue } from './queues/simple_queue.js';
export { type ErrorClass, registerErrorClass } from './serialization/error_classes.js';
export { SharedMemory, type SharedMemoryCreateOptions, type SharedMemoryOpenOptions } from './shared/shared_memory.js';
export { Lock, type LockOptions } from './sync/lock.js';
export type { LockLike, NamedOptions } from './sync/lock_like.js';
