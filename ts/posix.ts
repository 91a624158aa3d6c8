/**
 * `posix-multiprocessing/posix`: the system calls, typed. Each throws Node's system-error shape (`code`, `errno`,
 * `syscall`) and refuses wrong arguments before the call is made: ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (TypeError)
 * and ERR_OUT_OF_RANGE (RangeError) come in addition to the errors that a call lists.
 */

export { constants } from './posix/constants.js';
export { close, dup, dup2, dup3, eventfd, pipe, read, setNonblocking, write } from './posix/descriptors.js';
export { flock } from './posix/flock.js';
export { fork } from './posix/fork.js';
export { type FutexOutcome, futexWait, futexWake } from './posix/futex.js';
export { getrlimit, type ResourceLimits, type ResourceName, setrlimit } from './posix/limits.js';
export {
  ftruncate,
  type MappingOptions,
  memfdCreate,
  mmap,
  msync,
  munmap,
  posixFallocate,
  type ShmOpenOptions,
  shmOpen,
  shmUnlink,
} from './posix/memory.js';
export * from './posix/numbers.js';
export { pidfdOpen, pidfdSendSignal } from './posix/pidfd.js';
export { type PollEvents, poll } from './posix/poll.js';
export {
  getChildSubreaper,
  getParentDeathSignal,
  getProcessName,
  prctl,
  setChildSubreaper,
  setParentDeathSignal,
  setProcessName,
} from './posix/prctl.js';
export { _exit, getpid, getppid, kill, nanosleep, setsid, umask } from './posix/process.js';
export { getpriority, schedGetAffinity, schedSetAffinity, setpriority } from './posix/scheduling.js';
export {
  type SemaphoreHandle,
  type SemOpenOptions,
  semClose,
  semGetValue,
  semOpen,
  semPost,
  semTimedWait,
  semTryWait,
  semUnlink,
  semWait,
} from './posix/semaphores.js';
export { type ReceivedFds, recvFds, sendFds, socketpair } from './posix/sockets.js';
export { type WaitResult, waitidPidfd, waitpid } from './posix/wait.js';
