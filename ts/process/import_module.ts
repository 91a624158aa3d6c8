/** Modules by their URL, in a process that was told what to run. */

export type ImportModule = (url: string) => Promise<unknown>;

let load: ImportModule = (url) => import(url);

/** In a process whose copy of this code has not come through Node's loader: see compiled_main.ts. */
export function importWith(found: ImportModule): void {
  load = found;
}

export function importModule(url: string): Promise<unknown> {
  return load(url);
}
