/** The face of native/binding/descriptor_api.cc. Every new descriptor is close-on-exec; the caller owns it. */

export interface DescriptorBinding {
  pipe(): [readEnd: number, writeEnd: number];
  socketpair(): [first: number, second: number];
  eventfd(initial: number, flags: number): number;
  /** undefined where the call would have to wait; 0 at the end of the file. */
  read(fd: number, bytes: Uint8Array, offset: number, length: number): number | undefined;
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number | undefined;
  /** write() for a socket: never SIGPIPE. */
  send(socket: number, bytes: Uint8Array, offset: number, length: number): number | undefined;
  closeFd(fd: number): void;
  dup(fd: number): number;
  dupOnto(fd: number, target: number, closeOnExec: boolean): void;
  setNonblocking(fd: number, nonblocking: boolean): void;
  isSocket(fd: number): boolean;
  /** [fd, events, revents, fd, …]: writes each `revents`; how many are ready. Blocks; -1 ms is for ever. */
  poll(triples: Int32Array, milliseconds: number): number;
  sendFds(socket: number, fds: Int32Array, bytes: Uint8Array): number | undefined;
  recvFds(
    socket: number,
    maxFds: number,
    bytes: Uint8Array,
  ): { bytes: number; fds: number[]; truncated: boolean } | undefined;
  /** read() for an AF_UNIX socket: appends the descriptors that come along to `fds`, whose first element counts them. */
  receive(socket: number, bytes: Uint8Array, offset: number, length: number, fds: Int32Array): number | undefined;
}
