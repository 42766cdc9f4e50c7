// GPIO lines and input devices: the kernel's own headers, plus the request codes that Swift cannot import from them,
// each as a constant under its kernel name. Where the kernel's macro takes a length, the name here ends in what it is of.
// Kernel documentation: userspace-api/gpio/chardev, input/input.
#ifndef CLINUX_TRIGGER_H
#define CLINUX_TRIGGER_H

#include <linux/gpio.h>
#include <linux/input.h>

#define CLINUX_REQUEST(name, code) \
  static const unsigned long clinux_##name __attribute__((swift_name(#name), unused)) = code

CLINUX_REQUEST(GPIO_GET_CHIPINFO_IOCTL, GPIO_GET_CHIPINFO_IOCTL);
CLINUX_REQUEST(GPIO_V2_GET_LINEINFO_IOCTL, GPIO_V2_GET_LINEINFO_IOCTL);
CLINUX_REQUEST(GPIO_V2_GET_LINE_IOCTL, GPIO_V2_GET_LINE_IOCTL);
CLINUX_REQUEST(GPIO_V2_LINE_GET_VALUES_IOCTL, GPIO_V2_LINE_GET_VALUES_IOCTL);
CLINUX_REQUEST(GPIO_V2_LINE_SET_VALUES_IOCTL, GPIO_V2_LINE_SET_VALUES_IOCTL);

CLINUX_REQUEST(EVIOCSCLOCKID, EVIOCSCLOCKID);
CLINUX_REQUEST(EVIOCSMASK, EVIOCSMASK);
// A device's name: at most 256 bytes with the zero.
CLINUX_REQUEST(EVIOCGNAME_256, EVIOCGNAME(256));
// One bit for each key up to KEY_MAX, 96 bytes: which keys the device has, and which are down.
CLINUX_REQUEST(EVIOCGBIT_KEYS, EVIOCGBIT(EV_KEY, KEY_CNT / 8));
CLINUX_REQUEST(EVIOCGKEY_KEYS, EVIOCGKEY(KEY_CNT / 8));

#undef CLINUX_REQUEST

#endif
