#!/usr/bin/env python3
"""Two virtual Bluetooth LE controllers (hci_vhci) in one room: a is the camera's, b an emitter's. What b advertises a hears.

usage: air.py < COMMANDS    prints lines "NS WHO WHAT", NS of CLOCK_MONOTONIC

commands, one a line:
  a plug | a unplug            the adapter appears or vanishes; the same with b
  a extended                   from the next plug on it has the extended scan commands
  a mute on | a mute off       it answers nothing and tells nothing
  a error CODE                 it reports a hardware error, and scans no more until it is set up again
  a refuse OPCODE STATUS       it refuses this command; `a refuse none` ends that
  hear HEX [COUNT [MS]]        a hears these AD structures so often (1), one each MS (50)
  mutants HEX COUNT SEED MS    a hears changed ones of it, each another: bits, bytes, lengths, order
"""
import os
import random
import selectors
import sys
import time

NAMES = {0x0C03: "reset", 0x200C: "scan", 0x2042: "scan", 0x200A: "advertise"}


def say(who, what):
    print(time.clock_gettime_ns(time.CLOCK_MONOTONIC), who, what, flush=True)


class Controller:
    def __init__(self, name, address):
        self.name, self.address = name, address
        self.file = None
        self.is_extended = self.is_mute = False
        self.refused = {}
        self.forget()

    def forget(self):
        self.scans = self.advertises = False
        self.data = b""
        self.random = bytes(6)

    def plug(self):
        self.file = os.open("/dev/vhci", os.O_RDWR | os.O_NONBLOCK)
        self.forget()
        os.write(self.file, bytes([0xFF, 0x00]))
        say(self.name, "plugged")

    def unplug(self):
        os.close(self.file)
        self.file = None
        say(self.name, "unplugged")

    def event(self, code, body):
        if self.file is not None and not self.is_mute:
            os.write(self.file, bytes([0x04, code, len(body)]) + body)

    def complete(self, opcode, body):
        self.event(0x0E, bytes([1]) + opcode.to_bytes(2, "little") + body)

    def packet(self, data):
        if data[0] == 0xFF:
            say(self.name, "is hci%d" % int.from_bytes(data[2:4], "little"))
        if data[0] != 0x01 or self.is_mute:
            return
        opcode, body = int.from_bytes(data[1:3], "little"), data[4:]
        if opcode in self.refused:
            self.complete(opcode, bytes([self.refused[opcode]]))
            return
        # As much as any answer has, so that the kernel's own setting up is content.
        answer = bytes(65)
        if opcode == 0x0C03:
            self.forget()
        elif opcode == 0x1001:
            answer = bytes([0, 9, 0, 0, 9, 0xF1, 0x05, 0, 0])
        elif opcode == 0x1002:
            known = bytearray(64)
            known[37] = 0x60 if self.is_extended else 0
            answer = bytes([0]) + known
        elif opcode == 0x1003:
            answer = bytes([0, 0, 0, 0, 0, 0x60, 0, 0, 0])
        elif opcode == 0x1009:
            answer = bytes([0]) + self.address
        elif opcode == 0x2002:
            answer = bytes([0, 27, 0, 4])
        elif opcode == 0x2005:
            self.random = body[:6]
        elif opcode == 0x2008:
            self.data = body[1:1 + body[0]]
        elif opcode in (0x200A, 0x200C, 0x2042):
            is_on = body[0] == 1
            if opcode == 0x200A:
                self.advertises = is_on
            else:
                self.scans = is_on
            say(self.name, "%s %s" % (NAMES[opcode], "on" if is_on else "off"))
        self.complete(opcode, answer)

    def report(self, address, data):
        """One advertisement as this controller tells it, if it listens."""
        if not self.scans:
            return
        if self.is_extended:
            self.event(0x3E, bytes([0x0D, 1, 0x10, 0, 1]) + address + bytes([1, 0, 0xFF, 0x7F, 0xC4, 0, 0, 0])
                       + bytes(6) + bytes([len(data)]) + data)
        else:
            self.event(0x3E, bytes([0x02, 1, 3, 1]) + address + bytes([len(data)]) + data + bytes([0xC4]))


