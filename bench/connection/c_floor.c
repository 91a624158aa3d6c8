// Round trips of 64 bytes through pipes or a Unix socket pair, and one-way throughput: what the kernel takes.
//   c_floor pipe|unix pingpong|stream SIZE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void get(int fd, char *bytes, size_t n) {
  for (ssize_t k; n > 0; bytes += k, n -= k) if ((k = read(fd, bytes, n)) <= 0) exit(0);
}

static void put(int fd, const char *bytes, size_t n) {
  for (ssize_t k; n > 0; bytes += k, n -= k) if ((k = write(fd, bytes, n)) <= 0) exit(0);
}

int main(int argc, char **argv) {
  if (argc < 4) return 1;
  size_t size = strtoul(argv[3], NULL, 10);
  int ping = strcmp(argv[2], "pingpong") == 0;
  int there[2], back[2];
  if (strcmp(argv[1], "pipe") == 0) {
    if (pipe(there) || pipe(back)) return 1;
  } else {
    int s[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s)) return 1;
    there[1] = back[0] = s[0];
    there[0] = back[1] = s[1];
  }
  long count = ping ? 10000 : size <= 64 ? 100000 : (long)(256e6 / size);
  char *bytes = calloc(1, size);
  pid_t child = fork();
  if (child == 0) {
    for (;;) {
      for (long i = 0; i < count; i++) {
        get(there[0], bytes, size);
        if (ping) put(back[1], bytes, size);
      }
      if (!ping) put(back[1], bytes, 1);
    }
  }
  puts("{}");
  fflush(stdout);
  char line[8];
  while (fgets(line, sizeof line, stdin)) {
    double began = now();
    for (long i = 0; i < count; i++) {
      put(there[1], bytes, size);
      if (ping) get(back[0], bytes, size);
    }
    if (!ping) get(back[0], bytes, 1);
    printf("{\"seconds\": %.9f, \"count\": %ld}\n", now() - began, count);
    fflush(stdout);
  }
  kill(child, SIGKILL);
  return 0;
}
