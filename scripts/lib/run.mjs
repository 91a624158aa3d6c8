// Starting other programs and telling the user about it. Node's built-ins only: this runs before `npm ci`.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The top folder of the checkout, or of the installed package. */
export const root = path.resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** An end that was foreseen: shown by its message alone, without a stack. */
export class Failure extends Error {}

/** One line about what is going on. Not on stdout, which belongs to the job itself. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** The path of a program on PATH; undefined when there is none. */
export function which(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.resolve(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Runs a program to its end; a Failure unless it ends with 0. What it prints on a stdout that `stdio` gives as 'pipe' is
 * returned, and shown when it fails.
 */
export function run(command, args, options = {}) {
  const { status, signal, error, stdout } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error) throw new Failure(`${command} could not be run: ${error.message}`);
  if (status !== 0 && stdout) say(stdout);
  if (status !== 0) throw new Failure(`${[command, ...args].join(' ')}: ended with ${signal ?? `code ${status}`}`);
  return stdout;
}

/** What a program prints on stdout. */
export function outputOf(command, args, options = {}) {
  return run(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options }).trim();
}

/** Runs npm: the one that runs us, else the one on PATH. */
export function npm(args, options = {}) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith('npm-cli.js') ? run(process.execPath, [cli, ...args], options) : run('npm', args, options);
}

/** Every file below `folder`, relative to it, sorted; none when it is not there. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** True in the script that node was started with, false where it is only imported. */
export function isMain(url) {
  const entry = process.argv[1];
  return entry !== undefined && existsSync(entry) && pathToFileURL(realpathSync(entry)).href === url;
}

/** The body of a script: its promise decides the exit code. */
export function main(work) {
  Promise.resolve()
    .then(work)
    .catch((error) => {
      say(error instanceof Failure ? `error: ${error.message}` : error.stack);
      process.exitCode = 1;
    });
}
