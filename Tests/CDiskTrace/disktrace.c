#define _GNU_SOURCE
#include "cdisktrace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static __thread disk_observer observer;
static __thread void *observer_context;

void disk_trace_observe(disk_observer wanted, void *context) {
  observer = wanted;
  observer_context = context;
}

// Tells the observer, which may itself use files unobserved; errno stays as the call left it.
static void tell(struct disk_operation operation) {
  int code = errno;
  disk_observer current = observer;
  observer = NULL;
  current(observer_context, &operation);
  observer = current;
  errno = code;
}

static int descriptor_path(int descriptor, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length <= 0 || path[0] != '/') return 0;
  path[length] = 0;
  return 1;
}

static int name_path(int directory, const char *name, char *path) {
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
    return 1;
  }
  char parent[PATH_MAX];
  if (directory == AT_FDCWD || !descriptor_path(directory, parent)) return 0;
  snprintf(path, PATH_MAX, "%.2000s/%.2000s", parent, name);
  return 1;
}

static void tell_written(int descriptor, const void *bytes, ssize_t count, int64_t offset) {
  char path[PATH_MAX];
  if (!observer || count <= 0 || !descriptor_path(descriptor, path)) return;
  tell((struct disk_operation){disk_write, path, NULL, offset, bytes, (size_t)count});
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  ssize_t done = syscall(SYS_write, descriptor, bytes, count);
  // The position is behind what was written also with O_APPEND.
  if (observer && done > 0) {
    int64_t end = syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
    if (end >= done) tell_written(descriptor, bytes, done, end - done);
  }
  return done;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  ssize_t done = syscall(SYS_pwrite64, descriptor, bytes, count, offset);
  tell_written(descriptor, bytes, done, offset);
  return done;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  return pwrite(descriptor, bytes, count, offset);
}

static int synced(int descriptor, int result, enum disk_operation_kind kind) {
  char path[PATH_MAX];
  if (observer && result == 0 && descriptor_path(descriptor, path)) {
    tell((struct disk_operation){kind, path, NULL, 0, NULL, 0});
  }
  return result;
}

int fsync(int descriptor) { return synced(descriptor, syscall(SYS_fsync, descriptor), disk_sync); }

int fdatasync(int descriptor) { return synced(descriptor, syscall(SYS_fdatasync, descriptor), disk_sync); }

int syncfs(int descriptor) { return synced(descriptor, syscall(SYS_syncfs, descriptor), disk_sync_file_system); }

int ftruncate(int descriptor, off_t length) {
  char path[PATH_MAX];
  int result = syscall(SYS_ftruncate, descriptor, length);
  if (observer && result == 0 && descriptor_path(descriptor, path)) {
    tell((struct disk_operation){disk_truncate, path, NULL, length, NULL, 0});
  }
  return result;
}

int ftruncate64(int descriptor, off64_t length) { return ftruncate(descriptor, length); }

int openat(int directory, const char *name, int flags, ...) {
  mode_t mode = 0;
  if (flags & (O_CREAT | O_TMPFILE)) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  struct stat status;
  int is_new = observer && (flags & O_CREAT) &&
               syscall(SYS_newfstatat, directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0;
  int descriptor = syscall(SYS_openat, directory, name, flags, mode);
  char path[PATH_MAX];
  if (observer && descriptor >= 0 && (is_new || (flags & O_TRUNC)) && name_path(directory, name, path)) {
    if (is_new) tell((struct disk_operation){disk_create, path, NULL, 0, NULL, 0});
    else tell((struct disk_operation){disk_truncate, path, NULL, 0, NULL, 0});
  }
  return descriptor;
}

int mkdirat(int directory, const char *name, mode_t mode) {
  char path[PATH_MAX];
  int result = syscall(SYS_mkdirat, directory, name, mode);
  if (observer && result == 0 && name_path(directory, name, path)) {
    tell((struct disk_operation){disk_make_directory, path, NULL, 0, NULL, 0});
  }
  return result;
}

int unlinkat(int directory, const char *name, int flags) {
  char path[PATH_MAX];
  int result = syscall(SYS_unlinkat, directory, name, flags);
  if (observer && result == 0 && name_path(directory, name, path)) {
    tell((struct disk_operation){flags & AT_REMOVEDIR ? disk_remove_directory : disk_unlink, path, NULL, 0, NULL, 0});
  }
  return result;
}

int renameat(int directory, const char *name, int target_directory, const char *target) {
  char path[PATH_MAX], target_path[PATH_MAX];
  int result = syscall(SYS_renameat, directory, name, target_directory, target);
  if (observer && result == 0 && name_path(directory, name, path) &&
      name_path(target_directory, target, target_path)) {
    tell((struct disk_operation){disk_rename, path, target_path, 0, NULL, 0});
  }
  return result;
}
