#!/usr/bin/env python3
"""A memory card that can lose its power: an NBD server whose writes are in a volatile cache until FLUSH or FUA.

When the power is cut, each 4 KiB block that was written and not flushed reaches the image or does not, by a seeded random
choice; of several writes to one block any may be the last that reached it; and some blocks are torn: each of their 512-byte
sectors is of one write or of the one before. A card that does not honour FLUSH answers it at once and keeps what was
written in its cache, from where it reaches the medium some seconds later.

Used by Tests/Campaigns/power-cut-campaign.py. Alone, for a look at a guest of one's own (SIGINT cuts the power):
    Tests/Lab/nbd_card.py IMAGE SOCKET [--seed N] [--ignore-flush SECONDS]
    qemu-system-x86_64 … -drive driver=raw,file.driver=nbd,file.path=SOCKET,if=virtio,cache=writeback
"""
import argparse
import contextlib
import os
import random
import signal
import socket
import struct
import sys
import threading
import time

BLOCK, SECTOR = 4_096, 512

# The NBD protocol, "fixed newstyle": https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
NBD_MAGIC, OPTION_MAGIC, REPLY_MAGIC = b"NBDMAGIC", b"IHAVEOPT", 0x3E889045565A9
REQUEST_MAGIC, SIMPLE_REPLY_MAGIC = 0x25609513, 0x67446698
HANDSHAKE_FLAGS = 1 | 2  # fixed newstyle, no zeroes
TRANSMISSION_FLAGS = 1 | 4 | 8  # has flags, FLUSH, FUA
OPTION_EXPORT_NAME, OPTION_ABORT, OPTION_INFO, OPTION_GO = 1, 2, 6, 7
REPLY_ACK, REPLY_INFO, REPLY_UNSUPPORTED = 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
FLAG_FUA = 1
EINVAL = 22


class PowerIsCut(Exception):
    pass


