#!/usr/bin/env python3
"""Makes and opens Lapel's radio advertisements: a second implementation, beside lapel, of
Sources/Radio/Radio.docc/Advertisement.md. Needs Python 3 and nothing else.

usage: read_advertisement.py VECTORS    hold this program to a file of vectors; exit 1 if one differs
       read_advertisement.py --encode   lines "KEY COMPANY GROUP EMITTER EVENT COUNTER MINUTE" in, advertisements out
       read_advertisement.py --decode   lines "KEY COMPANY GROUP DATA" in, "EMITTER EVENT COUNTER MINUTE" or a reason out

KEY and DATA are in hexadecimal, everything else in decimal. DATA is all that an advertisement carries: one or more AD
structures. KEY is the one of GROUP.
"""
import hashlib
import hmac
import struct
import sys

MANUFACTURER = 0xFF
MARKER = 0xA1
LENGTH = 26
FRONT = 3
FIELDS = 9
TAG = 12


def tag(key, opened, fields):
    return hmac.new(key, b"LAPEL radio1 tag\n" + opened + fields, hashlib.sha256).digest()[:TAG]


def mask(key, opened, fields, code):
    pad = hmac.new(key, b"LAPEL radio1 mask\n" + opened + code, hashlib.sha256).digest()
    return bytes(a ^ b for a, b in zip(fields, pad))


def encode(key, company, group, emitter, event, counter, minute):
    opened = struct.pack("<HBH", company, MARKER, group)
    fields = struct.pack("<BHIH", event, emitter, counter, minute)
    code = tag(key, opened, fields)
    return bytes([LENGTH + 1, MANUFACTURER]) + opened[:FRONT] + mask(key, opened, fields, code) + code + opened[FRONT:]


def find(data, company):
    """What follows length and type in our AD structure; a reason as text if there is none."""
    at = 0
    while at + 1 < len(data) and data[at] > 0:
        length, kind = data[at], data[at + 1]
        content = data[at + 2:at + 1 + length]
        whole = at + 1 + length <= len(data)
        if kind == MANUFACTURER and len(content) >= 3 and content[:2] == struct.pack("<H", company):
            if content[2] >> 4 == MARKER >> 4:
                if content[2] == MARKER and whole and len(content) == LENGTH:
                    return content
                return "malformed"
        at += 1 + length
    return "not_ours"


def decode(key, company, group, data):
    """(emitter, event, counter, minute), or a reason as text."""
    content = find(data, company)
    if isinstance(content, str):
        return content
    masked, code = content[FRONT:FRONT + FIELDS], content[FRONT + FIELDS:FRONT + FIELDS + TAG]
    opened = content[:FRONT] + content[FRONT + FIELDS + TAG:]
    if struct.unpack("<H", opened[FRONT:])[0] != group:
        return "unknown_group"
    fields = mask(key, opened, masked, code)
    if not hmac.compare_digest(tag(key, opened, fields), code):
        return "bad_mac"
    event, emitter, counter, minute = struct.unpack("<BHIH", fields)
    return emitter, event, counter, minute


def check(path):
    wrong, count = [], 0
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            count += 1
            kind, values = words[0], dict(word.split("=", 1) for word in words[1:])
            key, data = bytes.fromhex(values["key"]), bytes.fromhex(values["data"])
            company, group = int(values["company"]), int(values["group"])
            found = decode(key, company, group, data)
            if kind == "genuine":
                fields = tuple(int(values[name]) for name in ("emitter", "event", "counter", "minute"))
                if found != fields:
                    wrong.append("line %d: opened to %s" % (number, found))
                made = encode(key, company, group, *fields)
                if made not in data:
                    wrong.append("line %d: made %s" % (number, made.hex()))
            elif kind == "refused":
                if found != values["reason"]:
                    wrong.append("line %d: %s" % (number, found))
            else:
                wrong.append("line %d: no such kind" % number)
    for line in wrong:
        print(line)
    print("%d vectors: %s wrong" % (count, len(wrong) or "none"))
    return 1 if wrong or not count else 0


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 64
    if sys.argv[1] == "--encode":
        for line in sys.stdin:
            key, *numbers = line.split()
            print(encode(bytes.fromhex(key), *map(int, numbers)).hex())
        return 0
    if sys.argv[1] == "--decode":
        for line in sys.stdin:
            key, company, group, data = line.split()
            found = decode(bytes.fromhex(key), int(company), int(group), bytes.fromhex(data))
            print(found if isinstance(found, str) else " ".join(map(str, found)))
        return 0
    return check(sys.argv[1])


sys.exit(main())
