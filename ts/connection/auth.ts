/**
 * Mutual authentication by challenge and response: each side proves that it has the key, which never travels. The
 * protocol is CPython's (3.12 and later), so that its Listener and Client understand this library's.
 */

import { AuthenticationError } from '../errors.js';
import { builtin } from '../internal/builtins.js';
import type { WaitOptions } from '../internal/deadline.js';

/** What authentication needs of a connection. */
interface Wire {
  sendBytes(bytes: Uint8Array): Promise<void>;
  recvBytes(options: WaitOptions & { maxLength: number }): Promise<Uint8Array>;
}

const CHALLENGE = Buffer.from('#CHALLENGE#');
const WELCOME = Buffer.from('#WELCOME#');
const FAILURE = Buffer.from('#FAILURE#');
const RANDOM_BYTES = 40;
/** No honest message of the protocol is longer. */
const LONGEST = 256;

const DIGEST = 'sha256';
/** What is accepted of the peer; `{md5}` and messages without a digest's name are not. */
const DIGESTS: readonly string[] = ['sha256', 'sha384'];

/** 'sha256' of '{sha256}…'. */
function digestOf(message: Uint8Array): string | undefined {
  const name = /^\{([a-z0-9_]+)\}/.exec(Buffer.from(message).toString('latin1'))?.[1];
  return name !== undefined && DIGESTS.includes(name) ? name : undefined;
}

function responseTo(challenge: Uint8Array, key: Uint8Array): Buffer {
  const digest = digestOf(challenge);
  if (digest === undefined) throw new AuthenticationError('the peer asks for a digest that is not accepted here');
  return Buffer.concat([
    Buffer.from(`{${digest}}`),
    builtin.crypto().createHmac(digest, key).update(challenge).digest(),
  ]);
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && builtin.crypto().timingSafeEqual(one, other);
}

/** Lets the peer prove that it has the key. */
async function demand(wire: Wire, key: Uint8Array, options: WaitOptions): Promise<void> {
  const message = Buffer.concat([Buffer.from(`{${DIGEST}}`), builtin.crypto().randomBytes(RANDOM_BYTES)]);
  await wire.sendBytes(Buffer.concat([CHALLENGE, message]));
  const response = await wire.recvBytes({ ...options, maxLength: LONGEST });
  if (!equal(response, responseTo(message, key))) {
    await wire.sendBytes(FAILURE);
    throw new AuthenticationError('the peer does not have the key');
  }
  await wire.sendBytes(WELCOME);
}

/** Proves to the peer that this side has the key. */
async function answer(wire: Wire, key: Uint8Array, options: WaitOptions): Promise<void> {
  const message = await wire.recvBytes({ ...options, maxLength: LONGEST });
  if (!equal(message.subarray(0, CHALLENGE.length), CHALLENGE)) {
    throw new AuthenticationError('the peer does not ask for a key: it has none, or speaks another protocol');
  }
  await wire.sendBytes(responseTo(message.subarray(CHALLENGE.length), key));
  const verdict = await wire.recvBytes({ ...options, maxLength: LONGEST });
  if (!equal(verdict, WELCOME)) throw new AuthenticationError('the peer has another key');
}

/** @throws ERR_MP_AUTH: the peer has another key; ERR_MP_EOF: it went away. */
export async function authenticateClient(wire: Wire, key: Uint8Array, options: WaitOptions): Promise<void> {
  await demand(wire, key, options);
  await answer(wire, key, options);
}

/** The client's half. @throws ERR_MP_AUTH: the listener has another key. */
export async function authenticateListener(wire: Wire, key: Uint8Array, options: WaitOptions): Promise<void> {
  await answer(wire, key, options);
  await demand(wire, key, options);
}
