// The process, its threads and its memory.
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

#include <stddef.h>
#include <stdint.h>

// pthread_create(3) with all asynchronous signals blocked in the new thread, `stack_size` bytes of stack, and SCHED_FIFO
// at `fifo_priority` unless that is 0. Returns an errno value, 0 for success.
int clinux_thread_create(unsigned long *thread, size_t stack_size, int fifo_priority, void *(*body)(void *), void *argument);
// pthread_setname_np(3) of the calling thread, at most 15 bytes. Returns an errno value.
int clinux_thread_set_name(const char *name);
// The name of the calling thread, at most 15 bytes and a zero.
int clinux_thread_name(char *name, size_t size);

// mmap(2) of private anonymous zeroed memory with MADV_DONTDUMP and MADV_DONTFORK; null on error.
void *clinux_map_private(size_t count);

// prctl(2) PR_SET_DUMPABLE 0 and setrlimit(2) RLIMIT_CORE 0.
int clinux_disable_core_dumps(void);
// prctl(2) PR_GET_DUMPABLE.
int clinux_is_dumpable(void);
// mlockall(2) with MCL_CURRENT, MCL_FUTURE and MCL_ONFAULT.
int clinux_lock_process_memory(void);
// mlock2(2) with MLOCK_ONFAULT.
int clinux_lock_when_used(void *bytes, size_t count);
// The soft limit RLIMIT_MEMLOCK in bytes; UINT64_MAX when unlimited, or unknown.
uint64_t clinux_memory_lock_limit(void);
// mallopt(3). 1 for success.
int clinux_malloc_trim_threshold(int bytes);
int clinux_malloc_arena_limit(int arenas);

// adjtimex(2), reading only. Returns 1 when the kernel's clock is synchronised, 0 when not, -1 on error.
int clinux_clock_state(int64_t *maximum_error_us);

// The width of the terminal in columns (TIOCGWINSZ); 0 when it has none.
int clinux_terminal_columns(int descriptor);

#endif
