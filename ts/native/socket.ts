/** The face of native/binding/socket_api.cc. Every new socket is non-blocking and close-on-exec; the caller owns it. */

export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const SHUT_RD = 0;
export const SHUT_WR = 1;

export interface SocketBinding {
  /** `where` is a path (or an abstract name, which begins with NUL) without a port, an address in figures with one. */
  listenAt(where: string, port: number | undefined, backlog: number): number;
  /** undefined when no connection waits. */
  accept(listener: number): number | undefined;
  /** undefined: the listener's backlog is full. Not `established`: finishConnect() once it is writable. */
  connectTo(where: string, port: number | undefined): { fd: number; established: boolean } | undefined;
  /** Throws what became of it. */
  finishConnect(socket: number): void;
  localAddress(socket: number): { path: string } | { host: string; port: number };
  /** AF_UNSPEC for a descriptor that is no socket. */
  socketFamily(fd: number): number;
  /** At most net.core.wmem_max counts. */
  setSendBuffer(socket: number, bytes: number): void;
  shutDown(socket: number, how: number): void;
}
