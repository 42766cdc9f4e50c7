#!/usr/bin/env python3
"""Verifies LAPEL1 recordings with no secret: a second reader, beside lapel-dock, of the format in
Sources/Evidence/Evidence.docc/Format.md.

PATH is a recording's directory, or a store (a directory with `recordings` and `device`). Trust comes from an agency's `public` directory (root.key, roles.note,
recipients.note, enrolled/<device>.note, revoked/*.note; an enrol.note in ../../device counts too) or from the camera's own public key.
Of a store every recording is verified, with its device log, and with the list of its recordings.

Needs Python 3 and the `cryptography` package, nothing else (Debian: python3 python3-cryptography).

  read_recording.py /media/card --agency agency/public
  read_recording.py 0000000007-5f0c… --device-key uKq3… --device-log /media/card/device/log --json

Exit codes are lapel-dock verify's: 0 VERIFIED and nothing else; 1 a file could not be read; 64 wrong arguments.
"""
import argparse
import base64
import hashlib
import json
import os
import re
import stat
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

LINE_LIMIT = 2048
LEAST_LINE = 148
CHUNK = 65552
TERMINATOR = 24
FINDING_LIMIT = 1000

# Each list from the best answer to the worst.
INTEGRITY = ["INTACT", "UNSUPPORTED", "UNKNOWN_DEVICE", "REVOKED", "FOREIGN", "REORDERED", "COMMITMENT_MISMATCH",
             "ALTERED", "UNSIGNED"]
END = ["CLOSED", "INTERRUPTED", "TRUNCATED"]
COMPLETENESS = ["CONTINUOUS", "NOT_CHECKED", "TORN_DEVICE_LOG", "MISSING_SEGMENT", "MISSING_RECORDING", "ROLLBACK",
                "EQUIVOCATION"]
EXIT = {"VERIFIED": 0, "VERIFIED_ALONE": 10, "SELF_CONSISTENT": 11, "VERIFIED_WITH_GAPS": 12, "VERIFIED_TO": 13,
        "UNSUPPORTED": 14, "TORN_DEVICE_LOG": 15, "TRUNCATED": 20, "MISSING_SEGMENT": 21, "MISSING_RECORDING": 22,
        "ROLLBACK": 23, "EQUIVOCATION": 24, "UNKNOWN_DEVICE": 30, "REVOKED": 31, "FOREIGN": 32, "REORDERED": 33,
        "COMMITMENT_MISMATCH": 34, "ALTERED": 35, "UNSIGNED": 36}


class Refused(Exception):
    """A note, key or argument that is not what it must be."""


# --- Files: on a disk, or in memory for the test vectors --------------------------------------------------------------

class DiskFiles:
    """A directory. Follows no links in it and reads only regular files."""

    def __init__(self, path):
        self.path = path

    def names(self):
        return os.listdir(self.path)

    def size(self, name):
        found = os.lstat(os.path.join(self.path, name))
        if not stat.S_ISREG(found.st_mode):
            raise OSError("%s is no regular file" % os.path.join(self.path, name))
        return found.st_size

    def pieces(self, name, start, end):
        """The bytes [start, end), or as many as are there, in pieces."""
        end = min(end, self.size(name))
        with open(os.path.join(self.path, name), "rb") as file:
            file.seek(start)
            while start < end:
                piece = file.read(min(1 << 20, end - start))
                if not piece:
                    return
                start += len(piece)
                yield piece


class MemoryFiles:
    def __init__(self, contents):
        self.contents = contents

    def names(self):
        return list(self.contents)

    def size(self, name):
        return len(self.contents[name])

    def pieces(self, name, start, end):
        yield self.contents[name][start:end]


def whole(files, name, limit=1 << 30):
    size = files.size(name)
    if size > limit:
        raise Refused("%s is longer than %d bytes" % (name, limit))
    return b"".join(files.pieces(name, 0, size))


def sha256(data):
    return hashlib.sha256(data).digest()


# --- Keys and base64 --------------------------------------------------------------------------------------------------

def unb64(text, length=None):
    """base64url without padding, unused bits zero; None if it is anything else."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        return None
    return data if length in (None, len(data)) else None


P = 2 ** 255 - 19
# y of the points of small order, little-endian.
SMALL_ORDER = {0, 1, P - 1} | {int.from_bytes(bytes.fromhex(text), "little") for text in (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")}
L = 2 ** 252 + 27742317777372353535851937790883648493


class Key:
    def __init__(self, data):
        if data is None or len(data) != 32:
            raise Refused("a public key has 32 bytes")
        y = int.from_bytes(data, "little") & (2 ** 255 - 1)
        if y >= P or y in SMALL_ORDER:
            raise Refused("a public key of small order, or not in its canonical encoding")
        self.data = data
        try:
            self.key = Ed25519PublicKey.from_public_bytes(data)
        except ValueError as error:
            raise Refused("no public key: %s" % error)

    def verifies(self, signature, message):
        if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= L:
            return False
        try:
            self.key.verify(signature, message)
            return True
        except InvalidSignature:
            return False

    @property
    def device_id(self):
        return sha256(self.data)[:16].hex()


# --- Lines ------------------------------------------------------------------------------------------------------------

LINE = re.compile(rb"LAPEL1 ([A-Z0-9]{1,12}) n=(0|[1-9][0-9]{0,18})((?: [a-z][a-z0-9]{0,7}=[^ \n]+)*?)"
                  rb" p=([A-Za-z0-9_-]{43})(?: d=([A-Za-z0-9_-]{86}))? s=([A-Za-z0-9_-]{86})\n")
SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+-")


def decoded_value(raw):
    """The text of a value; None if it is spelled in any way but the one."""
    if not 1 <= len(raw) <= 96:
        return None
    result = bytearray()
    at = 0
    while at < len(raw):
        if raw[at] in SAFE:
            result.append(raw[at])
            at += 1
            continue
        match = re.match(rb"%([0-9A-F]{2})", raw[at:])
        if not match or int(match[1], 16) in SAFE:
            return None
        result.append(int(match[1], 16))
        at += 3
    try:
        return bytes(result).decode("utf-8")
    except UnicodeDecodeError:
        return None


class Line:
    def __init__(self, raw, match, values, previous, device_signature, signature):
        self.raw = raw
        self.hash = sha256(raw)
        self.type = match[1].decode()
        self.n = int(match[2])
        self.values = values
        self.previous = previous
        self.d = device_signature
        self.s = signature
        self.signed = raw[:raw.rindex(b" s=")]
        self.device_signed = raw[:raw.rindex(b" d=")] if device_signature else None


def parse_line(raw):
    """A well-formed line, or None."""
    if len(raw) > LINE_LIMIT:
        return None
    match = LINE.fullmatch(raw)
    if not match or int(match[2]) >= 1 << 63:
        return None
    values = {}
    seen = {"n", "p", "s", "d"}
    for word in match[3].split(b" ")[1:]:
        key, value = word.split(b"=", 1)
        key, text = key.decode(), decoded_value(value)
        if text is None or key in seen:
            return None
        seen.add(key)
        values[key] = (value.decode(), text)
    previous = unb64(match[4].decode(), 32)
    signature = unb64(match[6].decode(), 64)
    device = unb64(match[5].decode(), 64) if match[5] else None
    if previous is None or signature is None or (match[5] and device is None):
        return None
    return Line(raw, match, values, previous, device, signature)


def split_lines(data):
    """(offset, bytes) of each line with its LF; the last may have none."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end + 1
        yield at, data[at:end]
        at = end


def genesis(identifier):
    return sha256(b"LAPEL1 genesis\n" + identifier.encode())


def message(domain, identifier, data):
    return b"LAPEL1 " + domain + b"\n" + identifier.encode() + b"\n" + data


class Unsupported(Exception):
    pass


class BadGrammar(Exception):
    pass


class Values:
    """Typed values of a line. A value that is missing or of another type is nothing that this version knows."""

    def __init__(self, line):
        self.line = line

    def raw(self, key):
        if key not in self.line.values:
            raise Unsupported("%s has no %s" % (self.line.type, key))
        return self.line.values[key][0]

    def has(self, key):
        return key in self.line.values

    def text(self, key):
        self.raw(key)
        return self.line.values[key][1]

    def number(self, key, least=0, most=(1 << 63) - 1):
        raw = self.raw(key)
        if not re.fullmatch("0|[1-9][0-9]{0,18}", raw) or not least <= int(raw) <= most:
            raise Unsupported("%s of %s is not a number in its range" % (key, self.line.type))
        return int(raw)

    def hex_id(self, key):
        if not re.fullmatch("[0-9a-f]{32}", self.raw(key)):
            raise Unsupported("%s of %s is no id" % (key, self.line.type))
        return self.raw(key)

    def data(self, key, length=32):
        data = unb64(self.raw(key), length)
        if data is None:
            raise Unsupported("%s of %s is not %d bytes" % (key, self.line.type, length))
        return data

    def one_of(self, key, allowed):
        if self.raw(key) not in allowed.split():
            raise Unsupported("%s of %s is none that is known" % (key, self.line.type))
        return self.raw(key)

    def word(self, key):
        if not re.fullmatch("[a-z0-9_]{1,24}", self.raw(key)):
            raise Unsupported("%s of %s is no code" % (key, self.line.type))
        return self.raw(key)

    def flag(self, key):
        if not self.has(key):
            return False
        self.one_of(key, "1")
        return True


