/** Node's sockets and listening servers in messages: their descriptors travel. */

import type net from 'node:net';
import { builtin } from '../internal/builtins.js';
import { Descriptor } from './descriptor.js';
import { CannotTravel, registerShape } from './registry.js';

/** The parts of Node's stream handles that are used here. */
interface Handle {
  readonly fd?: number;
  reading?: boolean;
  readStop?(): void;
}

interface PackedSocket {
  readonly fd: Descriptor;
  readonly allowHalfOpen: boolean;
  /** What this process had read and nobody had asked for yet. */
  readonly unread: Buffer | undefined;
}

interface PackedServer {
  readonly fd: Descriptor;
  readonly allowHalfOpen: boolean;
  readonly pauseOnConnect: boolean;
}

function handleOf(owner: object): Handle | undefined {
  return (owner as { _handle?: Handle | null })._handle ?? undefined;
}

function descriptorOf(owner: object, what: string): Descriptor {
  const fd = handleOf(owner)?.fd;
  if (fd === undefined || fd < 0) throw new CannotTravel(`is a ${what}`);
  return new Descriptor(fd);
}

/** Reads no more in this process: what comes from now on is the receiver's. */
function stopReading(socket: net.Socket): Buffer | undefined {
  const chunk: unknown = socket.readableLength > 0 ? socket.read() : undefined;
  const handle = handleOf(socket);
  if (handle !== undefined) {
    handle.readStop?.();
    handle.reading = false;
  }
  if (typeof chunk !== 'string' && !Buffer.isBuffer(chunk)) return undefined;
  socket.unshift(chunk); // a message that is never sent takes nothing
  return Buffer.from(chunk as string, socket.readableEncoding ?? undefined);
}

function packSocket(object: object): PackedSocket {
  const socket = object as net.Socket & { encrypted?: boolean; allowHalfOpen: boolean };
  if (socket.encrypted === true) throw new CannotTravel('is an encrypted socket: its keys stay in this process');
  if (socket.connecting) throw new CannotTravel('is a socket that is not connected yet');
  if (socket.writableLength > 0) throw new CannotTravel('is a socket that has not sent all its data yet');
  const fd = descriptorOf(socket, 'closed socket');
  return { fd, allowHalfOpen: socket.allowHalfOpen, unread: stopReading(socket) };
}

/** True of what has a stream handle of Node's and is of that class, without node:net where nobody has loaded it. */
function isStreamOwner(object: object, type: 'Server' | 'Socket'): boolean {
  return '_handle' in object && object instanceof builtin.net()[type];
}

/** Makes them known; called once. */
export function registerSockets(): void {
  registerShape((object) => isStreamOwner(object, 'Socket'), {
    name: 'net.Socket',
    pack: packSocket,
    unpack: (packed) => {
      const { fd, allowHalfOpen, unread } = packed as PackedSocket;
      const socket = new (builtin.net().Socket)({ fd: fd.take(), allowHalfOpen, readable: true, writable: true });
      if (unread !== undefined) socket.unshift(unread);
      return socket;
    },
  });

  registerShape((object) => isStreamOwner(object, 'Server'), {
    name: 'net.Server',
    pack: (object): PackedServer => {
      const { allowHalfOpen = false, pauseOnConnect = false } = object as Partial<PackedServer>;
      return { fd: descriptorOf(object, 'server that is not listening'), allowHalfOpen, pauseOnConnect };
    },
    unpack: (packed) => {
      const { fd, allowHalfOpen, pauseOnConnect } = packed as PackedServer;
      return builtin.net().createServer({ allowHalfOpen, pauseOnConnect }).listen({ fd: fd.take() });
    },
  });
}
