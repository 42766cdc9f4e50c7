#define _GNU_SOURCE
#include "clinux_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statfs.h>
#include <unistd.h>

int clinux_allocate_keeping_size(int descriptor, int64_t offset, int64_t length) {
  return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, offset, length);
}

int clinux_sync_file_system(int descriptor) { return syncfs(descriptor); }

int clinux_start_writeback(int descriptor, int64_t offset, int64_t length) {
  return sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
}

int64_t clinux_file_system_type(int descriptor) {
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0) return -1;
  return (int64_t)(uint32_t)status.f_type;
}

const char *clinux_next_name(DIR *directory) {
  errno = 0;
  const struct dirent *entry = readdir(directory);
  return entry ? entry->d_name : NULL;
}

long clinux_random(void *bytes, size_t count) { return getrandom(bytes, count, 0); }

const char *clinux_error_text(int code, char *buffer, size_t size) { return strerror_r(code, buffer, size); }

void clinux_wipe(void *bytes, size_t count) { explicit_bzero(bytes, count); }
