import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { getAllStartMethods, type StartMethod } from 'posix-multiprocessing';
import { runScript } from '../support/run_script.js';
import { PATIENCE } from '../support/watchdog.js';
import { deviation, type Outcome } from './outcome.js';

const sources = new URL('../../../examples/python/', import.meta.url);
const compiled = new URL('../../examples/python/', import.meta.url);

const ALL: readonly StartMethod[] = getAllStartMethods();
/** Those that start no Process. */
const NONE = [undefined];

/** Every program, and the start methods that it allows. */
const programs: Record<string, readonly (StartMethod | undefined)[]> = {
  threads_and_processes: ALL,
  ping_pong: ALL,
  producers_and_consumers: ALL,
  os_fork: NONE,
  first_child: ALL,
  call_program: NONE,
  talk_to_program: NONE,
  endless_reader: ALL,
  exchange: ALL,
  implicit_join: ALL,
  subclass: ALL,
  subclass_with_arguments: ALL,
  daemon: ALL,
  terminate: ALL,
  join_one: ALL,
  lost_updates: ALL,
  locked_updates: ALL,
  no_limit: ['fork'], // the others can, but a hundred fresh processes are seconds of work
  three_seats: ALL,
  traffic_light: ALL,
  more_puts_than_gets: ALL,
  pipe_greeting: ALL,
  start_methods: ALL,
  os_fork_in_short: NONE,
  pipe_objects: ALL,
  bounded_queue: ALL,
  shared_memory: ALL,
  pool_of_four: ALL,
  pool_of_two: ALL,
  squares_as_completed: ALL,
};

/** Modules that programs share. */
const helpers = new Set(['start_method']);

async function check(name: string, method: StartMethod | undefined): Promise<void> {
  const outcome = JSON.parse(readFileSync(new URL(`${name}.expected.json`, sources), 'utf8')) as Outcome;
  let main = 0;
  const { code, stdout, stderr, facts } = await runScript(new URL(`${name}.js`, compiled), {
    args: method === undefined ? [] : [method],
    onStart: (pid) => {
      main = pid;
    },
  });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout + stderr + facts);
  const wrong = deviation(outcome, stdout.trimEnd().split('\n'), main);
  assert.equal(wrong, undefined, `${wrong}\n\n${stdout}`);
}

describe('examples/python', function () {
  this.timeout(2 * PATIENCE);

  it('each program is in the table, with its outcome beside it', () => {
    const files = readdirSync(sources);
    const named = (suffix: string): string[] =>
      files.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length));
    assert.deepEqual(
      named('.ts')
        .filter((name) => !helpers.has(name))
        .sort(),
      Object.keys(programs).sort(),
    );
    assert.deepEqual(named('.expected.json').sort(), Object.keys(programs).sort());
  });

  for (const [name, methods] of Object.entries(programs)) {
    for (const method of methods) it(method === undefined ? name : `${name}, by ${method}`, () => check(name, method));
  }
});
