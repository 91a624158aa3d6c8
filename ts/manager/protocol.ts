/** What a manager's server and its clients say to each other: one message for each call, one for each answer. */

import type { Address } from '../connection/address.js';

/** The server itself, as an object that calls go to. */
export const SERVER = 0;

/** A longer message is refused unread, bytes. */
export const LONGEST_MESSAGE: number = 256 * 1024 * 1024;

/** Calls are numbered by their client. `object` is an id, or SERVER. */
export type Call = readonly [number: number, object: number, method: string, args: readonly unknown[]];

/** In any order. */
export type Answer = readonly [number: number, failed: boolean, value: unknown];

/** What a proxy is, on its way: `counted` when it comes from the server, who has counted it as this client's. */
export interface Reference {
  readonly server: string;
  readonly type: string;
  readonly id: number;
  readonly counted: boolean;
}

export const PROXY_CODEC = 'ManagerProxy';

export function isCall(message: unknown): message is Call {
  if (!Array.isArray(message) || message.length !== 4) return false;
  const [number, object, method, args] = message as unknown[];
  return (
    Number.isSafeInteger(number) && Number.isSafeInteger(object) && typeof method === 'string' && Array.isArray(args)
  );
}

export function isAnswer(message: unknown): message is Answer {
  return Array.isArray(message) && message.length === 3 && Number.isSafeInteger(message[0]);
}

/** How an address is written where it names a server. */
export function keyOf(address: Address): string {
  return JSON.stringify(address);
}
