// Presses a button of the lab, on command, and says when.
//
//   press_button line PULL PRESSED RELEASED   a line of gpio-sim: its sysfs file and what to write, pull-up or pull-down
//   press_button key NAME                     makes an input device with the keys RECORD, PAGEDOWN and A, and autorepeat
//
// Commands come from the standard input, one a line:
//
//   down [TOGGLES]   presses; with TOGGLES the contact opens or closes so often again, within 2 ms, before it settles
//   up [TOGGLES]     releases, as above
//   other            presses and releases another key
//   flood COUNT      presses and releases so often, as fast as it can
//   wait MS          from the last command's time on, not from now
//
// After each `down` and `up` a line: what, and in ns of CLOCK_MONOTONIC when it began and when it had settled.

#include <errno.h>
#include <fcntl.h>
#include <linux/uinput.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int device;
static int is_line;
static const char *levels[2];  // what to write for released and pressed
static int64_t due;            // when the next command may begin, ns

static void fail(const char *what, const char *why) {
  fprintf(stderr, "press_button: %s: %s\n", what, why);
  exit(1);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_until(int64_t time) {
  struct timespec t = {time / 1000000000, time % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

static void send_event(int type, int code, int value) {
  struct input_event event = {.type = (unsigned short)type, .code = (unsigned short)code, .value = value};
  if (write(device, &event, sizeof event) != sizeof event) fail("writing to uinput", strerror(errno));
}

static void send_key(int code, int value) {
  send_event(EV_KEY, code, value);
  send_event(EV_SYN, SYN_REPORT, 0);
}

static void set(int pressed) {
  if (!is_line) {
    send_key(KEY_RECORD, pressed);
  } else if (pwrite(device, levels[pressed], strlen(levels[pressed]), 0) < 0) {
    fail("moving the line", strerror(errno));
  }
}

static void move(int pressed, long toggles) {
  toggles += toggles % 2;
  int64_t begin = now();
  set(pressed);
  for (long n = 0; n < toggles; n++) {
    // Busy waiting: a sleep is not as short as a bounce.
    while (now() < begin + (n + 1) * INT64_C(2000000) / toggles) {}
    set(n % 2 == 0 ? !pressed : pressed);
  }
  int64_t settled = now();
  printf("%s %lld %lld\n", pressed ? "down" : "up", (long long)begin, (long long)settled);
  fflush(stdout);
}

static void make_device(const char *name) {
  static const int keys[] = {KEY_RECORD, KEY_PAGEDOWN, KEY_A};
  struct uinput_setup setup = {.id = {.bustype = BUS_VIRTUAL}};
  snprintf(setup.name, sizeof setup.name, "%s", name);
  device = open("/dev/uinput", O_WRONLY | O_CLOEXEC);
  if (device < 0) fail("/dev/uinput", strerror(errno));
  int failed = ioctl(device, UI_SET_EVBIT, EV_KEY) < 0 || ioctl(device, UI_SET_EVBIT, EV_REP) < 0;
  for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) failed |= ioctl(device, UI_SET_KEYBIT, keys[i]) < 0;
  if (failed || ioctl(device, UI_DEV_SETUP, &setup) < 0 || ioctl(device, UI_DEV_CREATE) < 0) fail("uinput", strerror(errno));
}

int main(int argc, char **argv) {
  is_line = argc == 5 && strcmp(argv[1], "line") == 0;
  if (is_line) {
    levels[1] = argv[3];
    levels[0] = argv[4];
    device = open(argv[2], O_WRONLY | O_CLOEXEC);
    if (device < 0) fail(argv[2], strerror(errno));
  } else if (argc == 3 && strcmp(argv[1], "key") == 0) {
    make_device(argv[2]);
  } else {
    fail("usage", "press_button line PULL PRESSED RELEASED | press_button key NAME");
  }
  printf("ready\n");
  fflush(stdout);

  char line[64], word[16];
  due = now();
  while (fgets(line, sizeof line, stdin)) {
    long number = 0;
    if (sscanf(line, "%15s %ld", word, &number) < 1) continue;
    if (strcmp(word, "wait") == 0) {
      due += number * INT64_C(1000000);
      // A guest that was late does not hurry afterwards.
      if (due < now()) due = now();
      sleep_until(due);
      continue;
    }
    due = now();
    if (strcmp(word, "down") == 0 || strcmp(word, "up") == 0) {
      move(*word == 'd', number);
    } else if (strcmp(word, "other") == 0 && !is_line) {
      send_key(KEY_A, 1);
      send_key(KEY_A, 0);
    } else if (strcmp(word, "flood") == 0) {
      for (long n = 0; n < number; n++) {
        set(1);
        set(0);
      }
      printf("flooded\n");
      fflush(stdout);
    } else {
      fail("unknown command", line);
    }
  }
  return 0;
}
