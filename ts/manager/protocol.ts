/** What a manager's server and its clients say to each other: one message for each call, one for each answer. */

import type { Address } from '../connection/address.js';

/** The server itself, as an object that calls go to. */
export const SERVER = 0;

/** A longer message is refused unread, bytes. */
export const LONGEST_MESSAGE: number = 256 * 1024 * 1024;

/**
 * Calls are numbered by their client. `object` is an id, or SERVER. The arguments are bytes of serialize(), so that one
 * that can't be read spoils its own call only; as they are if they have descriptors, which a message carries.
 */
export type Call = readonly [number: number, object: number, method: string, args: Uint8Array | readonly unknown[]];

/** In any order. The value is as the arguments are: bytes if `encoded`. */
export type Answer = readonly [number: number, failed: boolean, encoded: boolean, value: unknown];

/** What a proxy is, on its way: `counted` when it comes from the server, who has counted it as this client's. */
export interface Reference {
  readonly server: string;
  readonly type: string;
  readonly id: number;
  readonly counted: boolean;
}

export const PROXY_CODEC = 'ManagerProxy';

function isCall(message: unknown): message is Call {
  if (!Array.isArray(message) || message.length !== 4) return false;
  const [number, object, method, args] = message as unknown[];
  const areArgs = Array.isArray(args) || args instanceof Uint8Array;
  return Number.isSafeInteger(number) && Number.isSafeInteger(object) && typeof method === 'string' && areArgs;
}

/** What a client sends: calls that it has made at once. */
export function areCalls(message: unknown): message is readonly Call[] {
  return Array.isArray(message) && message.length > 0 && message.every(isCall);
}

function isAnswer(message: unknown): message is Answer {
  return Array.isArray(message) && message.length === 4 && Number.isSafeInteger(message[0]);
}

/** What a server sends. */
export function areAnswers(message: unknown): message is readonly Answer[] {
  return Array.isArray(message) && message.every(isAnswer);
}

/** How an address is written where it names a server. */
export function keyOf(address: Address): string {
  return JSON.stringify(address);
}
