// Waiting: epoll, eventfd, signalfd, ppoll; and the parts of Unix sockets that need _GNU_SOURCE.
// Each returns what the call named in its comment returns, and sets errno.
#ifndef CLINUX_POLL_H
#define CLINUX_POLL_H

#include <stddef.h>
#include <stdint.h>

// eventfd(2), 0, EFD_NONBLOCK | EFD_CLOEXEC.
int clinux_eventfd(void);
// ppoll(2) on one descriptor; `timeout_ns` < 0 waits for ever. Returns revents, 0 on timeout, -1 on error.
int clinux_wait(int descriptor, short events, int64_t timeout_ns);

// epoll_create1(2), EPOLL_CLOEXEC.
int clinux_epoll_create(void);
// epoll_ctl(2); operation 1 adds, 2 removes, 3 modifies (EPOLL_CTL_*).
int clinux_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token);
// epoll_wait(2) without waiting, into two parallel arrays; at most 64 events a call.
int clinux_epoll_take(int epoll, uint32_t *events, uint64_t *tokens, int capacity);

// pthread_sigmask(3) SIG_BLOCK of these signals, then signalfd(2) with SFD_NONBLOCK | SFD_CLOEXEC.
int clinux_signalfd(const int *signals, int count);
// The next signal's number from a signalfd; 0 when none is waiting, -1 on error.
int clinux_next_signal(int descriptor);
// signal(SIGPIPE, SIG_IGN).
void clinux_ignore_broken_pipe(void);

// socket(2) AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, with SOCK_NONBLOCK if asked.
int clinux_unix_socket(int nonblocking);
// bind(2) and connect(2) to a path of at most 107 bytes; longer is ENAMETOOLONG.
int clinux_unix_bind(int descriptor, const char *path);
int clinux_unix_connect(int descriptor, const char *path);
// socket(2) AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK.
int clinux_unix_datagram(void);
// sendto(2) with MSG_NOSIGNAL to a path, or after "@" to a name of the abstract namespace; longer than 107 bytes is ENAMETOOLONG.
long clinux_send_to(int descriptor, const char *address, const void *bytes, size_t count);
// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC.
int clinux_accept(int descriptor);
// getsockopt(2) SO_PEERCRED.
int clinux_peer_credentials(int descriptor, int32_t *process, uint32_t *user, uint32_t *group);
// setsockopt(2) SO_RCVTIMEO and SO_SNDTIMEO.
int clinux_socket_timeouts(int descriptor, int64_t milliseconds);
// send(2) with MSG_NOSIGNAL.
long clinux_send(int descriptor, const void *bytes, size_t count);

// getgrnam_r(3) and getgrgid_r(3). 0 found, 1 unknown, -1 error.
int clinux_group_id(const char *name, uint32_t *group);
int clinux_group_name(uint32_t group, char *name, size_t size);

#endif
