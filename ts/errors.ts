/**
 * The library's own errors: subclasses of MultiprocessingError with a fixed `code`. A failed system call throws Node's
 * shape instead (`code`, `errno`, `syscall`).
 */

/** Base of every error that the library itself raises. Python: `multiprocessing.ProcessError`. */
export class MultiprocessingError extends Error {
  /** One for each class: what to test, as it stays the same in every version. */
  readonly code: string = 'ERR_MP';
  /** The name of the class. */
  override get name(): string {
    return this.constructor.name;
  }
}
/**
 * Wrong use of a Process: started twice, joined before start, closed while it runs, … Python: `AssertionError`,
 * `ValueError`.
 */
export class ProcessError extends MultiprocessingError {
  override readonly code = 'ERR_MP_PROCESS';
}
/**
 * The start method is unknown, was set twice, or can't work here; the message says why and what to do.
 * Python: `ValueError`, `RuntimeError`.
 */
export class StartMethodError extends MultiprocessingError {
  override readonly code = 'ERR_MP_START_METHOD';
}
/** A fresh process could not find this function; the message says how to make it findable. Python: `PicklingError`. */
export class TargetError extends MultiprocessingError {
  override readonly code = 'ERR_MP_TARGET';
}
/** The time is up. Python: `multiprocessing.TimeoutError`. */
export class TimeoutError extends MultiprocessingError {
  override readonly code = 'ERR_MP_TIMEOUT';
}
/** Used after close(). Python: `ValueError` or `OSError`, "handle is closed". */
export class ClosedError extends MultiprocessingError {
  override readonly code = 'ERR_MP_CLOSED';
}
/** The peer closed its end. Python: `EOFError`. */
export class EndOfFileError extends MultiprocessingError {
  override readonly code = 'ERR_MP_EOF';
}
/** A message did not fit the caller's buffer; `bytes` is the whole message. Python: `BufferTooShort`. */
export class BufferTooShortError extends MultiprocessingError {
  override readonly code = 'ERR_MP_BUFFER_TOO_SHORT';
  /** The whole message. */
  readonly bytes: Uint8Array;
  constructor(message: string, bytes: Uint8Array) {
    super(message);
    this.bytes = bytes;
  }
}
/** A message exceeds the caller's maxLength. Python: `OSError`. */
export class MessageTooLongError extends MultiprocessingError {
  override readonly code = 'ERR_MP_MESSAGE_TOO_LONG';
}
/** The peer does not have the key. Python: `multiprocessing.AuthenticationError`. */
export class AuthenticationError extends MultiprocessingError {
  override readonly code = 'ERR_MP_AUTH';
}
/** Nothing came within the time. Python: `queue.Empty`. */
export class QueueEmptyError extends MultiprocessingError {
  override readonly code = 'ERR_MP_QUEUE_EMPTY';
}
/** No room came within the time. Python: `queue.Full`. */
export class QueueFullError extends MultiprocessingError {
  override readonly code = 'ERR_MP_QUEUE_FULL';
}
/** A value can't travel to another process; the message names the path to the offending part. Python: `PicklingError`. */
export class SerializationError extends MultiprocessingError {
  override readonly code = 'ERR_MP_SERIALIZE';
}
/** Not held: a release too many. Python: `ValueError`, "semaphore or lock released too many times". */
export class OverReleaseError extends MultiprocessingError {
  override readonly code = 'ERR_MP_OVER_RELEASE';
}
/** An RLock or a Condition used without holding the lock. Python: `AssertionError`, or `RuntimeError`. */
export class NotOwnerError extends MultiprocessingError {
  override readonly code = 'ERR_MP_NOT_OWNER';
}
/** The barrier is broken: by a time-out, by abort(), or because a party died. Python: `threading.BrokenBarrierError`. */
export class BrokenBarrierError extends MultiprocessingError {
  override readonly code = 'ERR_MP_BROKEN_BARRIER';
}
/** The holder died; the lock is now the caller's, and what it guards may be torn. Python: none, the lock stays held. */
export class OwnerDiedError extends MultiprocessingError {
  override readonly code = 'ERR_MP_OWNER_DIED';
  /** The process that died holding the lock; 0 when too many have come and gone since to know. */
  readonly pid: number;
  constructor(message: string, pid: number) {
    super(message);
    this.pid = pid;
  }
}
/**
 * Not possible in the state that the object is in; the message says which. Python:
 * `concurrent.futures.InvalidStateError`.
 */
export class InvalidStateError extends MultiprocessingError {
  override readonly code = 'ERR_MP_INVALID_STATE';
}
/**
 * An error from another process that can't be rebuilt here: its class is unknown, or it was none; `stack` is its own.
 * Python: `multiprocessing.managers.RemoteError`.
 */
export class RemoteError extends MultiprocessingError {
  override readonly code = 'ERR_MP_REMOTE';
}
/** The pool can't work any more: its initializer failed, or, with `strict`, a worker died. Python: `BrokenProcessPool`. */
export class BrokenPoolError extends MultiprocessingError {
  override readonly code = 'ERR_MP_BROKEN_POOL';
}
/**
 * The worker that ran this task ended before the task did: process.exit(), a signal, the memory limit.
 * Python: `BrokenProcessPool` of an executor; a Pool waits for ever.
 */
export class WorkerDiedError extends MultiprocessingError {
  override readonly code = 'ERR_MP_WORKER_DIED';
  /** Of the worker. */
  readonly pid: number;
  /** As `Process.exitCode`: n for `process.exit(n)`, -s when killed by signal number s. */
  readonly exitCode: number;
  /** 'SIGKILL', …; undefined when the worker ended by itself. */
  readonly signal: string | undefined;
  constructor(message: string, pid: number, exitCode: number, signal: string | undefined) {
    super(message);
    this.pid = pid;
    this.exitCode = exitCode;
    this.signal = signal;
  }
}
/** Cancelled before it was done: by terminate(), by Future.cancel(). Python: `CancelledError`. */
export class CancelledError extends MultiprocessingError {
  override readonly code = 'ERR_MP_CANCELLED';
}
