/** The face of native/binding/lane_api.cc. */

export const LANE_PUT = 0;
export const LANE_FULL = 1;
/** It has to go through the socket. */
export const LANE_ELSEWHERE = 2;
/** Of take(), takeInto() and receive(): no message. */
export const LANE_EMPTY = -1;
/** Of take() and receive(), less the size: a message that is longer than `limit`, and stays. */
export const LANE_NO_ROOM = -2;

/** What one end of a Pipe shares with the other in memory, beside their socket. */
export interface LaneObject {
  /**
   * Appends one message, what is in `staging.out` from HEADROOM to `end`: LANE_PUT, LANE_FULL or
   * LANE_ELSEWHERE. `socket` is this end's. @throws EPIPE.
   */
  put(end: number, socket: number): number;
  /** put() of other bytes. */
  putBytes(bytes: Uint8Array, socket: number): number;
  /** put() of one message made of the parts. Full, with `ask`: the bell will be readable when it is worth another try. */
  putParts(parts: readonly Uint8Array[], socket: number, ask: boolean): number;
  /**
   * Writes the start of a message that goes through the socket, header and all: what is put from now on comes after it.
   * Descriptors go with `first`, and nothing of `second` then. `more`: there is more than the two. How many bytes;
   * undefined where it would have to wait. @throws EPIPE.
   */
  beginFrame(
    first: Uint8Array,
    second: Uint8Array,
    more: boolean,
    descriptors: Int32Array,
    socket: number,
  ): number | undefined;
  /** The rest of a message has been written, of which beginFrame() had not written all. */
  endFrame(socket: number): void;
  /**
   * Takes the oldest message of the memory, with its header, into `staging.in`: how many bytes. LANE_EMPTY; or
   * LANE_NO_ROOM - its size.
   */
  take(limit: number): number;
  /** take() without header into another memory: the message's size. Larger than that memory: it stays. */
  takeInto(buffer: Uint8Array): number;
  /**
   * take(); or, where its turn has come, what readFrame() gives of a message on the socket. Empty: the socket will be
   * readable when there is something. Blocks for up to so long; -1 ms is for ever, 0 looks once.
   */
  receive(limit: number, socket: number, descriptors: Int32Array, milliseconds: number): number;
  /** A message on the socket, of which receive() gave a part, has come whole. */
  finishFrame(): void;
  /** Looks for a message without sleeping, for so long at most. Blocks. */
  spin(microseconds: number): boolean;
  /** Whether receive() would have something; if not, the socket will be readable when it has. */
  look(socket: number): boolean;
  /** From here on all messages of both directions go through the socket. */
  makePlain(): void;
  /** To make the other end of, once. */
  otherEnd(): object;
  /** [memory, bell]: the descriptors stay the lane's. */
  files(): [number, number];
  /** After the socket was closed. Idempotent. */
  close(): void;
}

/** Memory between JavaScript and lanes, kept by them: it must not be detached. */
export interface LaneStaging {
  readonly out: Uint8Array;
  readonly in: Uint8Array;
}

export interface LaneBinding {
  Lane: {
    /** One end, with memory of its own; with what otherEnd() returned; or with copies of files(), which it takes over. */
    new (staging: LaneStaging, side: 0 | 1, of?: object): LaneObject;
  };
}
