#define _GNU_SOURCE
#include "clinux_poll.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int clinux_wait(int descriptor, short events, int64_t timeout_ns) {
  struct pollfd entry = {.fd = descriptor, .events = events};
  struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
  int count = ppoll(&entry, 1, timeout_ns < 0 ? NULL : &timeout, NULL);
  return count > 0 ? (unsigned short)entry.revents : count;
}

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data = {.u64 = token}};
  return epoll_ctl(epoll, operation, descriptor, &event);
}

int clinux_epoll_take(int epoll, uint32_t *events, uint64_t *tokens, int capacity) {
  struct epoll_event taken[64];
  int count = epoll_wait(epoll, taken, capacity < 64 ? capacity : 64, 0);
  for (int i = 0; i < count; i++) {
    events[i] = taken[i].events;
    tokens[i] = taken[i].data.u64;
  }
  return count;
}

int clinux_signalfd(const int *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++) {
    if (sigaddset(&set, signals[i]) != 0) return -1;
  }
  int code = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (code != 0) {
    errno = code;
    return -1;
  }
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int clinux_next_signal(int descriptor) {
  struct signalfd_siginfo info;
  ssize_t count;
  do {
    count = read(descriptor, &info, sizeof info);
  } while (count < 0 && errno == EINTR);
  if (count == (ssize_t)sizeof info) return (int)info.ssi_signo;
  return count < 0 && errno != EAGAIN ? -1 : 0;
}

void clinux_ignore_broken_pipe(void) { signal(SIGPIPE, SIG_IGN); }

int clinux_unix_socket(int nonblocking) {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
}

static int address(const char *path, struct sockaddr_un *out) {
  memset(out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof out->sun_path) {
    errno = length == 0 ? ENOENT : ENAMETOOLONG;
    return -1;
  }
  memcpy(out->sun_path, path, length + 1);
  return 0;
}

int clinux_unix_bind(int descriptor, const char *path) {
  struct sockaddr_un to;
  if (address(path, &to) != 0) return -1;
  return bind(descriptor, (const struct sockaddr *)&to, sizeof to);
}

int clinux_unix_connect(int descriptor, const char *path) {
  struct sockaddr_un to;
  if (address(path, &to) != 0) return -1;
  return connect(descriptor, (const struct sockaddr *)&to, sizeof to);
}

int clinux_unix_datagram(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

long clinux_send_to(int descriptor, const char *name, const void *bytes, size_t count) {
  struct sockaddr_un to;
  if (address(name, &to) != 0) return -1;
  socklen_t size = sizeof to;
  if (to.sun_path[0] == '@') {
    // An abstract name is as long as its length says, zeros included.
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    to.sun_path[0] = 0;
  }
  return sendto(descriptor, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
}

int clinux_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int clinux_peer_credentials(int descriptor, int32_t *process, uint32_t *user, uint32_t *group) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
  *process = credentials.pid;
  *user = credentials.uid;
  *group = credentials.gid;
  return 0;
}

int clinux_socket_timeouts(int descriptor, int64_t milliseconds) {
  struct timeval timeout = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0) return -1;
  return setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

long clinux_send(int descriptor, const void *bytes, size_t count) {
  return send(descriptor, bytes, count, MSG_NOSIGNAL);
}

// A group with thousands of members needs more than this; it then counts as an error (ERANGE).
enum { group_buffer = 16384 };

int clinux_group_id(const char *name, uint32_t *group) {
  char buffer[group_buffer];
  struct group entry, *found = NULL;
  int code = getgrnam_r(name, &entry, buffer, sizeof buffer, &found);
  if (found) {
    *group = entry.gr_gid;
    return 0;
  }
  errno = code;
  return code == 0 || code == ENOENT || code == ESRCH ? 1 : -1;
}

int clinux_group_name(uint32_t group, char *name, size_t size) {
  char buffer[group_buffer];
  struct group entry, *found = NULL;
  int code = getgrgid_r(group, &entry, buffer, sizeof buffer, &found);
  if (found && strlen(entry.gr_name) < size) {
    strcpy(name, entry.gr_name);
    return 0;
  }
  errno = code;
  return code == 0 || code == ENOENT || code == ESRCH ? 1 : -1;
}
