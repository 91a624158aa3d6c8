import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'mocha';
import { type ByteSource, FrameReader, frame, frameHeader } from '#internals';
import { below, type Random, seededRandom } from '../support/random_values.js';

/** A stream that gives its bytes in random pieces, and now and then has none yet. */
function trickle(bytes: Uint8Array, random: Random, ends = true): ByteSource {
  let at = 0;
  return (buffer, offset, length) => {
    if (random() < 0.3) return undefined;
    const count = Math.min(1 + below(random, 20), length, bytes.length - at);
    if (count === 0) return ends ? 0 : undefined;
    buffer.set(bytes.subarray(at, at + count), offset);
    at += count;
    return count;
  };
}

function readAll(bytes: Uint8Array): ByteSource {
  return trickle(bytes, () => 0.999999);
}

describe('framing', () => {
  it('has the header of CPython: four bytes, big-endian, or -1 and eight', () => {
    assert.deepEqual([...frameHeader(0)], [0, 0, 0, 0]);
    assert.deepEqual([...frameHeader(0x01020304)], [1, 2, 3, 4]);
    assert.deepEqual([...frameHeader(2 ** 31 - 1)], [0x7f, 0xff, 0xff, 0xff]);
    assert.deepEqual([...frameHeader(2 ** 31)], [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0]);
    assert.deepEqual([...frameHeader(2 ** 32 + 5)], [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 5]);
  });

  it('a small message is one piece with its header, large parts are not copied', () => {
    assert.deepEqual(frame([Buffer.from('ab'), Buffer.from('c')]), [Buffer.from('\0\0\0\x03abc')]);
    const large = Buffer.alloc(100_000);
    const pieces = frame([Buffer.from('ab'), large, Buffer.from('c')]);
    assert.deepEqual(
      pieces.map(({ length }) => length),
      [6, 100_000, 1],
    );
    assert.equal(pieces[1], large);
  });

  it('messages come out as they went in, however the stream is split', () => {
    const seed = randomInt(2 ** 32);
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round += 1) {
      const messages = Array.from({ length: below(random, 8) }, () =>
        Buffer.alloc(below(random, 60), below(random, 256)),
      );
      const source = trickle(Buffer.concat(messages.flatMap((message) => frame([message]))), random);
      const reader = new FrameReader();
      for (const message of messages) {
        let received: Buffer | undefined;
        while (received === undefined) received = reader.next(source);
        assert.deepEqual(received, message, `seed ${seed}, round ${round}`);
        assert.ok(reader.isBetweenMessages);
      }
    }
  });

  it('reads the long header as well', () => {
    const long = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 3]), Buffer.from('abc')]);
    const random = seededRandom(1);
    const source = trickle(long, random);
    const reader = new FrameReader();
    let received: Buffer | undefined;
    while (received === undefined) received = reader.next(source);
    assert.equal(received.toString(), 'abc');
  });

  it('never reads a byte of the next message', () => {
    const bytes = Buffer.concat([...frame([Buffer.from('one')]), ...frame([Buffer.from('two')])]);
    let read = 0;
    const reader = new FrameReader();
    const message = reader.next((buffer, offset, length) => {
      buffer.set(bytes.subarray(read, read + length), offset);
      read += length;
      return length;
    });
    assert.equal(message?.toString(), 'one');
    assert.equal(read, 7);
  });

  it('tells the end of the stream from an end within a message', () => {
    const bytes = frame([Buffer.from('message')])[0] as Buffer;
    for (let length = 0; length < bytes.length; length += 1) {
      const reader = new FrameReader();
      const source = readAll(bytes.subarray(0, length));
      for (let again = 0; again < 2; again += 1) {
        assert.throws(
          () => reader.next(source),
          (error: Error & { code: string }) => {
            assert.equal(error.code, 'ERR_MP_EOF');
            assert.equal(/in the middle of a message/.test(error.message), length > 0);
            return true;
          },
        );
        assert.equal(reader.isBetweenMessages, length === 0);
      }
    }
  });

  it('a message that is too long is refused before anything is allocated', () => {
    const header = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0]);
    assert.throws(() => new FrameReader().next(readAll(header)), { code: 'ERR_MP_MESSAGE_TOO_LONG' });
    const reader = new FrameReader();
    assert.throws(() => reader.next(readAll(frameHeader(11)), 10), { code: 'ERR_MP_MESSAGE_TOO_LONG' });
    const fits = new FrameReader();
    assert.equal(fits.next(readAll(frame([Buffer.alloc(10)])[0] as Buffer), 10)?.length, 10);
  });

  it('a negative length is no message', () => {
    const header = Buffer.from([0x80, 0, 0, 0]);
    assert.throws(() => new FrameReader().next(readAll(header)), { code: 'ERR_MP' });
  });
});
