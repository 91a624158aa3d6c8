/**
 * Connections that node:http, node:https and fetch keep for later requests are the parent's: silent in a child, where a
 * request on one of them would wait for ever. A child's agents begin without any.
 */

import type { Agent } from 'node:http';
import { perProcess } from '../internal/per_process.js';

/** What an agent has at its beginning (lib/_http_agent.js). */
interface AgentState {
  requests: object;
  sockets: object;
  freeSockets: object;
  totalSocketCount: number;
}

type AddRequest = (this: Agent & AgentState, ...request: unknown[]) => void;

/** Agents that are in use in this process. */
const known = perProcess(
  () => new WeakSet<object>(),
  (inherited, kind) => (kind === 'raw' ? inherited : new WeakSet()),
);

/** In a fresh child. */
export function forgetHttpConnections(): void {
  const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
  if (moduleLoadList.includes('NativeModule _http_agent')) watchAgents();
  for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
    if (symbol.description?.startsWith('undici.globalDispatcher') === true) {
      forgetClients((globalThis as unknown as Record<symbol, unknown>)[symbol]);
    }
  }
}

let watching = false;

/** Nobody knows all agents: each is emptied at its first request in this process. */
function watchAgents(): void {
  if (watching) return; // inherited from a parent that is a child itself
  watching = true;
  const prototype = process.getBuiltinModule('node:http').Agent.prototype as unknown as { addRequest: AddRequest };
  const { addRequest } = prototype;
  prototype.addRequest = function (...request): void {
    if (!known.value.has(this)) {
      known.value.add(this);
      const empty = (): object => Object.create(null) as object;
      Object.assign(this, { requests: empty(), sockets: empty(), freeSockets: empty(), totalSocketCount: 0 });
    }
    Reflect.apply(addRequest, this, request);
  };
}

/** A dispatcher of undici's keeps its connections in a map by origin; those for proxies have others inside. */
function forgetClients(dispatcher: unknown, depth = 0): void {
  if (typeof dispatcher !== 'object' || dispatcher === null || depth > 3) return;
  for (const symbol of Object.getOwnPropertySymbols(dispatcher)) {
    const value = (dispatcher as Record<symbol, unknown>)[symbol];
    if (symbol.description === 'clients' && value instanceof Map) value.clear();
    else if (/agent$/i.test(symbol.description ?? '')) forgetClients(value, depth + 1);
  }
}
