// Preloaded into qemu-user 7.2 (Debian 12), where it is no Linux in two ways that a fork meets:
//
// - In a forked child of a program with threads it aborts as soon as the child starts a thread: the parent's processors
//   are still in its table, so that the new one is not new, and qemu_plugin_vcpu_init_hook() asserts that it is.
// - /proc/self/stat is its own invention: a child has its parent's start time there, and another one in /proc/PID/stat.
//   So nobody could tell whether the process that holds a lock is the one that had this pid before.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int g_hash_table_insert(void* table, void* key, void* value) {
  static int (*insert)(void*, void*, void*);
  if (insert == 0) *(void**)&insert = dlsym(RTLD_NEXT, "g_hash_table_insert");
  insert(table, key, value);
  return 1;
}

// Field 22 of proc_pid_stat(5).
static unsigned long start_time(void) {
  char text[1024] = {0};
  unsigned long start = 0;
  FILE* stat = fopen("/proc/self/stat", "r");
  if (stat == 0) return 0;
  const size_t length = fread(text, 1, sizeof(text) - 1, stat);
  fclose(stat);
  const char* rest = length > 0 ? strrchr(text, ')') : 0;
  for (int field = 2; rest != 0 && field < 22; ++field) rest = strchr(rest + 1, ' ');
  if (rest != 0) sscanf(rest, "%lu", &start);
  return start;
}

// The start time is the one value that qemu-user prints in this way.
void g_string_printf(void* string, const char* format, ...) {
  static void (*print)(void*, const char*, va_list);
  if (print == 0) *(void**)&print = dlsym(RTLD_NEXT, "g_string_vprintf");
  va_list values;
  va_start(values, format);
  if (strcmp(format, "%lu ") == 0) {
    char text[32];
    void (*assign)(void*, const char*);
    *(void**)&assign = dlsym(RTLD_NEXT, "g_string_assign");
    snprintf(text, sizeof(text), "%lu ", start_time());
    assign(string, text);
  } else {
    print(string, format, values);
  }
  va_end(values);
}