# --- Notes ------------------------------------------------------------------------------------------------------------

class VerifierKey:
    """name+hex(key id)+base64(01 ‖ key)"""

    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3 or not re.fullmatch("[0-9a-f]{8}", parts[1]):
            raise Refused("no verifier key: %s" % text[:80])
        self.name, self.text = parts[0], text
        try:
            data = base64.b64decode(parts[2], validate=True)
        except ValueError:
            raise Refused("no verifier key: %s" % text[:80])
        if len(data) != 33 or data[0] != 1 or base64.b64encode(data).decode() != parts[2]:
            raise Refused("no Ed25519 verifier key: %s" % text[:80])
        self.key_id = sha256(self.name.encode() + b"\n" + data)[:4]
        if self.key_id.hex() != parts[1]:
            raise Refused("the key id does not fit: %s" % text[:80])
        self.key = Key(data[1:])


def number_of(text):
    if int(text) >= 1 << 63:
        raise Refused("a number that is none: %s" % text)
    return int(text)


NOTE_LIMIT = 1 << 16
RECEIPT_LIMIT = 1 << 20


class Note:
    """A C2SP signed note of a kind of ours."""

    def __init__(self, data, kind, limit=NOTE_LIMIT):
        if len(data) > limit:
            raise Refused("the %s note is too long" % kind)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("the %s note is not UTF-8" % kind)
        cut = text.rfind("\n\n")
        if cut < 0 or not text.endswith("\n"):
            raise Refused("the %s note has no signatures" % kind)
        self.text = text[:cut + 1]
        self.signatures = []
        for line in text[cut + 2:-1].split("\n"):
            match = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/]+={0,2})", line)
            if not match:
                raise Refused("the %s note has a line that is no signature" % kind)
            try:
                blob = base64.b64decode(match[2], validate=True)
            except ValueError:
                raise Refused("the %s note has a line that is no signature" % kind)
            self.signatures.append((match[1], blob[:4], blob[4:]))
        lines = self.text[:-1].split("\n")
        version = re.fullmatch("version ([1-9][0-9]{0,18})", lines[1]) if len(lines) > 3 else None
        issued = re.fullmatch("issued (0|[1-9][0-9]{0,18})", lines[2]) if len(lines) > 3 else None
        if lines[0] != "lapel/%s v1" % kind or not version or not issued:
            raise Refused("the %s note does not begin as one" % kind)
        self.version, self.issued = number_of(version[1]), number_of(issued[1])
        self.demo = lines[3] == "demo"
        self.body = lines[4:] if self.demo else lines[3:]
        self.hash = sha256(data)

    def signed_by(self, key):
        own = [signature for name, key_id, signature in self.signatures if (name, key_id) == (key.name, key.key_id)]
        return bool(own) and all(key.key.verifies(signature, self.text.encode()) for signature in own)


class Roles(Note):
    """roles.note: which keys may do what."""

    def __init__(self, data, root):
        super().__init__(data, "roles")
        if not self.signed_by(root):
            raise Refused("roles.note is not signed by the root key")
        self.grants = []
        for line in self.body:
            match = re.fullmatch("grant (enrol|recipients|receipt) ([^ ]+) (-|0|[1-9][0-9]{0,18})", line)
            if not match:
                raise Refused("roles.note has a line that is no grant")
            self.grants.append((match[1], VerifierKey(match[2]), None if match[3] == "-" else number_of(match[3])))

    def allows(self, note, role, signer=None):
        return any(name == role and (end is None or note.issued <= end) and note.signed_by(key)
                   and signer in (None, key.text) for name, key, end in self.grants)


def hash_of(text):
    data = unb64(text, 32)
    if data is None:
        raise Refused("no hash: %s" % text[:60])
    return data


class Revocation(Note):
    """revoke.note: up to which line of its log a device is trusted."""

    def __init__(self, data, roles):
        super().__init__(data, "revoke")
        if not roles.allows(self, "enrol"):
            raise Refused("a revocation is not signed by a key granted enrol")
        match = re.fullmatch("device ([0-9a-f]{32})\nlast (?:-|(0|[1-9][0-9]{0,18}) ([A-Za-z0-9_-]{43}))",
                             "\n".join(self.body))
        if not match:
            raise Refused("the revocation does not say device and last")
        self.device = match[1]
        self.last = (number_of(match[2]), hash_of(match[3])) if match[2] else None


class Receipt(Note):
    """receipt.note: what a dock verified and holds of a recording."""

    def __init__(self, data, roles):
        super().__init__(data, "receipt", RECEIPT_LIMIT)
        number, digest = "(0|[1-9][0-9]{0,18})", "([A-Za-z0-9_-]{43})"
        match = re.fullmatch(
            "dock ([^ \n]+)\ndevice ([0-9a-f]{32})\nrecording N ([0-9a-f]{32})\nopen H\nlast N H\nlog (?:-|N H N)\n"
            "answers ([A-Z_]+) ([A-Z_]+) ([A-Z_]+)(?:\nacknowledged ([^\n]+))?((?:\nfile [^ \n]+ N H)+)".replace(
                "N", number).replace("H", digest), "\n".join(self.body))
        if not match:
            raise Refused("the receipt does not say what one must")
        dock, self.device, counter, self.recording, opened, last_n, last_hash, log_n, log_hash, log_counter = match.groups()[:10]
        self.dock = VerifierKey(dock)
        self.counter, self.open = number_of(counter), hash_of(opened)
        self.last = (number_of(last_n), hash_of(last_hash))
        self.log = (number_of(log_n), hash_of(log_hash)) if log_n else None
        self.log_counter = number_of(log_counter) if log_n else None
        self.integrity, self.end, self.completeness = match.groups()[10:13]
        if self.integrity not in INTEGRITY or self.end not in END or self.completeness not in COMPLETENESS:
            raise Refused("the receipt has an answer that is none")
        names = []
        for line in match.groups()[14].split("\n")[1:]:
            _, name, size, digest = line.split(" ")
            if name != "journal.log" and not re.fullmatch(r"[0-9]{4}\.mp4\.age", name):
                raise Refused("the receipt names a file that is none of a recording")
            hash_of(digest)
            number_of(size)
            names.append(name)
        if names != sorted(set(names)) or "journal.log" not in names:
            raise Refused("the receipt's files are not sorted, or the journal is not among them")
        if not self.signed_by(self.dock) or not roles.allows(self, "receipt", self.dock.text):
            raise Refused("the receipt is not signed by a key granted receipt at that time")
        # Which answers permit deletion, and which only when they are acknowledged.
        if self.integrity in ("UNSUPPORTED", "UNKNOWN_DEVICE", "UNSIGNED"):
            raise Refused("no receipt is given for %s" % self.integrity)
        needed = [answer for answer in (self.integrity, self.end, self.completeness) if answer in (
            "REVOKED", "FOREIGN", "REORDERED", "COMMITMENT_MISMATCH", "ALTERED", "TRUNCATED", "MISSING_SEGMENT",
            "EQUIVOCATION")]
        if (match.groups()[13] or "").split() != needed:
            raise Refused("the receipt does not acknowledge exactly what it must")


class Anchor:
    """An ANCHOR line of a device's log, as a dock keeps it."""

    def __init__(self, raw, key):
        line = parse_line(raw)
        if line is None or line.type != "ANCHOR" or line.d is not None:
            raise Refused("no ANCHOR line")
        if not key.verifies(line.s, message(b"device-log", key.device_id, line.signed)):
            raise Refused("an anchor that the device did not sign")
        self.head = (line.n, line.hash)
        try:
            self.recording = anchored(Values(line))
            Values(line).number("w")
        except Unsupported as error:
            raise Refused(str(error))


def anchored(values):
    """What ANCHOR says of a recording: its id and a line of its journal, or None."""
    values.data("nonce")
    if not values.has("line"):
        return None
    values.number("rec")
    return values.hex_id("id"), (values.number("line"), values.data("lineh"))


