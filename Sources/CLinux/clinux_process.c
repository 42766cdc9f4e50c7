#define _GNU_SOURCE
#include "clinux_process.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

static int create(pthread_t *thread, size_t stack_size, int fifo_priority, void *(*body)(void *), void *argument) {
  pthread_attr_t attributes;
  int code = pthread_attr_init(&attributes);
  if (code != 0) return code;
  code = pthread_attr_setstacksize(&attributes, stack_size);
  if (code == 0 && fifo_priority != 0) {
    struct sched_param parameter = {.sched_priority = fifo_priority};
    code = pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    if (code == 0) code = pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    if (code == 0) code = pthread_attr_setschedparam(&attributes, &parameter);
  }
  if (code == 0) code = pthread_create(thread, &attributes, body, argument);
  pthread_attr_destroy(&attributes);
  return code;
}

int clinux_thread_create(unsigned long *thread, size_t stack_size, int fifo_priority, void *(*body)(void *),
                         void *argument) {
  long page = sysconf(_SC_PAGESIZE);
  long least = sysconf(_SC_THREAD_STACK_MIN);
  if (least < PTHREAD_STACK_MIN) least = PTHREAD_STACK_MIN;
  if (stack_size < (size_t)least) stack_size = (size_t)least;
  stack_size = (stack_size + (size_t)page - 1) / (size_t)page * (size_t)page;

  // The new thread inherits the mask, so no signal can reach it in between. Faults stay deliverable: a crash must
  // look like a crash.
  sigset_t blocked, before;
  sigfillset(&blocked);
  const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) sigdelset(&blocked, faults[i]);
  int code = pthread_sigmask(SIG_SETMASK, &blocked, &before);
  if (code != 0) return code;
  code = create(thread, stack_size, fifo_priority, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

int clinux_thread_set_name(const char *name) { return pthread_setname_np(pthread_self(), name); }

int clinux_thread_name(char *name, size_t size) { return pthread_getname_np(pthread_self(), name, size); }

void *clinux_map_private(size_t count) {
  void *bytes = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED) return NULL;
  if (madvise(bytes, count, MADV_DONTDUMP) != 0 || madvise(bytes, count, MADV_DONTFORK) != 0) {
    int code = errno;
    munmap(bytes, count);
    errno = code;
    return NULL;
  }
  return bytes;
}

int clinux_disable_core_dumps(void) {
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return -1;
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int clinux_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

int clinux_lock_process_memory(void) { return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT); }

int clinux_lock_when_used(void *bytes, size_t count) { return mlock2(bytes, count, MLOCK_ONFAULT); }

uint64_t clinux_memory_lock_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

int clinux_malloc_trim_threshold(int bytes) { return mallopt(M_TRIM_THRESHOLD, bytes); }

int clinux_malloc_arena_limit(int arenas) { return mallopt(M_ARENA_MAX, arenas); }

int clinux_clock_state(int64_t *maximum_error_us) {
  struct timex state = {.modes = 0};
  int code = adjtimex(&state);
  if (code < 0) return -1;
  *maximum_error_us = state.maxerror;
  return code != TIME_ERROR && !(state.status & STA_UNSYNC);
}

int clinux_terminal_columns(int descriptor) {
  struct winsize size;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
