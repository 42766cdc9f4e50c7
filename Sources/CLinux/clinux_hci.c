#include "clinux_hci.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { BTPROTO_HCI = 1, SOL_HCI = 0, HCI_FILTER = 2, HCI_EVENT_PACKET = 4, list_capacity = 64 };

#define HCIDEVDOWN _IOW('H', 202, int)
#define HCIGETDEVLIST _IOR('H', 210, int)
#define HCIGETDEVINFO _IOR('H', 211, int)

struct hci_address {
  sa_family_t family;
  uint16_t index;
  uint16_t channel;
};

struct hci_filter {
  uint32_t types;
  uint32_t events[2];
  uint16_t opcode;
};

struct hci_list {
  uint16_t count;
  struct {
    uint16_t index;
    uint32_t flags;
  } entries[list_capacity];
};

_Static_assert(sizeof(struct hci_address) == 6, "struct sockaddr_hci");
_Static_assert(sizeof(struct hci_filter) == 16, "struct hci_ufilter");
_Static_assert(offsetof(struct hci_list, entries) == 4, "struct hci_dev_list_req");
_Static_assert(sizeof(struct hci_list) == 4 + 8 * list_capacity, "struct hci_dev_list_req");
_Static_assert(sizeof(struct clinux_hci_info) == 92, "struct hci_dev_info");
_Static_assert(offsetof(struct clinux_hci_info, flags) == 16, "struct hci_dev_info");

int clinux_hci_socket(void) { return socket(AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, BTPROTO_HCI); }

int clinux_hci_filter(int descriptor, uint64_t events) {
  const struct hci_filter filter = {
      .types = 1u << HCI_EVENT_PACKET, .events = {(uint32_t)events, (uint32_t)(events >> 32)}};
  return setsockopt(descriptor, SOL_HCI, HCI_FILTER, &filter, sizeof filter);
}

int clinux_hci_bind(int descriptor, uint16_t index, uint16_t channel) {
  const struct hci_address to = {.family = AF_BLUETOOTH, .index = index, .channel = channel};
  return bind(descriptor, (const struct sockaddr *)&to, sizeof to);
}

int clinux_hci_list(int descriptor, uint16_t *indices, int capacity) {
  struct hci_list list;
  memset(&list, 0, sizeof list);
  list.count = capacity < 1 ? 1 : capacity > list_capacity ? list_capacity : (uint16_t)capacity;
  if (ioctl(descriptor, HCIGETDEVLIST, &list) < 0) return -1;
  for (int i = 0; i < list.count; i++) indices[i] = list.entries[i].index;
  return list.count;
}

int clinux_hci_read_info(int descriptor, struct clinux_hci_info *info) { return ioctl(descriptor, HCIGETDEVINFO, info); }

int clinux_hci_down(int descriptor, uint16_t index) { return ioctl(descriptor, HCIDEVDOWN, (unsigned long)index); }
