// Files: calls that glibc shows only with _GNU_SOURCE, which Swift's importer does not set.
// Each returns what the call named in its comment returns, and sets errno.
#ifndef CLINUX_FILE_H
#define CLINUX_FILE_H

#include <stddef.h>
#include <stdint.h>

// DIR, without <dirent.h>: a header of libc that is included here would give its types a second home in Swift.
struct __dirstream;

// fallocate(2) with FALLOC_FL_KEEP_SIZE.
int clinux_allocate_keeping_size(int descriptor, int64_t offset, int64_t length);
// syncfs(2).
int clinux_sync_file_system(int descriptor);
// sync_file_range(2) with SYNC_FILE_RANGE_WRITE.
int clinux_start_writeback(int descriptor, int64_t offset, int64_t length);
// f_type of fstatfs(2); -1 on error.
int64_t clinux_file_system_type(int descriptor);
// readdir(3): the next name, null at the end (errno 0) or on error (errno set). Valid until the next call.
const char *clinux_next_name(struct __dirstream *directory);
// getrandom(2) without flags: waits until the kernel's pool is initialised.
long clinux_random(void *bytes, size_t count);
// The text of an errno value (strerror_r(3)); thread-safe. Either `buffer` or a static string.
const char *clinux_error_text(int code, char *buffer, size_t size);
// explicit_bzero(3): a wipe that the compiler does not remove.
void clinux_wipe(void *bytes, size_t count);

#endif