class Card:
    """An image file with a volatile cache over it. Whole blocks; thread-safe, so that the power can go at any moment."""

    def __init__(self, path, seed, ignores_flush_for=None):
        """ignores_flush_for: seconds that a write stays in the cache whatever FLUSH is told; None is an honest card."""
        self.file = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.file).st_size
        self.random = random.Random(seed)
        self.ignores_flush_for = ignores_flush_for
        self.lock = threading.Lock()
        # Block number to what was written there since it was last made durable: (time, content), oldest first.
        self.cache = {}
        self.has_power = True

    def read(self, offset, length):
        with self.lock:
            self.require_power()
            data = bytearray(os.pread(self.file, length, offset))
            for block in range(offset // BLOCK, (offset + length - 1) // BLOCK + 1):
                if block in self.cache:
                    start = max(offset, block * BLOCK)
                    end = min(offset + length, (block + 1) * BLOCK)
                    content = self.cache[block][-1][1]
                    data[start - offset:end - offset] = content[start - block * BLOCK:end - block * BLOCK]
            return bytes(data)

    def write(self, offset, data, is_durable):
        with self.lock:
            self.require_power()
            now = time.monotonic()
            for block in range(offset // BLOCK, (offset + len(data) - 1) // BLOCK + 1):
                start = max(offset, block * BLOCK)
                end = min(offset + len(data), (block + 1) * BLOCK)
                content = bytearray(self.newest(block))
                content[start - block * BLOCK:end - block * BLOCK] = data[start - offset:end - offset]
                self.cache.setdefault(block, []).append((now, bytes(content)))
                if is_durable and self.ignores_flush_for is None:
                    self.make_durable(block)

    def flush(self):
        with self.lock:
            self.require_power()
            if self.ignores_flush_for is None:
                for block in list(self.cache):
                    self.make_durable(block)

    def cut(self):
        """The power goes: from here on nothing is answered. Returns the moment, CLOCK_MONOTONIC in seconds."""
        return cut_together([self])

    def settle(self, at):
        """Decides what of the cache reached the image. Returns counts of blocks in words."""
        with self.lock:
            counts = {"reached": 0, "torn": 0, "lost": 0}
            # Cuts at which nothing, some or everything got through are all worth having.
            share = self.random.choice([0.0, 0.25, 0.5, 0.75, 1.0])
            for block, writes in sorted(self.cache.items()):
                versions = [self.on_medium(block)] + [content for _, content in writes]
                oldest = 0
                if self.ignores_flush_for is not None:
                    # What is older has left the cache by itself.
                    oldest = sum(1 for when, _ in writes if when < at - self.ignores_flush_for)
                last, fate = len(versions) - 1, "lost"
                which = oldest
                if oldest < last and self.random.random() < share:
                    which = self.random.randint(oldest + 1, last)
                    fate = "reached"
                elif oldest == last:
                    fate = "reached"
                content = versions[which]
                if which > oldest and self.random.random() < 0.1:
                    content = b"".join(
                        versions[self.random.choice([which - 1, which])][sector:sector + SECTOR]
                        for sector in range(0, BLOCK, SECTOR))
                    fate = "torn"
                counts[fate] += 1
                os.pwrite(self.file, content, block * BLOCK)
            self.cache.clear()
            return ", ".join(f"{number} {fate}" for fate, number in counts.items())

    def close(self):
        os.close(self.file)

    def on_medium(self, block):
        return os.pread(self.file, BLOCK, block * BLOCK).ljust(BLOCK, b"\0")

    def newest(self, block):
        return self.cache[block][-1][1] if block in self.cache else self.on_medium(block)

    def make_durable(self, block):
        os.pwrite(self.file, self.cache.pop(block)[-1][1], block * BLOCK)

    def require_power(self):
        if not self.has_power:
            raise PowerIsCut


def cut_together(cards):
    """The power of several cards goes at one moment, which is returned: CLOCK_MONOTONIC in seconds."""
    with contextlib.ExitStack() as locks:
        for card in cards:
            locks.enter_context(card.lock)
        at = time.monotonic()
        for card in cards:
            card.has_power = False
        return at


class CardServer:
    """Serves one card on a Unix socket, one connection after the other, in a thread of its own."""

    def __init__(self, card, path, flush_seconds=(0, 0)):
        """flush_seconds: a FLUSH or FUA takes a random time within these."""
        self.card, self.flush_seconds = card, flush_seconds
        self.random = random.Random(card.random.random())
        # Set while the card is at a FLUSH or FUA that is not answered yet.
        self.is_flushing = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.connection = None
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        for end in (self.listener, self.connection):
            try:
                if end:
                    end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join()
        self.listener.close()

    def serve(self):
        while True:
            try:
                self.connection, _ = self.listener.accept()
            except OSError:
                return
            with self.connection:
                try:
                    if self.negotiate():
                        while self.answer():
                            pass
                except PowerIsCut:
                    # A card without power does not answer, and does not hang up either: the guest must not learn of it.
                    self.connection.recv(1)
                    while self.connection.recv(65_536):
                        pass
                    return
                except OSError:
                    pass

    def receive(self, length):
        data = bytearray()
        while len(data) < length:
            piece = self.connection.recv(length - len(data))
            if not piece:
                raise ConnectionResetError
            data += piece
        return bytes(data)

    def negotiate(self):
        send = self.connection.sendall
        send(NBD_MAGIC + OPTION_MAGIC + struct.pack(">H", HANDSHAKE_FLAGS))
        self.receive(4)
        while True:
            magic, option, length = struct.unpack(">8sII", self.receive(16))
            if magic != OPTION_MAGIC:
                return False
            self.receive(length)
            export = struct.pack(">QH", self.card.size, TRANSMISSION_FLAGS)

            def reply(kind, data=b""):
                send(struct.pack(">QIII", REPLY_MAGIC, option, kind, len(data)) + data)

            if option == OPTION_EXPORT_NAME:
                send(export)
                return True
            if option in (OPTION_GO, OPTION_INFO):
                reply(REPLY_INFO, struct.pack(">H", 0) + export)
                reply(REPLY_ACK)
                if option == OPTION_GO:
                    return True
            elif option == OPTION_ABORT:
                reply(REPLY_ACK)
                return False
            else:
                reply(REPLY_UNSUPPORTED)

    def answer(self):
        """One request; False at the connection's end."""
        magic, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", self.receive(28))
        if magic != REQUEST_MAGIC or kind == DISCONNECT:
            return False
        data, result, error = self.receive(length) if kind == WRITE else b"", b"", 0
        if kind in (READ, WRITE) and (length == 0 or offset + length > self.card.size):
            error = EINVAL
        elif kind == READ:
            result = self.card.read(offset, length)
        elif kind == WRITE:
            if flags & FLAG_FUA:
                self.take_time()
            self.card.write(offset, data, is_durable=bool(flags & FLAG_FUA))
        elif kind == FLUSH:
            self.take_time()
            self.card.flush()
        else:
            error = EINVAL
        self.connection.sendall(struct.pack(">IIQ", SIMPLE_REPLY_MAGIC, error, handle) + result)
        return True

    def take_time(self):
        self.is_flushing.set()
        time.sleep(self.random.uniform(*self.flush_seconds))
        self.is_flushing.clear()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("socket")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ignore-flush", type=float, metavar="SECONDS")
    options = parser.parse_args()
    card = Card(options.image, options.seed, options.ignore_flush)
    CardServer(card, options.socket)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print(f"power cut; blocks: {card.settle(card.cut())}")
    os.unlink(options.socket)


if __name__ == "__main__":
    sys.exit(main())
