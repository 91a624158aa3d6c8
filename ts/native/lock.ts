/** The faces of native/binding/region_api.cc and lock_api.cc. */

import type { Outcome, WaitKind } from './wait_room.js';

/** Shared memory with a table of the processes that use it. */
export interface RegionObject {
  /** The memory itself, of a semaphore its record alone; once. */
  bytes(): ArrayBuffer;
  /** Of a semaphore's file: tells it from a later one of the same name. */
  inode(): number;
  /** Of an arena, for other processes to have it by; it stays the region's. */
  fd(): number;
  /** No other process can be given it from here on. */
  closeFile(): void;
  /** A new semaphore gets its name, without a slash. */
  name(name: string): void;
  /** This process's token, by which the region's words name it. */
  enter(): number;
  /** 0: not known any more. */
  pidOf(token: number): number;
  /** False: nobody holds it. */
  releaseWord(offset: number): boolean;
  /** The lock that is a semaphore of value 1. */
  semLock(): SemLockCalls;
  /** A token; 0: nobody; -1: a program that leaves no name. */
  semLockHolder(): number;
  /** Wakes up to so many of those who wait for units. */
  wakeUnits(offset: number, count: number): void;
  prepareLedger(ledger: number, self: number): void;
  /** False: more than there may be. */
  releaseRestored(offset: number, ledger: number, self: number, units: number): boolean;
  /** What the dead hold comes back. */
  restoreUnits(offset: number, ledger: number, self: number): void;
  prepareTable(offset: number, capacity: number, parties: number): void;
  /** A slot; -1: too many wait. */
  joinCondition(offset: number, self: number): number;
  /** How many were woken. */
  notifyCondition(offset: number, count: number): number;
  /** -1: broken; -2: full; else the slot twice, plus one for who is the last. */
  arriveAtBarrier(offset: number, self: number): number;
  /** The index of the last one, who opens it; -1: broken. */
  openBarrier(offset: number, slot: number): number;
  /** -2: the party waits no more; else how its wait has ended: its index, or -1 for broken. */
  leaveBarrier(offset: number, slot: number): number;
  breakBarrier(offset: number): void;
  resetBarrier(offset: number): void;
  lookAtBarrier(offset: number): { waiting: number; broken: boolean; phase: number };
  /** Never waits; takes over from the dead. */
  waitOnce(kind: WaitKind, offset: number, extra: number, self: number): Outcome;
  /** Blocks; negative milliseconds wait for ever. */
  waitSync(kind: WaitKind, offset: number, extra: number, self: number, milliseconds: number): Outcome;
}

/** Functions of one lock, not methods. */
export interface SemLockCalls {
  readonly take: (self: number) => boolean;
  /** False: nobody holds it. */
  readonly release: () => boolean;
}

/**
 * An arena of so many bytes from OBJECTS_OFFSET on; another process's, whose descriptor is given away; a new semaphore of
 * that value, yet to be named; or the one of that name, without a slash, that is there.
 */
export type RegionOrigin =
  | { readonly bytes: number }
  | { readonly fd: number }
  | { readonly mode: number; readonly value: number }
  | { readonly name: string };

export interface LockBinding {
  Region: new (origin: RegionOrigin) => RegionObject;
  /** How often this process has forked. */
  forkCount(): number;
}

/** native/ipc/region.h: kObjectsOffset. */
export const OBJECTS_OFFSET: number = 68 * 1024;
/** native/ipc/sem_record.h: sizeof(SemRecord), and in 32-bit words what is where. */
export const SEM_RECORD_BYTES = 40;
export const SEM_VALUE = 0;
export const SEM_WAITERS = 1;
export const SEM_SHARED = 2;
export const SEM_EPOCH = 8;
export const SEM_BOUND = 9;
/** What SEM_SHARED holds. */
export const SHARED_SEMAPHORE = 128;
/** native/ipc/unit_ledger.h: sizeof(UnitLedger). */
export const LEDGER_BYTES: number = 128 + 8 * 4096;
/** native/ipc/waiter_table.h: waiter_table_bytes(). */
export function waiterTableBytes(capacity: number): number {
  return 128 + 16 * capacity;
}
/** native/ipc/word_lock.h: who holds, without kWordWaiters and kWordOverdue. */
export const TOKEN_MASK = 0x3fff_ffff;
