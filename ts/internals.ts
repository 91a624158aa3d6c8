/** What the library's own tests look at and users don't: '#internals' to them, and no part of the package. */

export { type ByteSource, FrameReader, frame, frameHeader } from './connection/framing.js';
export { refusalOf } from './fork/support.js';
export { readThread } from './fork/thread_list.js';
export { onceReady, READABLE, stopWaiting, WRITABLE, watchedDescriptors, whenReady } from './internal/readiness.js';
export { stopForkServer } from './process/fork_server.js';
export { decode, deserialize } from './serialization/deserialize.js';
export { CannotTravel, registerCodec, registerHomebody } from './serialization/registry.js';
export { encode, serialize } from './serialization/serialize.js';
