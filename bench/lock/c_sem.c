// sem_t in C, by the line: pair, contended, handover. Each round prints nanoseconds per operation.
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static sem_t *semaphore(unsigned value) {
  sem_t *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  sem_init(s, 1, value);
  return s;
}

static void passes(sem_t *s, long n) {
  for (long i = 0; i < n; i++) {
    sem_wait(s);
    sem_post(s);
  }
}

// Passes until the time is up.
static long passes_until(sem_t *s, double end) {
  long n = 0;
  for (; now() < end; n += 100) passes(s, 100);
  return n;
}

int main(int argc, char **argv) {
  const char *mode = argv[1];
  const long n = atol(argv[2]);
  char line[16];
  puts("{}");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    sem_t *a = semaphore(1), *b = semaphore(0), *ready = semaphore(0);
    double start, per = 1;
    if (strcmp(mode, "pair") == 0) {
      start = now();
      passes(a, n);
    } else if (strcmp(mode, "contended") == 0) {
      // n is milliseconds.
      long *theirs = mmap(NULL, sizeof *theirs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      if (fork() == 0) {
        sem_post(ready);
        *theirs = passes_until(a, now() + n * 1e6);
        _exit(0);
      }
      sem_wait(ready);
      start = now();
      const long ours = passes_until(a, start + n * 1e6);
      wait(NULL);
      per = (double)(ours + *theirs) / n;
      munmap(theirs, sizeof *theirs);
    } else {
      sem_wait(a);
      if (fork() == 0) {
        sem_post(ready);
        for (long i = 0; i < n; i++) {
          sem_wait(a);
          sem_post(b);
        }
        _exit(0);
      }
      sem_wait(ready);
      start = now();
      for (long i = 0; i < n; i++) {
        sem_post(a);
        sem_wait(b);
      }
      wait(NULL);
      per = 2;
    }
    printf("%.1f\n", (now() - start) / n / per);
    fflush(stdout);
    munmap(a, sizeof *a);
    munmap(b, sizeof *b);
    munmap(ready, sizeof *ready);
  }
  return 0;
}
