#ifndef CDISKTRACE_H
#define CDISKTRACE_H

#include <stddef.h>
#include <stdint.h>

// What a thread does to files, told to an observer. The program that this is linked into has its own `write`, `fsync` and so
// on: each does what libc's does and, on a thread that has an observer, says so afterwards. Nothing in what is observed
// knows of it.

enum disk_operation_kind {
  disk_create,
  disk_make_directory,
  disk_write,
  disk_truncate,
  disk_rename,
  disk_unlink,
  disk_remove_directory,
  disk_sync,
  disk_sync_file_system,
};

struct disk_operation {
  enum disk_operation_kind kind;
  // Absolute. Of a rename: the old name.
  const char *path;
  // Of a rename: the new name; else null.
  const char *target;
  // Of a write: where it begins; of a truncation: the new length.
  int64_t offset;
  const void *bytes;
  size_t count;
};

typedef void (*disk_observer)(void *context, const struct disk_operation *operation);

// For the calling thread; null ends it.
void disk_trace_observe(disk_observer observer, void *context);

#endif
