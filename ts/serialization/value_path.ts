/** Where in a value something is, as one would write it: 'args[0].handler.onClick'. */

import { inspect } from 'node:util';

/** A property name (the first: the root), an element's index, the value at a Map's key, or a key (or member) itself. */
export type Step = string | number | { readonly at: unknown } | { readonly keyOf: unknown };

function short(key: unknown): string {
  const text = inspect(key, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}

function stepText(step: Step): string {
  if (typeof step === 'number') return `[${step}]`;
  if (typeof step === 'string')
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${short(step)}]`;
  return 'at' in step ? `.get(${short(step.at)})` : `.has(${short(step.keyOf)})`;
}

export function pathText([root, ...steps]: readonly Step[]): string {
  return (typeof root === 'string' ? root : 'value') + steps.map(stepText).join('');
}
