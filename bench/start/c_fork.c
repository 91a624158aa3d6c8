// The floor: fork, _exit, waitpid in a process with N MB of private memory. One round per line of input. Pages are small
// ones, as those of Node and CPython are: with huge pages there would be next to no page tables to copy.
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const size_t size = (size_t)atoi(argc > 1 ? argv[1] : "0") << 20;
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  volatile char* memory = malloc(size + 1);
  for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
  printf("{\"privateMB\":%zu}\n", size >> 20);
  fflush(stdout);
  while (getchar() != EOF) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, NULL, 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%f\n", (end.tv_sec - begin.tv_sec) * 1e3 + (end.tv_nsec - begin.tv_nsec) / 1e6);
    fflush(stdout);
  }
  free((void*)memory);
}
