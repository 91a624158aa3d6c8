/** Classes whose instances travel in a way of their own, or not at all. Without a codec an object travels as its data. */

/** How the instances of one class travel. */
export interface Codec {
  /** The same in every process. */
  readonly name: string;
  /** A value that can travel and from which the receiver makes the object. Throws CannotTravel. */
  pack(object: object): unknown;
  unpack(packed: unknown): object;
}

/** Thrown by a codec: the sentence goes on after the path to the object ("is a lock of …"). */
export class CannotTravel extends Error {}

const byPrototype = new Map<object, Codec>();
const byName = new Map<string, Codec>();

/** Instances of the class and of its subclasses travel by this codec from now on. */
export function registerCodec(type: { prototype: object }, codec: Codec): void {
  byPrototype.set(type.prototype, codec);
  byName.set(codec.name, codec);
}

/** Instances of the class are refused in messages: their data alone would be an empty shell at the receiver. */
export function registerHomebody(name: string, type: { prototype: object }): void {
  const refuse = (): never => {
    throw new CannotTravel(`is a ${name}: a forked child reaches it by a closure, a message can't carry it`);
  };
  registerCodec(type, { name, pack: refuse, unpack: refuse });
}

const byShape: { readonly matches: (object: object) => boolean; readonly codec: Codec }[] = [];

/** For a class that can't be imported. */
export function registerShape(matches: (object: object) => boolean, codec: Codec): void {
  byShape.push({ matches, codec });
  byName.set(codec.name, codec);
}

export function codecOf(object: object): Codec | undefined {
  for (let at: object | null = Object.getPrototypeOf(object); at !== null; at = Object.getPrototypeOf(at)) {
    const codec = byPrototype.get(at);
    if (codec !== undefined) return codec;
  }
  return byShape.find(({ matches }) => matches(object))?.codec;
}

export function codecNamed(name: string): Codec | undefined {
  return byName.get(name);
}