class DockRecords:
    """What docks keep of cameras: receipts by the hash of the whole note, those that are none, and anchors."""

    def __init__(self, receipts=(), anchors=(), roles=None, key=None):
        self.receipts, self.refused, self.anchors = {}, {}, []
        for data in receipts:
            try:
                if roles is None:
                    raise Refused("no roles.note is at hand")
                self.receipts[sha256(data)] = Receipt(data, roles)
            except Refused as error:
                self.refused[sha256(data)] = str(error)
        for data in anchors:
            try:
                self.anchors.append(Anchor(data, key))
            except Refused as error:
                print("read_recording: an anchor counts for nothing: %s" % error, file=sys.stderr)

    def of(self, device):
        return [receipt for receipt in self.receipts.values() if receipt.device == device]

    def log_lines(self, device):
        return sorted([anchor.head for anchor in self.anchors] +
                      [receipt.log for receipt in self.of(device) if receipt.log])

    def journal_lines(self, device, recording):
        return sorted([anchor.recording[1] for anchor in self.anchors
                       if anchor.recording and anchor.recording[0] == recording] +
                      [receipt.last for receipt in self.of(device) if receipt.recording == recording])


BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(text):
    """The prefix and the bytes of Bech32 (BIP 173) in lower case, of any length."""
    prefix, _, data = text.rpartition("1")
    if not prefix or len(data) < 6 or not set(data) <= set(BECH32):
        raise Refused("no Bech32: %s" % text[:80])
    values = [BECH32.index(character) for character in data]
    check = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values:
        top, check = check >> 25, (check & 0x1ffffff) << 5 ^ value
        for bit, generator in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            check ^= generator if top >> bit & 1 else 0
    bits = 5 * (len(values) - 6)
    number = 0
    for value in values[:-6]:
        number = number << 5 | value
    if check != 1 or bits % 8 >= 5 or number & ((1 << bits % 8) - 1):
        raise Refused("no Bech32: %s" % text[:80])
    return prefix, (number >> bits % 8).to_bytes(bits // 8, "big")


def stanza_type(line):
    """The type of the stanza in an age header for a line of recipients.note: "recipient age1…" or "recipient age1pq1…"."""
    found = re.fullmatch("recipient (age1[a-z0-9]+)", line)
    if not found:
        raise Refused("recipients.note has a line that is no recipient")
    prefix, key = bech32(found[1])
    kind = {("age", 32): "X25519", ("age1pq", 1216): "mlkem768x25519"}.get((prefix, len(key)))
    if not kind:
        raise Refused("recipients.note has a recipient of another type")
    if int.from_bytes(key[-32:], "little") >= P:
        raise Refused("a recipient that is not a canonical Curve25519 coordinate")
    try:
        # Refuses what would give the all-zero secret.
        X25519PrivateKey.from_private_bytes(b"Z" * 32).exchange(X25519PublicKey.from_public_bytes(key[-32:]))
    except ValueError:
        raise Refused("a recipient that is a weak (small-order) key") from None
    # FIPS 203, 7.2: 768 numbers of 12 bits, each below q.
    for low, middle, high in zip(*(iter(key[:-64]),) * 3):
        if low | (middle & 15) << 8 >= 3329 or middle >> 4 | high << 4 >= 3329:
            raise Refused("a recipient that holds no ML-KEM-768 key")
    return kind


class Trust:
    """What is known of a device from outside the recording."""

    def __init__(self, key, removable=False, demo=False, roles=None, recipients=None):
        self.key, self.removable, self.demo = key, removable, demo
        self.device = key.device_id
        self.roles, self.recipients = roles, recipients
        self.revocation = None

    @staticmethod
    def from_notes(root, roles_note, enrol_note, recipients_note=None, revocations=()):
        roles = Roles(roles_note, root)

        def granted(note, role):
            if not roles.allows(note, role):
                raise Refused("a note is not signed by a key granted %s" % role)

        enrol = Note(enrol_note, "enrol")
        granted(enrol, "enrol")
        body = re.fullmatch("device ([0-9a-f]{32})\nkey ed25519 ([A-Za-z0-9+/]{43}=)\n"
                            "place (removable|internal|tpm|element)", "\n".join(enrol.body))
        if not body:
            raise Refused("the enrol note does not say device, key and place")
        key = Key(base64.b64decode(body[2]))
        if key.device_id != body[1]:
            raise Refused("the enrol note's device is not its key's")
        recipients = None
        if recipients_note is not None:
            recipients = Note(recipients_note, "recipients")
            granted(recipients, "recipients")
            if not 1 <= len(recipients.body) <= 16 or len(set(recipients.body)) < len(recipients.body):
                raise Refused("recipients.note names nobody, more than 16, or somebody twice")
            recipients.stanzas = [stanza_type(line) for line in recipients.body]
            if len(set(recipients.stanzas)) > 1:
                raise Refused("recipients.note mixes two types of recipients")
        demo = roles.demo or enrol.demo or (recipients is not None and recipients.demo)
        trust = Trust(key, body[3] == "removable", demo, roles, recipients)
        own = [one for one in (Revocation(data, roles) for data in revocations) if one.device == trust.device]
        # The highest version counts; of two under one version the one that trusts less.
        trust.revocation = max(own, key=lambda one: (one.version, -(one.last[0] if one.last else -1)), default=None)
        return trust


# --- The verdict ------------------------------------------------------------------------------------------------------

class Verdict:
    def __init__(self):
        self.integrity, self.end, self.completeness = "INTACT", "INTERRUPTED", "NOT_CHECKED"
        self.findings = []
        self.lines = self.segments = self.abandoned = self.checkpoints = self.gaps = 0
        self.frames_lost = self.samples_lost = 0
        self.media_time = self.close_reason = None
        self.synthetic = self.demo = self.removable = False
        self.recording = self.device = self.counter = self.opened = None
        self.recovered = False
        self.not_before = None

    def add(self, answer, detail, file=None, line=None, start=None, end=None):
        for name, order in (("integrity", INTEGRITY), ("end", END), ("completeness", COMPLETENESS)):
            if answer in order:
                setattr(self, name, max(getattr(self, name), answer, key=order.index))
        self.findings.append({"answer": answer, "file": file, "line": line, "from": start, "to": end,
                              "detail": detail})

    @property
    def headline(self):
        if self.integrity != "INTACT":
            return self.integrity
        if COMPLETENESS.index(self.completeness) >= COMPLETENESS.index("MISSING_SEGMENT"):
            return self.completeness
        if self.end == "TRUNCATED":
            return self.end
        if self.end == "INTERRUPTED":
            return "VERIFIED_TO"
        if self.abandoned:
            return "VERIFIED_WITH_GAPS"
        if self.completeness == "TORN_DEVICE_LOG":
            return self.completeness
        if self.removable:
            return "SELF_CONSISTENT"
        return "VERIFIED" if self.completeness == "CONTINUOUS" else "VERIFIED_ALONE"

    @property
    def sentence(self):
        words = (["SYNTHETIC"] if self.synthetic else []) + (["DEMO KEY"] if self.demo else []) + [self.headline]
        if self.headline == "VERIFIED_TO":
            ms = (self.media_time or 0) // 1000
            words.append("%d:%02d:%02d.%03d" % (ms // 3600000, ms // 60000 % 60, ms // 1000 % 60, ms % 1000))
        why = [f["detail"] for f in self.findings if f["answer"] == self.headline]
        return " ".join(words) + (": " + why[0] if why else "")

    def as_json(self, path):
        return {"path": path, "headline": self.headline, "sentence": self.sentence, "exitCode": EXIT[self.headline],
                "integrity": self.integrity, "end": self.end, "completeness": self.completeness, "recovered": self.recovered,
                "synthetic": self.synthetic, "demo": self.demo, "recording": self.recording, "device": self.device,
                "counter": self.counter, "openedMs": self.opened, "notBeforeMs": self.not_before, "closeReason": self.close_reason,
                "attestedMediaUs": self.media_time, "lines": self.lines, "segments": self.segments,
                "abandonedSegments": self.abandoned, "checkpoints": self.checkpoints, "gaps": self.gaps,
                "framesLost": self.frames_lost, "samplesLost": self.samples_lost,
                "findings": self.findings[:FINDING_LIMIT],
                "findingsOmitted": max(0, len(self.findings) - FINDING_LIMIT)}


# --- Device log -------------------------------------------------------------------------------------------------------

class Found:
    """Bytes of a file as a start found them: the file's size, and the hash of [start, end)."""

    def __init__(self, values, start, digest):
        self.size, self.start = values.number("size"), start
        most = max(self.size, start)
        self.end = values.number("upto", start, most) if values.has("upto") else most
        self.digest = values.data(digest)


class Recovery:
    """A RECOVER line with its RFILE lines."""

    def __init__(self, head, journal, count):
        self.head, self.journal, self.count = head, journal, count
        self.files = {}      # segment -> Found


class DeviceLog:
    def __init__(self, files, key):
        self.key, self.device = key, key.device_id
        self.findings = []   # (answer, detail, file, line)
        self.hashes = {}     # n -> hash
        self.first = None
        self.head = None     # (n, hash)
        self.openings = {}   # counter -> [(id, hash)]
        self.witnesses = {}  # id -> {n: hash} of journal lines
        self.voids = {}      # counter -> {id or None: Found or None}
        self.recoveries = {}  # id -> [Recovery]
        self.lost = {}       # id -> counter
        self.deletions = {}  # id -> [(counter, last line, receipt, key)]
        self.docking = None  # the last DOCK's time
        self.dockings = {}   # counter -> the last DOCK's time before OPENED
        self.before = None   # (n, hash) of the line before the first
        self.unbroken = {}   # (id, hash) -> n of its OPENED, before any hole
        self.unbroken_end = -1
        self.named = {}      # counter -> n of the first line that explains it
        self.holes = []      # n of the last line read before lines that were not
        self.broken = False
        self.recovered = None   # of the line before, when it is RECOVER or RFILE
        self.tail = b""
        # What is done with a line of each type; START begins a file; any other type is UNSUPPORTED.
        self.types = {"OPENED": self.on_opened, "CLOSED": self.on_closed, "VOID": self.on_void,
                      "RECOVER": self.on_recover, "RFILE": self.on_rfile, "LOST": self.on_lost,
                      "CHECK": self.on_check, "DOCK": self.on_dock, "ANCHOR": self.on_anchor,
                      "DELETE": self.on_delete, "AUDIT": self.on_audit}
        names = sorted(name for name in files.names() if re.fullmatch(r"[0-9]{10}\.log", name))
        for name in names:
            try:
                self.read(name, whole(files, name))
            except BadGrammar as error:
                self.findings.append(("ALTERED", "the device log: %s" % error, name, None))
                self.broken = True
                self.hole()
        if self.tail:
            self.torn(names[-1])

    def hole(self):
        self.holes.append(self.head[0] if self.head else -1)

    def has_all(self, start, end):
        """Whether nothing between lines start and end was left unread."""
        return not any(start <= hole < end for hole in self.holes)

    def torn(self, name):
        self.findings.append(("TORN_DEVICE_LOG", "%d bytes before or in it are no valid line, and attested by none" %
                              len(self.tail), name, None))

    def valid(self, raw):
        line = parse_line(raw)
        if line is None or line.d is not None:
            return None
        return line if self.key.verifies(line.s, message(b"device-log", self.device, line.signed)) else None

    def read(self, name, data):
        is_first = True
        for offset, raw in split_lines(data):
            line = self.valid(raw)
            if line is None:
                rest = data[offset:]
                self.tail += rest
                if any(self.valid(other) for _, other in split_lines(rest)):
                    raise BadGrammar("a signed line follows bytes that are no valid line")
                return
            if is_first:
                try:
                    self.start(Values(line), line, name)
                except Unsupported as error:
                    raise BadGrammar(str(error))
            else:
                if line.n != self.head[0] + 1 or line.previous != self.head[1]:
                    raise BadGrammar("line %d does not follow the one before" % line.n)
                self.follow(Values(line), line, name)
            is_first = False
            self.head = (line.n, line.hash)
            self.hashes.setdefault(line.n, line.hash)
            if not self.holes:
                self.unbroken_end = line.n

    def start(self, values, line, name):
        if line.type != "START":
            raise BadGrammar("a file begins with %s" % line.type)
        if values.hex_id("dev") != self.device or values.number("start") != int(name[:10]):
            raise BadGrammar("START names another device or start than its file")
        if line.n == 0:
            if self.head or line.previous != genesis(self.device) or values.has("lastn"):
                raise BadGrammar("line 0 is not a first line")
        else:
            last = (values.number("lastn"), values.data("lasth"))
            tail = (values.number("tail"), values.data("tailh"))
            if last != (line.n - 1, line.previous):
                raise BadGrammar("START does not follow what it names")
            if self.head and not self.broken:
                if last != self.head and last[0] <= self.head[0]:
                    raise BadGrammar("START follows another line than the log before it ends with")
                if tail != (len(self.tail), sha256(self.tail)):
                    raise BadGrammar("the bytes before START are not those that it attests")
                if last != self.head:
                    self.findings.append(("ROLLBACK", "START follows line %d, the log before it ends with %d" % (
                        last[0], self.head[0]), name, line.n))
                    self.hole()
        if self.broken and self.tail:
            self.torn(name)
        if self.head is None:
            self.first = line.n
            self.before = (line.n - 1, line.previous) if line.n else None
        self.broken, self.tail, self.recovered = False, b"", None

    def follow(self, values, line, name):
        recovered, self.recovered = self.recovered, None
        try:
            if line.type in self.types:
                self.types[line.type](values, line, recovered)
            elif line.type == "START":
                raise BadGrammar("START in the middle of a file")
            elif not line.type.startswith("X"):
                raise Unsupported("a line of type %s" % line.type)
        except Unsupported as error:
            self.findings.append(("UNSUPPORTED", str(error), name, line.n))

    def explain(self, counter, line):
        self.named.setdefault(counter, line.n)

    def witness(self, identifier, n, digest):
        if self.witnesses.setdefault(identifier, {}).setdefault(n, digest) != digest:
            self.findings.append(("EQUIVOCATION", "two different lines %d of recording %s" % (n, identifier), None,
                                  None))

    def on_opened(self, values, line, _):
        counter, opening = values.number("rec"), (values.hex_id("id"), values.data("hash"))
        values.flag("late")
        openings = self.openings.setdefault(counter, [])
        if opening not in openings:
            openings.append(opening)
            if not self.holes:
                self.unbroken[(counter,) + opening] = line.n
        self.dockings.setdefault(counter, self.docking)
        self.explain(counter, line)

    def on_closed(self, values, line, _):
        values.number("rec"), values.flag("late")
        self.witness(values.hex_id("id"), values.number("line"), values.data("lineh"))

    def on_void(self, values, line, _):
        counter = values.number("rec")
        identifier = values.hex_id("id") if values.has("id") else None
        remains = Found(values, 0, "hash") if values.has("size") else None
        self.voids.setdefault(counter, {})[identifier] = remains
        self.explain(counter, line)

    def on_check(self, values, line, _):
        values.one_of("log", "none match behind_only MISSING_LINE")
        values.one_of("journal", "none match behind_only MISSING_LINE MISSING_RECORDING")
        if values.has("logn"):
            values.number("logn"), values.data("logh")
        if values.has("line"):
            values.number("rec")
            self.witness(values.hex_id("id"), values.number("line"), values.data("lineh"))

    def on_recover(self, values, line, _):
        identifier, size = values.hex_id("id"), values.number("size")
        head = (values.number("line"), values.data("lineh")) if values.has("line") else None
        journal = Found(values, size - values.number("tail", 0, size), "tailh")
        values.number("rec"), values.flag("changed")
        recovery = Recovery(head, journal, values.number("files"))
        self.recoveries.setdefault(identifier, []).append(recovery)
        if head:
            self.witness(identifier, *head)
        self.recovered = (identifier, recovery)

    def on_rfile(self, values, line, recovered):
        identifier, number = values.hex_id("id"), values.number("seg", 0, 9999)
        values.number("stream", 0, 0), values.number("k")
        found = Found(values, values.number("len"), "hash")
        if recovered is None or recovered[0] != identifier:
            raise BadGrammar("RFILE without RECOVER before it")
        recovered[1].files[number] = found
        self.recovered = recovered

    def on_lost(self, values, line, _):
        counter, identifier = values.number("rec"), values.hex_id("id")
        self.lost[identifier] = counter
        self.explain(counter, line)

    def on_dock(self, values, line, _):
        values.text("by"), public_key(values), values.data("note"), values.data("nonce")
        self.docking = values.number("dockw")

    def on_anchor(self, values, line, _):
        recording = anchored(values)
        if recording:
            self.witness(recording[0], *recording[1])

    def on_delete(self, values, line, _):
        identifier, last = values.hex_id("id"), (values.number("line"), values.data("lineh"))
        values.text("by")
        deletion = (values.number("rec"), last, values.data("rcpt"), public_key(values))
        deletions = self.deletions.setdefault(identifier, [])
        if deletion not in deletions:
            deletions.append(deletion)
        self.explain(deletion[0], line)
        self.witness(identifier, *last)

    def on_audit(self, values, line, _):
        code = values.one_of(
            "code", "config time arm check source radio trigger storage battery power clock lost found error")
        if code == "config":
            values.data("conf")
            if values.has("soft"):
                values.data("soft")
        elif code == "arm":
            pass
        elif code == "check":
            values.one_of("res", "passed failed")
            if values.has("cause"):
                values.word("cause")
        elif code == "source":
            values.word("src"), values.one_of("what", "listening deaf stuck")
            if values.has("cause"):
                values.word("cause")
        elif code == "radio":
            values.word("cause"), values.number("count", 1)
        elif code == "time":
            values.one_of("wsrc", "unknown rtc ntp gnss dock user"), values.one_of("wtrust", "none held synced")
        elif code == "trigger":
            trigger(values)
            values.one_of("res", "continued remembered refused dropped idle unclear stuck")
            if values.has("cause"):
                values.word("cause")
            for key, least in (("rec", 1), ("with", 0), ("count", 1)):
                if values.has(key):
                    values.number(key, least)
        else:
            EVENTS[code](values)

    def reaches(self, line):
        return self.hashes.get(line[0]) == line[1] or self.before == line

    def has_opened(self, counter, identifier, digest, trusted):
        """Whether OPENED stands at or before a trusted line, in one chain with it."""
        n = self.unbroken.get((counter, identifier, digest))
        return (n is not None and n <= trusted[0] <= self.unbroken_end
                and self.hashes.get(trusted[0]) == trusted[1])


def trigger(values):
    """Who asked for a recording, and when."""
    values.word("src")
    if values.has("why"):
        values.word("why")
    values.number("dec", values.number("edge"))


def public_key(values):
    try:
        return Key(values.data("key")).data
    except Refused as error:
        raise Unsupported(str(error))


# --- One recording ----------------------------------------------------------------------------------------------------

EVENTS = {
    "gap": lambda v: (v.number("track", 1, 2), v.number("from"), v.number("to"),
                      v.one_of("cause", "seq ring encoder codec time xrun lost buffer writer suspend")),
    "storage": lambda v: (v.one_of("what", "slow recovered low full error"), v.number("free")),
    "battery": lambda v: (v.one_of("what", "normal low critical external"), v.number("pct", 0, 100)),
    "power": lambda v: (v.one_of("what", "fail good"), v.number("edge")),
    "clock": lambda v: v.number("was"),
    "lost": lambda v: v.number("track", 1, 2),
    "found": lambda v: v.number("track", 1, 2),
    "error": lambda v: v.one_of("what", "camera microphone encoder writer sync seal clock memory"),
}


class Segment:
    def __init__(self, number, header_length, header_hash):
        self.number, self.header_length = number, header_length
        self.name = "%04d.mp4.age" % number
        self.length = header_length     # attested so far
        self.k = 0
        self.term = None
        self.hashes = hashlib.sha256(header_hash)
        self.exists = self.broken = False


class Recording:
    def __init__(self, files, trust, directory=None, log=None, present=None, records=None):
        self.files, self.trust, self.directory, self.log, self.present = files, trust, directory, log, present
        self.records = records or DockRecords()
        self.names = set(files.names())
        self.verdict = Verdict()
        self.id = self.key = self.head = self.open_values = None
        self.open_hash = None
        self.line_hashes = []
        self.valid_end = 0
        self.closed = self.lost = self.known = self.same_recipients = False
        self.segment = None
        self.next_segment = 0
        self.last_end = None
        self.mt = self.mono = 0
        if trust:
            self.verdict.demo = trust.demo
            self.verdict.removable = trust.removable
            if trust.removable:
                self.verdict.add("KEY_ON_REMOVABLE_STORAGE", "enrol.note says so")

    def verify(self):
        if self.is_void():
            for answer, detail, name, line in self.log.findings:
                self.verdict.add(answer, detail, name and "device/log/" + name, line)
            self.verdict.add("VOID", "the device log says that this counter never became a recording")
            return self.verdict
        if "journal.log" in self.names:
            self.read_journal(whole(self.files, "journal.log"))
        else:
            self.verdict.add("UNSIGNED", "there is no journal", "journal.log")
        if self.segment:
            self.end_unfinished()
        self.check_names()
        self.check_recoveries()
        self.check_revocation()
        self.check_docks()
        self.check_log()
        return self.verdict

    # What starts of the camera found

    def is_void(self):
        """Whether the directory is what VOID names: nothing, or a journal that is no evidence."""
        match = re.fullmatch("([0-9]{10})-([0-9a-f]{32})", self.directory or "")
        if self.log is None or not match or not self.names <= {"journal.log"}:
            return False
        voids = self.log.voids.get(int(match[1]), {})
        if match[2] not in voids:
            return False
        remains = voids[match[2]]
        if remains is None or not self.names:
            return remains is None and not self.names
        return self.is_as_found("journal.log", remains)

    def is_as_found(self, name, found):
        """Whether a file has the size and the bytes that a start found."""
        if self.files.size(name) != found.size:
            return False
        if found.end <= found.start:
            return True
        state = hashlib.sha256()
        for piece in self.files.pieces(name, found.start, found.end):
            state.update(piece)
        return state.digest() == found.digest

    @property
    def recoveries(self):
        return self.log.recoveries.get(self.verdict.recording, []) if self.log and self.known else []

    def check_found(self, name, number):
        """A segment against every RFILE. The offset up to which one covers it: 0 when none does."""
        seen = 0
        for found in (one.files[number] for one in self.recoveries if number in one.files):
            size = self.files.size(name)
            if size < found.size:
                self.verdict.add("TRUNCATED", "a start found %d bytes" % found.size, name, None, size, found.size)
            elif not self.is_as_found(name, found):
                self.verdict.add("ALTERED", "not the bytes that a start found", name, None, found.start, size)
            elif found.end > found.start:
                seen = max(seen, found.end)
        return seen

    def check_recoveries(self):
        if self.head is None:
            return
        as_found = False
        for recovery in self.recoveries:
            size, found, as_found = self.files.size("journal.log"), recovery.journal, False
            if size < found.size:
                self.verdict.add("TRUNCATED", "a start found %d bytes" % found.size, "journal.log", None, size,
                                 found.size)
            elif self.head[0] > (recovery.head[0] if recovery.head else -1):
                self.verdict.add("LONGER_THAN_RECOVERED", "a start did not find these lines", "journal.log")
            elif self.head == recovery.head:
                as_found = self.valid_end == found.start and self.is_as_found("journal.log", found)
                if not as_found:
                    self.verdict.add("ALTERED", "not the bytes that a start found behind the last valid line",
                                     "journal.log", None, found.start, size)
            for number in sorted(recovery.files):
                if number >= self.next_segment and "%04d.mp4.age" % number not in self.names:
                    self.verdict.add("TRUNCATED", "a start found this file", "%04d.mp4.age" % number)
        if as_found and len(self.recoveries[-1].files) >= self.recoveries[-1].count:
            self.verdict.recovered = True

    # The journal's lines

    def signed_line(self, raw):
        line = parse_line(raw)
        if line is None or (line.d is not None) != (line.type in ("OPEN", "CLOSE")):
            return None
        if self.key is None:
            if line.type != "OPEN" or line.n != 0:
                return None
            try:
                values = Values(line)
                # Also from an OPEN that turns out not to be valid: what it signed behind it is then looked at.
                self.id, self.key = values.hex_id("id"), Key(values.data("pub"))
            except (Unsupported, Refused):
                return None
        return line if self.key.verifies(line.s, message(b"journal", self.id, line.signed)) else None

    def read_journal(self, data):
        add = self.verdict.add
        if not data:
            add("UNSIGNED", "the journal is empty", "journal.log")
        for offset, raw in split_lines(data):
            if self.closed:
                add("ALTERED", "bytes follow CLOSE", "journal.log", start=offset, end=len(data))
                return
            line = self.signed_line(raw)
            if line is not None and self.head is None:
                is_next = line.type == "OPEN" and line.n == 0 and line.previous == genesis(self.id)
            else:
                is_next = line is not None and (line.n, line.previous) == (self.head[0] + 1, self.head[1])
            if not is_next:
                self.tail(data, offset)
                return
            self.head = (line.n, line.hash)
            self.line_hashes.append(line.hash)
            self.valid_end = offset + len(raw)
            self.verdict.lines += 1
            if not self.lost:
                self.interpret(line)

    def tail(self, data, offset):
        rest = data[offset:]
        next_n = self.head[0] + 1 if self.head else 0
        place = {"file": "journal.log", "line": next_n, "start": offset, "end": len(data)}
        found = {}
        for _, raw in split_lines(rest):
            line = self.signed_line(raw)
            if line is None:
                continue
            found.setdefault(line.n, set()).add(line.hash)
            if line.n < len(self.line_hashes):
                found[line.n].add(self.line_hashes[line.n])
        if self.head is None:
            self.verdict.add("UNSIGNED" if not found else "ALTERED", "there is no valid OPEN", **place)
            return
        if found:
            if any(len(hashes) > 1 for hashes in found.values()):
                self.verdict.add("EQUIVOCATION", "two different lines for one number", **place)
            later = sorted(n for n in found if n >= next_n)
            if later == list(range(next_n, next_n + len(later))):
                self.verdict.add("REORDERED", "signed lines in another order, or twice", **place)
            else:
                self.verdict.add("ALTERED", "line %d is missing or not valid, and signed lines follow" % next_n, **place)
            return
        unprintable = any(not (0x20 <= byte <= 0x7E or byte == 0x0A) for byte in rest)
        torn = len(rest) <= LINE_LIMIT and (not rest.endswith(b"\n") or unprintable)
        self.verdict.add("TORN_JOURNAL" if torn else "DAMAGED_TAIL", "%d bytes are no valid line" % len(rest), **place)

    def interpret(self, line):
        kinds = {"OPEN": self.on_open, "SEG": self.on_seg, "CKPT": self.on_ckpt, "ENDSEG": self.on_endseg,
                 "ABANDON": self.on_abandon, "EVT": self.on_event, "CLOSE": self.on_close}
        try:
            if line.type in kinds:
                kinds[line.type](Values(line), line)
            elif not line.type.startswith("X"):
                raise Unsupported("a line of type %s" % line.type)
        except Unsupported as error:
            self.verdict.add("UNSUPPORTED", str(error), "journal.log", line.n)
            # What only reports can be passed over; what carries the structure cannot.
            self.lost = line.type in kinds and line.type != "EVT"
        except BadGrammar as error:
            self.verdict.add("ALTERED", "signed, but against the grammar: %s" % error, "journal.log", line.n)
            self.lost = True

    def device_signed(self, line):
        return self.trust.key.verifies(line.d, message(b"device-key", self.id, line.device_signed))

    def not_falling(self, name, value):
        if value < getattr(self, name):
            raise BadGrammar("%s falls" % name)
        setattr(self, name, value)

    def on_open(self, v, line):
        verdict = self.verdict
        device = line.values["dev"][0] if "dev" in line.values else "-"
        if self.trust is None or device != self.trust.device:
            verdict.add("UNKNOWN_DEVICE", "nothing is known of device %s" % device, "journal.log", 0)
        elif not self.device_signed(line):
            verdict.add("UNSIGNED", "the device key did not sign OPEN", "journal.log", 0)
        else:
            self.known = True
        identifier, counter = v.hex_id("id"), v.number("rec", 1)
        v.hex_id("dev"), v.number("start", 1), v.hex_id("boot")
        log = (v.number("logn"), v.data("logh"))
        notes = {"recipients": (v.number("rcptv", 1), v.data("rcpth")), "roles": (v.number("rolev", 1), v.data("roleh"))}
        demo = v.flag("demo")
        sources = (v.one_of("cam", "none synthetic v4l2"), v.one_of("mic", "none synthetic alsa"))
        v.one_of("wsrc", "unknown rtc ntp gnss dock user"), v.one_of("wtrust", "none held synced")
        wall, mono = v.number("w"), v.number("mono")
        v.text("ver"), v.data("soft"), v.data("conf")
        if v.has("src"):
            trigger(v)
            v.number("asked"), v.number("held")
            if v.has("short"):
                v.word("short")
        if line.n != 0:
            raise BadGrammar("OPEN in the middle")
        self.not_falling("mono", mono)
        verdict.recording, verdict.device, verdict.counter, verdict.opened = identifier, device, counter, wall
        verdict.synthetic = "synthetic" in sources
        verdict.demo = verdict.demo or demo
        self.open_hash, self.open_log, self.notes = line.hash, log, notes
        self.open_values = v
        if self.directory is not None and self.directory != "%010d-%s" % (counter, identifier):
            verdict.add("FOREIGN", "the directory is named for another recording")
        for name, (version, digest) in notes.items():
            note = getattr(self.trust, name) if self.known else None
            if note is None:
                continue
            if note.version != version:
                verdict.add("OTHER_NOTE", "OPEN names version %d of the %s note" % (version, name))
            elif note.hash != digest:
                verdict.add("FOREIGN", "another %s note under version %d" % (name, version))
            elif name == "recipients":
                self.same_recipients = True

    def on_seg(self, v, line):
        number = v.number("seg", 0, 9999)
        v.number("stream", 0, 0)
        header_length, digest = v.number("hlen"), v.data("hash")
        v.number("ilen"), v.data("com")
        previous = None if v.raw("prev") == "-" else v.data("prev")
        if not 1 <= header_length <= 65536:
            raise BadGrammar("a header of %d bytes" % header_length)
        if self.segment or number != self.next_segment or previous != self.last_end:
            raise BadGrammar("SEG %d is not the next, or names another ENDSEG" % number)
        self.segment = segment = Segment(number, header_length, digest)
        self.next_segment += 1
        self.verdict.segments += 1
        if segment.name not in self.names:
            self.verdict.add("MISSING_SEGMENT", "the segment is not there", segment.name, line.n)
            return
        segment.exists = True
        if not self.compare(segment, 0, header_length, digest, line):
            return
        if self.same_recipients:
            header = b"".join(self.files.pieces(segment.name, 0, min(header_length, 1 << 16)))
            stanzas = [one.split(b" ")[1].decode("ascii", "replace")
                       for one in header.split(b"\n---", 1)[0].split(b"\n") if one.startswith(b"-> ")]
            if stanzas != self.trust.recipients.stanzas:
                self.verdict.add("FOREIGN", "other recipients than recipients.note names", segment.name, line.n)

    def compare(self, segment, start, end, digest, line):
        """File bytes [start, end) against a signed hash."""
        if not segment.exists:
            return False
        if self.files.size(segment.name) < end:
            if not segment.broken:
                self.verdict.add("TRUNCATED", "the file is shorter than the journal says", segment.name, line.n, start,
                                 end)
            segment.broken = True
            return False
        state = hashlib.sha256()
        for piece in self.files.pieces(segment.name, start, end):
            state.update(piece)
        if state.digest() != digest:
            self.verdict.add("ALTERED", "the bytes are not those that were signed", segment.name, line.n, start, end)
            return False
        return True

    def current(self, v):
        number = v.number("seg", 0, 9999)
        v.number("stream", 0, 0)
        if self.segment is None or self.segment.number != number:
            raise BadGrammar("%s outside of its segment" % v.line.type)
        return self.segment

    def on_ckpt(self, v, line):
        k, length, term = v.number("k"), v.number("len"), v.data("term", TERMINATOR)
        idle = v.flag("idle")
        digest = None if idle else v.data("hash")
        if not idle:
            v.data("com")
        if v.has("idr"):
            v.number("idr")
        mt, mono = v.number("mt"), v.number("mono")
        v.number("w"), v.number("lag")
        lost = (v.number("flost"), v.number("slost"))
        segment = self.current(v)
        if length != segment.header_length + CHUNK * k:
            raise BadGrammar("len does not follow from k")
        if idle and k == 0 or idle and (k, term) != (segment.k, segment.term):
            raise BadGrammar("an idle CKPT adds something")
        if not idle and k <= segment.k:
            raise BadGrammar("k does not rise")
        self.not_falling("mt", mt)
        self.not_falling("mono", mono)
        verdict = self.verdict
        verdict.checkpoints += 1
        verdict.media_time, (verdict.frames_lost, verdict.samples_lost) = mt, lost
        if not idle:
            self.compare(segment, segment.length, length, digest, line)
            segment.hashes.update(digest)
            segment.k, segment.length, segment.term = k, length, term

    def on_endseg(self, v, line):
        k, length, digest = v.number("k"), v.number("len"), v.data("hash")
        segment = self.current(v)
        if segment.k == 0 or k != segment.k or length != segment.length + TERMINATOR or digest != segment.hashes.digest():
            raise BadGrammar("ENDSEG does not sum its segment up")
        self.last_end, self.segment = line.hash, None
        if not segment.exists:
            return
        self.check_found(segment.name, segment.number)
        size = self.files.size(segment.name)
        end = b"".join(self.files.pieces(segment.name, segment.length, length))
        if size < length:
            if not segment.broken:
                self.verdict.add("TRUNCATED", "the terminator is missing", segment.name, line.n, size, length)
        elif segment.term is not None and end != segment.term:
            self.verdict.add("ALTERED", "the terminator is not the one that was signed", segment.name, line.n,
                             segment.length, length)
        if size > length:
            self.verdict.add("ALTERED", "bytes follow the terminator", segment.name, line.n, length, size)

    def end_unfinished(self):
        segment, self.segment = self.segment, None
        if segment.exists:
            size = self.files.size(segment.name)
            seen = self.check_found(segment.name, segment.number)
            if seen > segment.length:
                self.verdict.add("CAMERA_SEEN", "bytes that a start found", segment.name, None, segment.length, seen)
            if size > max(seen, segment.length):
                self.verdict.add("UNATTESTED_TAIL", "bytes that no checkpoint attests", segment.name, None,
                                 max(seen, segment.length), size)

    def on_abandon(self, v, line):
        k = v.number("k")
        v.one_of("reason", "write sync full seal other")
        segment = self.current(v)
        if k != segment.k:
            raise BadGrammar("k is not the last checkpoint's")
        self.verdict.abandoned += 1
        self.end_unfinished()

    def on_event(self, v, line):
        mono = v.number("mono")
        v.number("w")
        code = v.one_of("code", " ".join(EVENTS))
        EVENTS[code](v)
        self.not_falling("mono", mono)
        self.verdict.gaps += code == "gap"

    def on_close(self, v, line):
        segments = v.number("segs")
        v.number("dur"), v.number("w")
        reason, mono = v.one_of("reason", "stop timeout shutdown power full error"), v.number("mono")
        if self.segment or segments != self.next_segment:
            raise BadGrammar("CLOSE inside a segment, or another number of segments")
        self.not_falling("mono", mono)
        self.closed = True
        self.verdict.end = max("CLOSED", self.verdict.end, key=lambda a: (a == "TRUNCATED", a == "CLOSED"))
        self.verdict.close_reason = reason
        if self.known and not self.device_signed(line):
            self.verdict.add("UNSIGNED", "the device key did not sign CLOSE", "journal.log", line.n)

    # Around the journal

    def check_names(self):
        for name in sorted(self.names - {"journal.log", "receipt.note"}):
            match = re.fullmatch(r"([0-9]{4})\.mp4\.age", name)
            number = int(match[1]) if match else None
            if match and (number < self.next_segment or self.lost):
                continue
            if match is None or self.closed or self.open_hash is None:
                self.verdict.add("FOREIGN", "a file that does not belong to the recording", name)
            elif number == self.next_segment:
                # The next segment's file is made before its SEG line.
                seen = self.check_found(name, number) >= max(1, self.files.size(name))
                self.verdict.add("CAMERA_SEEN" if seen else "UNATTESTED_TAIL",
                                 "a segment that the journal does not name", name)
            else:
                self.verdict.add("TRUNCATED", "only the next segment can be without its line", name)

    def check_revocation(self):
        revocation = self.trust.revocation if self.trust else None
        if revocation is None or self.open_hash is None or not self.known:
            return
        verdict, last = self.verdict, revocation.last
        if last and self.log and self.log.has_opened(verdict.counter, verdict.recording, self.open_hash, last):
            return
        if last and any(receipt.recording == verdict.recording and receipt.open == self.open_hash and receipt.log
                        and receipt.log[0] <= last[0] for receipt in self.records.of(verdict.device)):
            return
        verdict.add("REVOKED", "the device was revoked, and nothing shows that this recording is older", "journal.log", 0)

    def check_docks(self):
        if self.open_hash is None or not self.known:
            return
        for n, digest in self.records.journal_lines(self.verdict.device, self.verdict.recording):
            if n > self.head[0]:
                self.verdict.add("TRUNCATED", "a dock has seen line %d" % n, "journal.log", n)
            elif self.line_hashes[n] != digest:
                self.verdict.add("EQUIVOCATION", "a dock has seen another line %d" % n, "journal.log", n)

    def check_seen(self):
        """The device log against what docks have seen of it."""
        log = self.log
        for n, digest in self.records.log_lines(log.device):
            here = log.hashes.get(n)
            if here is None and log.before and log.before[0] == n:
                here = log.before[1]
            if here is not None:
                if here == digest:
                    self.verdict.add("ANCHORED", "the log reaches line %d, which a dock has seen" % n)
                else:
                    self.verdict.add("EQUIVOCATION", "a dock has seen another line %d of the log" % n)
            elif log.head is None:
                if not log.tail and not log.broken:
                    self.verdict.add("ROLLBACK", "a dock has seen line %d of the log" % n)
            elif n > log.head[0] and not log.broken and n - log.head[0] > len(log.tail) // LEAST_LINE:
                self.verdict.add("ROLLBACK", "a dock has seen line %d of the log" % n)

    def check_deleted(self, present):
        """A deletion explains that a recording is missing only together with its receipt."""
        log = self.log
        for identifier, deletions in log.deletions.items():
            if identifier in present:
                continue
            for counter, last, digest, key in deletions:
                receipt = self.records.receipts.get(digest)
                if receipt is None:
                    why = self.records.refused.get(digest, "the receipt is not at hand")
                elif ((receipt.device, receipt.recording, receipt.counter, receipt.last, receipt.dock.key.data)
                        != (log.device, identifier, counter, last, key)):
                    why = "the receipt is for something else"
                elif any(other == identifier and opened != receipt.open
                         for other, opened in log.openings.get(counter, ())):
                    why = "the receipt is for another OPEN line"
                else:
                    continue
                self.verdict.add("MISSING_RECORDING", "recording %d was deleted: %s" % (counter, why))

    def check_log(self):
        log, verdict = self.log, self.verdict
        if log is None or self.open_hash is None or not self.known:
            return
        for answer, detail, name, line in log.findings:
            verdict.add(answer, detail, name and "device/log/" + name, line)
        self.check_seen()
        if log.head is None:
            verdict.add("SHORT_DEVICE_LOG", "there is no valid line in the device log")
            return
        seen_n, seen_hash = self.open_log
        if seen_n > log.head[0]:
            # Bytes at the end that could not be read may hold that line.
            if not log.broken and seen_n - log.head[0] > len(log.tail) // LEAST_LINE:
                verdict.add("ROLLBACK", "OPEN names line %d of the device log, which is older" % seen_n)
        elif log.hashes.get(seen_n, seen_hash) != seen_hash:
            verdict.add("EQUIVOCATION", "OPEN names another line %d than the device log has" % seen_n)
        mine = log.openings.get(verdict.counter, [])
        if any(opening != (verdict.recording, self.open_hash) for opening in mine):
            verdict.add("EQUIVOCATION", "counter %d is another recording's, or OPEN another line" % verdict.counter)
        if verdict.counter in log.voids:
            verdict.add("EQUIVOCATION", "counter %d is void" % verdict.counter)
        if not mine and self.closed and seen_n in log.hashes and any(
                counter > verdict.counter and log.has_all(seen_n, log.named[counter]) for counter in log.openings):
            verdict.add("EQUIVOCATION", "the device log goes on and knows no recording %d" % verdict.counter)
        for counter, openings in sorted(log.openings.items()):
            if len(openings) > 1:
                verdict.add("EQUIVOCATION", "counter %d was opened more than once" % counter)
        known = sorted(log.named)
        # Of a log that begins later a receipt may vouch for what was before.
        since = min((receipt for receipt in self.records.of(log.device)
                     if receipt.completeness == "CONTINUOUS" and receipt.log and log.reaches(receipt.log)),
                    key=lambda receipt: (receipt.log[0], base64.urlsafe_b64encode(receipt.hash)), default=None)
        if log.first == 0 or not known:
            start, since = [0], None
        else:
            start = [min(known[0], since.log_counter + 1 if since else known[0]) - 1]
        for before, counter in zip(start + known, known):
            if counter > before + 1 and log.has_all(-1, log.named[counter]):
                verdict.add("MISSING_RECORDING", "nothing explains counter %d" % (before + 1))
        present = {verdict.recording} | {name[11:] for name in self.present or ()
                                         if re.fullmatch("[0-9]{10}-[0-9a-f]{32}", name)}
        missing = dict(log.lost)
        if verdict.recording in log.deletions:
            verdict.add("DELETED", "the camera deleted this recording against a receipt", "journal.log")
        if self.present is not None:
            missing.update((identifier, counter) for counter, openings in log.openings.items()
                           for identifier, _ in openings)
        for identifier, counter in sorted(missing.items(), key=lambda item: item[1]):
            if identifier not in present and identifier not in log.deletions:
                verdict.add("MISSING_RECORDING", "recording %d is not here" % counter)
        self.check_deleted(present)
        for n, digest in sorted(log.witnesses.get(verdict.recording, {}).items()):
            if n > self.head[0]:
                verdict.add("TRUNCATED", "the device log names line %d" % n, "journal.log", n)
            elif self.line_hashes[n] != digest:
                verdict.add("EQUIVOCATION", "the device log names another line %d" % n, "journal.log", n)
        if mine:
            verdict.not_before = log.dockings.get(verdict.counter)
        has_problem = any(f[0] in INTEGRITY for f in log.findings)
        if since and mine and not has_problem:
            verdict.add("SINCE_RECEIPT", "up to line %d a receipt found the log continuous" % since.log[0])
            if verdict.completeness == "NOT_CHECKED":
                verdict.completeness = "CONTINUOUS"
        elif log.first != 0 or not mine:
            verdict.add("SHORT_DEVICE_LOG", "the device log does not reach from line 0 over this recording")
        elif verdict.completeness == "NOT_CHECKED" and not has_problem:
            verdict.completeness = "CONTINUOUS"


# --- Stores, test vectors, command line -------------------------------------------------------------------------------

def below(store, folder):
    """The files of one folder of a store in memory."""
    prefix = folder + "/"
    return MemoryFiles({path[len(prefix):]: data for path, data in store.items() if path.startswith(prefix)})


def edited(store, edits):
    """A copy of a store in memory with test-vector edits; Tests/Vectors/README.md says what they mean."""
    original, store = store, dict(store)
    for edit in edits:
        if "rename" in edit:
            for path in [p for p in store if p == edit["rename"] or p.startswith(edit["rename"] + "/")]:
                store[edit["to"] + path[len(edit["rename"]):]] = store.pop(path)
        elif "delete" in edit:
            for path in [p for p in store if p == edit["delete"] or p.startswith(edit["delete"] + "/")]:
                del store[path]
        else:
            data, at, insert = store.get(edit["file"], b""), edit["offset"], bytes.fromhex(edit.get("insert", ""))
            if "from" in edit:
                start = edit["from"]["offset"]
                insert = original[edit["from"]["file"]][start:start + edit["from"]["count"]]
            store[edit["file"]] = data[:at] + insert + data[at + edit.get("remove", 0):]
    return store


def load_store(path):
    store = {}
    for folder, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                store[os.path.relpath(os.path.join(folder, name), path)] = file.read()
    return store


def store_trust(store):
    root = VerifierKey(store["agency/root.key"].decode().strip())
    return Trust.from_notes(root, store["agency/roles.note"], store["device/enrol.note"],
                            store.get("agency/recipients.note"), below(store, "agency/revoked").contents.values())


def store_records(store, trust):
    kept = below(store, "agency/receipts").contents
    return DockRecords([data for name, data in sorted(kept.items()) if name.endswith(".note")],
                       [data for name, data in sorted(kept.items()) if name.endswith(".anchor")], trust.roles, trust.key)


def run_cases(path):
    """Every case of a JSON file: [{store, recording, deviceLog, edits}]."""
    with open(path) as file:
        cases = json.load(file)
    stores, trusts, results = {}, {}, []
    for case in cases:
        name = os.path.join(os.path.dirname(path), case["store"])
        if name not in stores:
            stores[name] = load_store(name)
            trusts[name] = {}
        store = edited(stores[name], case["edits"])
        notes = tuple(sorted((path, data) for path, data in store.items()
                             if path.startswith("agency/") or path == "device/enrol.note"))
        if notes not in trusts[name]:
            trusts[name][notes] = (store_trust(store), store_records(store, store_trust(store)))
        trust, records = trusts[name][notes]
        log = present = None
        if case["deviceLog"]:
            log = DeviceLog(below(store, "device/log"), trust.key)
            present = {p.split("/")[1] for p in store if p.startswith("recordings/")}
        files = below(store, "recordings/" + case["recording"])
        results.append(Recording(files, trust, case["recording"], log, present, records).verify().as_json(
            case["recording"]))
    return results


def first_line(data):
    lines = [line.strip() for line in data.decode("utf-8", "replace").split("\n")]
    return next((line for line in lines if line and not line.startswith("#")), "")


def device_key(text):
    if os.path.isfile(text):
        text = first_line(open(text, "rb").read(4096))
    if text.count("+") >= 2:
        try:
            return VerifierKey(text).key
        except Refused:
            pass
    return Key(unb64(text.rstrip("=").replace("+", "-").replace("/", "_"), 32))


def named_device(files):
    if "journal.log" not in files.names():
        return None
    start = b"".join(files.pieces("journal.log", 0, LINE_LIMIT))
    line = parse_line(start[:start.find(b"\n") + 1])
    return line.values["dev"][0] if line and "dev" in line.values else None


def read_optional(path, limit=65537):
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        return None


def verify_path(path, arguments, is_of_store):
    files = DiskFiles(path)
    store = os.path.join(path, "..", "..")
    trust = None
    if arguments.device_key:
        trust = Trust(device_key(arguments.device_key))
    elif arguments.agency:
        agency = arguments.agency
        if os.path.exists(os.path.join(agency, "public", "root.key")):
            agency = os.path.join(agency, "public")
        device = named_device(files)
        enrol = None
        if device and re.fullmatch("[0-9a-f]{32}", device):
            enrol = read_optional(os.path.join(agency, "enrolled", device + ".note"))
        enrol = enrol or read_optional(os.path.join(store, "device", "enrol.note"))
        with open(os.path.join(agency, "root.key"), "rb") as file:
            root = VerifierKey(first_line(file.read(4096)))
        if enrol:
            revoked = os.path.join(agency, "revoked")
            trust = Trust.from_notes(root, read_optional(os.path.join(agency, "roles.note")) or b"", enrol,
                                     read_optional(os.path.join(agency, "recipients.note")),
                                     kept_files(revoked, ".note") if os.path.isdir(revoked) else ())
    name = os.path.basename(os.path.abspath(path))
    name = name if re.fullmatch("[0-9]{10}-[0-9a-f]{32}", name) else None
    log_path, present = arguments.device_log, None
    if is_of_store:
        if log_path is None and os.path.isdir(os.path.join(store, "device", "log")):
            log_path = os.path.join(store, "device", "log")
        present = set(os.listdir(os.path.join(path, "..")))
    log = DeviceLog(DiskFiles(log_path), trust.key) if log_path and trust else None
    records = None
    if arguments.receipts and trust:
        records = DockRecords(kept_files(arguments.receipts, ".note"), kept_files(arguments.receipts, ".anchor"),
                              trust.roles, trust.key)
    return Recording(files, trust, name, log, present, records).verify()


def kept_files(path, suffix):
    return [read_optional(os.path.join(path, name), RECEIPT_LIMIT + 1) for name in sorted(os.listdir(path))
            if name.endswith(suffix)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="*", metavar="PATH", help="a recording's directory, or a store")
    parser.add_argument("--agency", metavar="DIR", help="the agency's public directory")
    parser.add_argument("--device-key", metavar="KEY", help="the camera's public key in base64, or a file with it")
    parser.add_argument("--device-log", metavar="DIR", help="the camera's log directory")
    parser.add_argument("--receipts", metavar="DIR", help="what docks keep: receipts (*.note) and anchors (*.anchor)")
    parser.add_argument("--json", action="store_true", help="one JSON array instead of text")
    parser.add_argument("--cases", metavar="FILE", help="test vectors: a JSON list of store, recording, deviceLog, edits")
    arguments = parser.parse_args()
    if arguments.cases:
        print(json.dumps(run_cases(arguments.cases)))
        return 0
    if not arguments.path or (arguments.agency and arguments.device_key):
        parser.print_usage(sys.stderr)
        return 64
    worst, results = 0, []
    paths = []
    for path in arguments.path:
        inside = os.path.join(path, "recordings")
        if os.path.isdir(inside):
            names = [name for name in sorted(os.listdir(inside)) if re.fullmatch("[0-9]{10}-[0-9a-f]{32}", name)]
            paths += [(os.path.join(inside, name), True) for name in names]
        else:
            paths.append((path, False))
    for path, is_of_store in paths:
        try:
            verdict = verify_path(path, arguments, is_of_store)
        except (OSError, Refused) as error:
            print("read_recording: %s" % error, file=sys.stderr)
            return 1
        worst = max(worst, EXIT[verdict.headline])
        results.append(verdict.as_json(path))
        if not arguments.json:
            print("%s\n  integrity     %s\n  end           %s\n  completeness  %s" % (
                verdict.sentence, verdict.integrity, verdict.end, verdict.completeness))
            for f in verdict.findings:
                print("  - %s: %s %s" % (f["answer"], f["file"] or "", f["detail"]))
    if arguments.json:
        print(json.dumps(results, indent=1))
    return worst


if __name__ == "__main__":
    sys.exit(main())
