/** A descriptor on its way to another process: what a codec packs it into and unpacks it from. */

/** Descriptors in one message. SCM_MAX_FD, unix(7) */
export const MOST_DESCRIPTORS = 253;

/**
 * When packed, `fd` stays the sender's: the receiver gets another number for the same open file. When unpacked, the
 * codec takes it over with take(); what nobody takes is closed.
 */
export class Descriptor {
  readonly fd: number;
  #taken = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  get isTaken(): boolean {
    return this.#taken;
  }

  /** The caller becomes its owner. */
  take(): number {
    this.#taken = true;
    return this.fd;
  }
}
