/** A port that several processes accept from. */

import { once } from 'node:events';
import net from 'node:net';
import { close, dup } from 'posix-multiprocessing/posix';

export class ListeningSocket {
  /** For `server.listen({ fd })` in as many forked processes as there are. */
  readonly fd: number;
  readonly port: number;

  /**
   * Binds the port. This process keeps the socket and accepts nothing, so that connections wait in the kernel for
   * whoever does: a worker that dies takes only those with it that it had accepted, and its successor finds the others.
   */
  static async open(port: number, host: string): Promise<ListeningSocket> {
    const server: net.Server & { _handle?: { fd: number } } = net.createServer().listen(port, host);
    await once(server, 'listening');
    try {
      return new ListeningSocket(server);
    } finally {
      server.close();
    }
  }

  private constructor(server: net.Server & { _handle?: { fd: number } }) {
    // Node's own descriptor is silent in a forked child, as all that the event loop watches (docs/fork-safety.md); a
    // number beside it is inherited like an open file.
    this.fd = dup(server._handle?.fd ?? -1);
    this.port = (server.address() as net.AddressInfo).port;
  }

  /** In this process. The port is given up with the last one that has it. */
  close(): void {
    close(this.fd);
  }
}
