/**
 * Programs in C and Python that know nothing of this library and use a named POSIX semaphore by lines on their stdin:
 * `create <value>`, `open`, `wait`, `try`, `post`, `value`, `unlink`. Each is answered by a number, once it is done.
 */

import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const C_PROGRAM = `
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char** argv) {
  const char* name = argv[1];
  sem_t* semaphore = SEM_FAILED;
  char line[100];
  while (fgets(line, sizeof line, stdin) != NULL) {
    int answer = 0;
    if (strncmp(line, "create ", 7) == 0) {
      semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, atoi(line + 7));
      answer = semaphore == SEM_FAILED ? -1 : 0;
    } else if (strcmp(line, "open\\n") == 0) {
      semaphore = sem_open(name, 0);
      answer = semaphore == SEM_FAILED ? -1 : 0;
    } else if (strcmp(line, "wait\\n") == 0) {
      answer = sem_wait(semaphore);
    } else if (strcmp(line, "try\\n") == 0) {
      answer = sem_trywait(semaphore);
    } else if (strcmp(line, "post\\n") == 0) {
      answer = sem_post(semaphore);
    } else if (strcmp(line, "value\\n") == 0) {
      sem_getvalue(semaphore, &answer);
    } else if (strcmp(line, "unlink\\n") == 0) {
      answer = sem_unlink(name);
    }
    printf("%d\\n", answer);
    fflush(stdout);
  }
  return 0;
}
`;

const PYTHON_PROGRAM = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.sem_open.restype = ctypes.c_void_p
name, semaphore = sys.argv[1].encode(), None

def opened(*arguments):
    global semaphore
    semaphore = ctypes.c_void_p(libc.sem_open(name, *arguments))
    return 0 if semaphore.value else -1

def value():
    found = ctypes.c_int()
    libc.sem_getvalue(semaphore, ctypes.byref(found))
    return found.value

for line in sys.stdin:
    command, *rest = line.split()
    print({
        'create': lambda: opened(os.O_CREAT | os.O_EXCL, 0o600, ctypes.c_uint(int(rest[0]))),
        'open': lambda: opened(0),
        'wait': lambda: libc.sem_wait(semaphore),
        'try': lambda: libc.sem_trywait(semaphore),
        'post': lambda: libc.sem_post(semaphore),
        'value': value,
        'unlink': lambda: libc.sem_unlink(name),
    }[command](), flush=True)
`;

export class SemaphoreClient {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;

  constructor(command: readonly string[], name: string) {
    const [program = '', ...args] = command;
    this.#process = spawn(program, [...args, name], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout });
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** Resolves with the answer. */
  async ask(line: string): Promise<number> {
    this.#process.stdin.write(`${line}\n`);
    const [answer] = (await once(this.#lines, 'line')) as [string];
    return Number(answer);
  }

  async kill(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }
}

function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** The languages that this machine has. */
export const languages: readonly ('C' | 'Python')[] = [
  ...(runs('cc', '--version') ? (['C'] as const) : []),
  ...(runs('python3', '-c', 'import ctypes') ? (['Python'] as const) : []),
];

/** The command line of the program in that language, and what removes it. */
export function prepareClient(language: 'C' | 'Python'): { command: readonly string[]; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-client-'));
  const remove = (): void => rmSync(folder, { recursive: true });
  const source = path.join(folder, language === 'C' ? 'client.c' : 'client.py');
  writeFileSync(source, language === 'C' ? C_PROGRAM : PYTHON_PROGRAM);
  if (language === 'Python') return { command: ['python3', source], remove };
  const program = path.join(folder, 'client');
  execFileSync('cc', ['-o', program, source, '-pthread']);
  return { command: [program], remove };
}
