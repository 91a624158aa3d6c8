/** The face of native/binding/frame_api.cc. */

export interface FrameBinding {
  /**
   * Reads one message with its header into the buffer, never a byte more: how many bytes of it, which may be a part; 0 at
   * the end of the file, -1 where nothing came in time. Descriptors that come along are appended to `fds` as by
   * receive(), which an empty array does without. Blocks for up to so long; -1 ms is for
   * ever, 0 looks once.
   */
  readFrame(fd: number, buffer: Uint8Array, fds: Int32Array, milliseconds: number): number;
  /** Writes header and bytes at once: how many bytes, header included; undefined where it would have to wait. */
  writeFrame(fd: number, isSocket: boolean, bytes: Uint8Array): number | undefined;
  /** Writes what is in `first` from `offset` on, and `second`, at once: how many bytes; undefined where it would wait. */
  writeTwo(fd: number, isSocket: boolean, first: Uint8Array, offset: number, second: Uint8Array): number | undefined;
}
