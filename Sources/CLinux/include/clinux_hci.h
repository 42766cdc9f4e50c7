// HCI sockets: what the kernel's interface is, which libc does not have and whose header is libbluetooth's
// (include/net/bluetooth/hci_sock.h and net/bluetooth/hci_sock.c in the kernel). Each function returns what the call named in
// its comment returns, and sets errno.
#ifndef CLINUX_HCI_H
#define CLINUX_HCI_H

#include <stddef.h>
#include <stdint.h>

// struct hci_dev_info, as far as it is looked at; 92 bytes in all.
struct clinux_hci_info {
  uint16_t index;
  char name[8];
  uint8_t address[6];
  uint32_t flags;
  uint8_t rest[72];
};

// HCI_UP of `flags`.
static const uint32_t CLINUX_HCI_FLAG_UP = 1;
// HCI_CHANNEL_*.
static const uint16_t CLINUX_HCI_CHANNEL_RAW = 0;
static const uint16_t CLINUX_HCI_CHANNEL_USER = 1;

// socket(2) AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, BTPROTO_HCI.
int clinux_hci_socket(void);
// setsockopt(2) HCI_FILTER: event packets with these codes (bits 0 to 63) pass.
int clinux_hci_filter(int descriptor, uint64_t events);
// bind(2). On the user channel it also switches the adapter on, which takes as long as its driver needs.
int clinux_hci_bind(int descriptor, uint16_t index, uint16_t channel);
// ioctl(2) HCIGETDEVLIST: the indices of at most `capacity` (1 to 64) adapters. Returns how many, -1 on error.
int clinux_hci_list(int descriptor, uint16_t *indices, int capacity);
// ioctl(2) HCIGETDEVINFO of `info->index`.
int clinux_hci_read_info(int descriptor, struct clinux_hci_info *info);
// ioctl(2) HCIDEVDOWN.
int clinux_hci_down(int descriptor, uint16_t index);

#endif
