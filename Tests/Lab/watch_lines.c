// Watches output lines of gpio-sim as an eye does: says when one changes.
//
//   watch_lines NAME=PATH…   PATH is the line's `value` in sysfs
//
// A line for each change, and one for each at the beginning: the time in ns of CLOCK_MONOTONIC, the name, 0 or 1. It looks every
// 2 ms, until it is killed.

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int main(int argc, char **argv) {
  int lines[16];
  char levels[16];
  if (argc < 2 || argc > 16) {
    fprintf(stderr, "usage: watch_lines NAME=PATH…\n");
    return 2;
  }
  for (int n = 1; n < argc; n++) {
    char *path = strchr(argv[n], '=');
    if (!path) {
      fprintf(stderr, "watch_lines: %s is no NAME=PATH\n", argv[n]);
      return 2;
    }
    *path++ = 0;
    lines[n] = open(path, O_RDONLY | O_CLOEXEC);
    if (lines[n] < 0) {
      fprintf(stderr, "watch_lines: %s: %s\n", path, strerror(errno));
      return 1;
    }
    levels[n] = 0;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (;;) {
    for (int n = 1; n < argc; n++) {
      char level;
      if (pread(lines[n], &level, 1, 0) != 1) continue;
      if (level == levels[n]) continue;
      levels[n] = level;
      printf("%lld %s %c\n", (long long)now(), argv[n], level);
    }
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
  }
}
