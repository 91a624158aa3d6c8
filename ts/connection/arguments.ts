/** What the calls of a Connection are given, checked; and messages in the form that they are asked for. */

import { BufferTooShortError } from '../errors.js';
import { type Deadline, deadlineOf, type WaitOptions } from '../internal/deadline.js';
import { invalidArgType, validateInteger, validateOptions } from '../internal/validate.js';
import { closeAll, type Reception } from './incoming.js';

/** A message in memory of its own. */
export const asBytes: Reception<Uint8Array>['finish'] = (memory, start, end, descriptors, owned) => {
  closeAll(descriptors);
  const message = new Uint8Array(memory.buffer, memory.byteOffset + start, end - start);
  return owned ? message : message.slice();
};

/** Copies a message into the caller's buffer; its length. */
export function into(buffer: ArrayBufferView, offset: number): Reception<number>['finish'] {
  if (!ArrayBuffer.isView(buffer)) throw invalidArgType('buffer', 'an instance of TypedArray or DataView', buffer);
  validateInteger(offset, 'offset', 0, buffer.byteLength);
  return (memory, start, end, descriptors, owned) => {
    const length = end - start;
    const room = bytesOf(buffer, 'buffer', offset);
    if (length > room.length) {
      const what = `a message of ${length} bytes came, there is room for ${room.length}`;
      throw new BufferTooShortError(what, asBytes(memory, start, end, descriptors, owned));
    }
    closeAll(descriptors);
    memory.copy(room, 0, start, end);
    return length;
  };
}

/** `size` bytes (default: the rest) from `offset` on. */
export function bytesOf(
  memory: ArrayBufferView | ArrayBuffer,
  name: string,
  offset: number = 0,
  size?: number,
): Uint8Array {
  if (memory instanceof Uint8Array && offset === 0 && size === undefined) return memory;
  const isView = ArrayBuffer.isView(memory);
  if (!isView && !(memory instanceof ArrayBuffer)) {
    throw invalidArgType(name, 'an instance of Buffer, TypedArray, DataView or ArrayBuffer', memory);
  }
  validateInteger(offset, 'offset', 0, memory.byteLength);
  if (size !== undefined) validateInteger(size, 'size', 0, memory.byteLength - offset);
  const length = size ?? memory.byteLength - offset;
  return isView
    ? new Uint8Array(memory.buffer, memory.byteOffset + offset, length)
    : new Uint8Array(memory, offset, length);
}

export function maxLengthOf(options: { maxLength?: number } | undefined): number | undefined {
  validateOptions(options, 'options');
  const maxLength = options?.maxLength;
  if (maxLength !== undefined) validateInteger(maxLength, 'options.maxLength', 0);
  return maxLength;
}

/** Without a timeout it looks once. */
export function pollDeadlineOf(options: WaitOptions): Deadline {
  validateOptions(options, 'options');
  return deadlineOf('timeout' in options ? options : { timeout: 0 });
}
