import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, it } from 'mocha';
import { Pipe } from 'posix-multiprocessing';
import * as posix from 'posix-multiprocessing/posix';
import { FrameReader, frame } from '#internals';

const message = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 70_000 }).map((size) => new Uint8Array(size).fill(size)) },
);
const messages = fc.array(message, { maxLength: 12 });
/** How many bytes each read gives; 0: none are there yet. */
const portions = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 40 });

function bytesOf(list: readonly Uint8Array[]): Buffer {
  return Buffer.concat(list.flatMap((each) => frame([each])));
}

describe('framing, by properties', () => {
  it('messages come out as they went in, wherever the stream is cut', () => {
    fc.assert(
      fc.property(messages, portions, (list, sizes) => {
        const stream = bytesOf(list);
        let at = 0;
        let turn = 0;
        const source = (buffer: Uint8Array, offset: number, length: number): number | undefined => {
          const portion = Math.min(sizes[turn++ % sizes.length] as number, length, stream.length - at);
          // So that a row of empty portions comes to an end.
          const count = portion === 0 && turn % 41 === 0 ? Math.min(1000, length, stream.length - at) : portion;
          if (count === 0) return undefined;
          buffer.set(stream.subarray(at, at + count), offset);
          at += count;
          return count;
        };
        const reader = new FrameReader();
        for (const expected of list) {
          let got: Buffer | undefined;
          while (got === undefined) got = reader.next(source);
          assert.ok(got.equals(expected));
        }
        assert.equal(at, stream.length);
        assert.ok(reader.isBetweenMessages);
      }),
      { numRuns: 200 },
    );
  });

  it('what was read elsewhere of a message is its beginning', () => {
    fc.assert(
      fc.property(message, fc.nat(), (expected, cut) => {
        const stream = bytesOf([expected]);
        const prefix = stream.subarray(0, cut % stream.length);
        const rest = stream.subarray(prefix.length);
        let at = 0;
        const reader = new FrameReader();
        reader.resume(Buffer.from(prefix));
        assert.equal(reader.isBetweenMessages, prefix.length === 0);
        const got = reader.next((buffer, offset, length) => {
          const count = Math.min(length, rest.length - at);
          buffer.set(rest.subarray(at, at + count), offset);
          at += count;
          return count;
        });
        assert.ok(got?.equals(expected));
        assert.ok(reader.isBetweenMessages);
      }),
    );
  });

  it('a connection gives whole messages, whatever pieces come when', async () => {
    const property = fc.asyncProperty(
      messages,
      portions,
      fc.boolean(),
      fc.array(fc.boolean(), { minLength: 1 }),
      async (list, sizes, duplex, modes) => {
        const [receiver, sender] = Pipe({ duplex });
        const stream = bytesOf(list.filter((each) => each.length < 1000));
        const expected = list.filter((each) => each.length < 1000);
        const received: Promise<Uint8Array>[] = [];
        let at = 0;
        let turn = 0;
        while (at < stream.length) {
          const count = Math.max(1, sizes[turn++ % sizes.length] as number);
          const written = posix.write(sender.fd, stream.subarray(at, at + count));
          // A socket holds some 270 pieces, however small: the receiver has to take some first.
          if (written === undefined) {
            if (received.length < expected.length) received.push(receiver.recvBytes());
            await nextTurn();
            continue;
          }
          at += written;
          if (modes[turn % modes.length] === true) await receiver.poll();
          if (received.length < expected.length && modes[(turn + 1) % modes.length] === true) {
            received.push(receiver.recvBytes());
          }
        }
        while (received.length < expected.length) {
          if (modes[turn++ % modes.length] === true) received.push(receiver.recvBytes());
          else received.push(Promise.resolve(receiver.recvBytesSync()));
        }
        assert.deepEqual(await Promise.all(received), expected);
        receiver.close();
        sender.close();
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});