def mutant(data, chance):
    """A changed one. Bytes behind the structure would change nothing of it, so its length always covers them."""
    changed = bytearray(data)
    while bytes(changed) == data:
        kind = chance.randrange(5)
        place = chance.randrange(len(changed))
        if kind == 0:
            changed[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[place] = chance.randrange(256)
        elif kind == 2:
            # The structure's length goes with it.
            changed = changed[:max(1, place)]
            changed[0] = len(changed) - 1
        elif kind == 3:
            other = chance.randrange(len(changed))
            changed[place], changed[other] = changed[other], changed[place]
        else:
            changed = changed[:place] + bytes([chance.randrange(256)]) + changed[place:]
            changed = changed[:31]
            changed[0] = len(changed) - 1
    return bytes(changed)


def main():
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    waiting = []  # (when, data), in the order of their times
    controllers = {name: Controller(name, bytes([number, 0, 0, 0xAA, 0xBB, 0xCC])) for number, name in enumerate("ab", 1)}
    chance = random.Random(7)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    os.set_blocking(sys.stdin.fileno(), False)
    unread = b""
    next_advertisement = 0.0
    heard = 0  # by a, since it was silent last

    def command(words):
        who = controllers.get(words[0])
        if who:
            what = words[1:]
            if what[0] == "plug":
                who.plug()
                selector.register(who.file, selectors.EVENT_READ, who)
            elif what[0] == "unplug":
                selector.unregister(who.file)
                who.unplug()
            elif what[0] == "extended":
                who.is_extended = True
            elif what[0] == "mute":
                who.is_mute = what[1] == "on"
            elif what[0] == "error":
                who.scans = False
                who.event(0x10, bytes([int(what[1])]))
            elif what[0] == "refuse":
                who.refused = {} if what[1] == "none" else {int(what[1], 16): int(what[2], 16)}
            say(who.name, " ".join(what))
            return
        data = bytes.fromhex(words[1])
        begin = time.monotonic()
        if words[0] == "hear":
            count, step = int((words + ["1"])[2]), int((words + ["1", "50"])[3]) / 1e3
            waiting.extend((begin + n * step, data) for n in range(count))
            say("air", "hear %s %d" % (words[1], count))
        elif words[0] == "mutants":
            count, seed, step = int(words[2]), random.Random(int(words[3])), int(words[4]) / 1e3
            waiting.extend((begin + n * step, mutant(data, seed)) for n in range(count))
            say("air", "mutants of %s %d" % (words[1], count))
        waiting.sort(key=lambda one: one[0])

    while True:
        now = time.monotonic()
        wake = min([one[0] for one in waiting[:1]] + [now + 0.2] + ([next_advertisement] if controllers["b"].advertises else []))
        for key, _ in selector.select(max(0.0, wake - now)):
            if key.data:
                try:
                    key.data.packet(os.read(key.fd, 2048))
                except BlockingIOError:
                    pass
                continue
            more = os.read(sys.stdin.fileno(), 65536)
            if not more:
                return
            unread += more
            *lines, unread = unread.split(b"\n")
            for line in lines:
                if line.strip():
                    command(line.decode().split())
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, data = waiting.pop(0)
            heard += 1 if controllers["a"].scans and not controllers["a"].is_mute else 0
            controllers["a"].report(bytes(chance.randrange(256) for _ in range(5)) + bytes([0x20]), data)
            if not waiting:
                say("air", "silent %d" % heard)
                heard = 0
        emitter = controllers["b"]
        if emitter.advertises and now >= next_advertisement:
            next_advertisement = now + 0.05
            controllers["a"].report(emitter.random, emitter.data)


main()
