/**
 * What a program prints, told from what must be so: processes print in any order that they may have, and pids differ.
 *
 * An outcome is a list of steps: a line; `{line, times: [least, most]}`; `{maybe: steps}`, all of them or none; or
 * `{interleaved: [steps, …]}`, each in its own order and all mixed as they come; with `copies: n` once for each number from
 * 1 to n, which stands for `$n`. In a line `<main>` is the main process's pid, `<name>` another one, the same wherever the
 * name is and different from all the others, `<pid>` one that is nowhere else, `<number>` any number, `<bool>` true or false.
 */

export type Step =
  | string
  | { line: string; times: [number, number | null] }
  | { maybe: Step[] }
  | { interleaved: Step[][]; copies?: number };

export interface Outcome {
  /** What the lines are, from the first to the last. */
  output: Step[];
  /** Pairs of lines: the first comes before the second, where that is there. */
  before?: [string, string][];
  /** Of those who have entered, at most so many have not left, at any line. Regular expressions. */
  seats?: { enter: string; leave: string; most: number };
}

/** Pids by name; those without one under a number. */
type Names = Readonly<Record<string, string>>;

interface State {
  readonly rest: readonly Step[];
  readonly names: Names;
}

const PLACEHOLDER = /<(\w+)>/;

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The names after `pattern` has been found to be `line`; undefined when it is not. */
function matchLine(pattern: string, line: string, names: Names): Names | undefined {
  const parts = pattern.split(PLACEHOLDER); // text, placeholder, text, …
  const source = parts.map((part, index) => {
    if (index % 2 === 0) return literal(part);
    if (part === 'number') return '(-?\\d+(?:\\.\\d+)?)';
    return part === 'bool' ? '(true|false)' : '(\\d+)';
  });
  const found = new RegExp(`^${source.join('')}$`).exec(line);
  if (found === null) return undefined;
  let known = names;
  for (const [index, value] of found.slice(1).entries()) {
    const placeholder = parts[2 * index + 1] as string;
    if (placeholder === 'number' || placeholder === 'bool') continue;
    if (known[placeholder] === value) continue;
    if (known[placeholder] !== undefined || Object.values(known).includes(value)) return undefined;
    known = { ...known, [placeholder === 'pid' ? `#${Object.keys(known).length}` : placeholder]: value };
  }
  return known;
}

function mayBeNothing(step: Step): boolean {
  if (typeof step === 'string') return false;
  if ('maybe' in step) return true;
  if ('times' in step) return step.times[0] === 0;
  return step.interleaved.every((strand) => strand.every(mayBeNothing));
}

/** What may be left of one step after `line`. */
function afterStep(step: Step, line: string, names: Names): State[] {
  if (typeof step === 'string') {
    const known = matchLine(step, line, names);
    return known === undefined ? [] : [{ rest: [], names: known }];
  }
  if ('maybe' in step) return after({ rest: step.maybe, names }, line);
  if ('times' in step) {
    const known = matchLine(step.line, line, names);
    const [least, most] = step.times;
    if (known === undefined || most === 0) return [];
    const times: [number, number | null] = [Math.max(least - 1, 0), most === null ? null : most - 1];
    return [{ rest: [{ line: step.line, times }], names: known }];
  }
  return step.interleaved.flatMap((strand, index) =>
    after({ rest: strand, names }, line).map((state) => ({
      rest: [{ interleaved: step.interleaved.with(index, [...state.rest]).filter(({ length }) => length > 0) }],
      names: state.names,
    })),
  );
}

/** What may be left after `line`; nothing when it can't come here. */
function after({ rest: [step, ...rest], names }: State, line: string): State[] {
  if (step === undefined) return [];
  const taken = afterStep(step, line, names).map((state) => ({ ...state, rest: [...state.rest, ...rest] }));
  return mayBeNothing(step) ? [...taken, ...after({ rest, names }, line)] : taken;
}

/** `copies` written out. */
function unfold(step: Step): Step {
  if (typeof step === 'string' || 'times' in step) return step;
  if ('maybe' in step) return { maybe: step.maybe.map(unfold) };
  const strands = step.interleaved.map((strand) => strand.map(unfold));
  if (step.copies === undefined) return { interleaved: strands };
  const text = JSON.stringify(strands);
  const copies = Array.from({ length: step.copies }, (_, index) => text.replaceAll('$n', String(index + 1)));
  return { interleaved: copies.flatMap((copy) => JSON.parse(copy) as Step[][]) };
}

function distinct(states: State[]): State[] {
  return [...new Map(states.map((state) => [JSON.stringify(state), state])).values()];
}

function checkOutput(steps: readonly Step[], lines: readonly string[], main: number): string | undefined {
  let states: State[] = [{ rest: steps.map(unfold), names: { main: String(main) } }];
  for (const [index, line] of lines.entries()) {
    const next = distinct(states.flatMap((state) => after(state, line)));
    if (next.length === 0) {
      return `line ${index + 1} was not expected: ${line}\nwhat could come: ${JSON.stringify(states[0]?.rest)}`;
    }
    states = next;
  }
  if (states.some(({ rest }) => rest.every(mayBeNothing))) return undefined;
  return `the output ended, but there is to come: ${JSON.stringify(states[0]?.rest)}`;
}

function checkSeats({ enter, leave, most }: Required<Outcome>['seats'], lines: readonly string[]): string | undefined {
  let seated = 0;
  for (const [index, line] of lines.entries()) {
    if (new RegExp(enter).test(line)) seated += 1;
    if (new RegExp(leave).test(line)) seated -= 1;
    if (seated > most) return `line ${index + 1}: ${seated} at once, where ${most} is the most`;
  }
  return undefined;
}

/** Why `lines` is not what `outcome` says; undefined when it is. `main` is the main process's pid. */
export function deviation(outcome: Outcome, lines: readonly string[], main: number): string | undefined {
  const wrongOrder = (outcome.before ?? []).find(
    ([first, second]) => lines.includes(second) && !lines.slice(0, lines.indexOf(second)).includes(first),
  );
  if (wrongOrder !== undefined) return `'${wrongOrder[1]}' came without '${wrongOrder[0]}' before it`;
  return (outcome.seats && checkSeats(outcome.seats, lines)) ?? checkOutput(outcome.output, lines, main);
}
