/** Functions of this process that others can find too: by the module that exports them and the name of the export. */

/** Where a function is found. */
export interface Place {
  /** The module's URL. */
  readonly module: string;
  readonly exportName: string;
}

const places = new WeakMap<object, Place>();
const functions = new Map<string, object>();

function keyOf({ module, exportName }: Place): string {
  return `${module}#${exportName}`;
}

/** From now on the function is known to be there. */
export function setPlace(found: object, place: Place): void {
  places.set(found, place);
  functions.set(keyOf(place), found);
}

/** Undefined: it is known to this process only. */
export function placeIn(found: object): Place | undefined {
  return places.get(found);
}

/** Undefined: its module has not been imported here. */
export function functionAt(place: Place): object | undefined {
  return functions.get(keyOf(place));
}
