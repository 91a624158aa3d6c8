/** A bare descriptor in a message: the receiver owns another one for the same open file. */

import { Descriptor } from '../serialization/descriptor.js';
import { registerCodec } from '../serialization/registry.js';

export class OpenFile {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }
}

/** The descriptor, whose owner the caller becomes. */
export function fdOf(file: OpenFile): number {
  return file.fd;
}

registerCodec(OpenFile, {
  name: 'OpenFile',
  pack: (file) => new Descriptor((file as OpenFile).fd),
  unpack: (packed) => new OpenFile((packed as Descriptor).take()),
});
