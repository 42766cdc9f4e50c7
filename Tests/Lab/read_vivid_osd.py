#!/usr/bin/env python3
"""Says which frames a video of the vivid camera holds, from nothing but the decoded pictures.

vivid writes into every frame, 16 pixels from the left and the top, in an 8x16 font, the time since streaming started
and the frame's sequence number: " hh:mm:ss:mmm 1234". Control osd_text_mode must be 0 or 1, the picture neither scaled
nor cropped. Usage (passthrough: ffmpeg must neither repeat nor drop a frame by itself):

  ffmpeg -v error -i FILE -fps_mode passthrough -f rawvideo -pix_fmt gray - | read_vivid_osd.py 640 360 [--once] [--luma]

Prints a line for each frame: its place in the input, its sequence number, its time in milliseconds (the driver counts
it in steps of 4), or "? ?" for a frame whose line cannot be read without doubt. With --once it also tells each missing,
repeated or misplaced frame on stderr. With --luma a fourth column is the mean of the picture's lower half, 0 to 255.
Exit status: 0, or 1 if a frame was unreadable or, with --once, if the frames
are not consecutive.
"""

import sys
from operator import itemgetter

# What the driver draws, row by row, one bit a pixel (taken from its pictures).
GLYPHS = {
    "0": "0000386cc6c6d6d6c6c66c3800000000",
    "1": "00001838781818181818187e00000000",
    "2": "00007cc6060c183060c0c6fe00000000",
    "3": "00007cc606063c060606c67c00000000",
    "4": "00000c1c3c6cccfe0c0c0c1e00000000",
    "5": "0000fec0c0c0fc060606c67c00000000",
    "6": "00003860c0c0fcc6c6c6c67c00000000",
    "7": "0000fec606060c183030303000000000",
    "8": "00007cc6c6c67cc6c6c6c67c00000000",
    "9": "00007cc6c6c67e0606060c7800000000",
    ":": "00000000181800000018180000000000",
}
LEFT, TOP, WIDTH, HEIGHT = 16, 16, 8, 16
PIXELS = WIDTH * HEIGHT
TIME = " dd:dd:dd:ddd "  # then the sequence number, up to ten digits

# A cell is a character when its correlation with the glyph is at least SURE and beats every other by MARGIN. It is
# certainly none below NOT_ONE. What lies between is doubt, and doubt makes the frame unreadable. The two glyphs most
# alike, 3 and 8, correlate to 0.81.
SURE, MARGIN, NOT_ONE = 0.80, 0.05, 0.60
FLAT = 36  # variance of a cell without any character in it


class Reader:
    def __init__(self, width, height):
        self.columns = min(len(TIME) + 10, (width - LEFT) // WIDTH)
        if self.columns <= len(TIME) or height < TOP + HEIGHT:
            raise ValueError(f"{width}x{height} is too small for the line of text")
        self.cells = []
        for column in range(self.columns):
            at = [(TOP + y) * width + LEFT + column * WIDTH + x for y in range(HEIGHT) for x in range(WIDTH)]
            glyphs = {}
            for character, rows in GLYPHS.items():
                bits = int(rows, 16)
                lit = [at[i] for i in range(PIXELS) if bits >> (PIXELS - 1 - i) & 1]
                glyphs[character] = (itemgetter(*lit), len(lit))
            self.cells.append((itemgetter(*at), glyphs))

    def character(self, frame, column, among):
        """The character in a cell, "" for certainly none, None for doubt."""
        pixels, glyphs = self.cells[column]
        values = pixels(frame)
        total = sum(values)
        variance = PIXELS * sum(v * v for v in values) - total * total  # times PIXELS squared
        if variance < FLAT * PIXELS * PIXELS:
            return ""
        best = second = -1.0
        found = None
        for character in among:
            lit, count = glyphs[character]
            covariance = PIXELS * sum(lit(frame)) - count * total
            correlation = covariance / (variance * count * (PIXELS - count)) ** 0.5
            if correlation > best:
                best, second, found = correlation, best, character
            elif correlation > second:
                second = correlation
        if best >= SURE and best - second >= MARGIN:
            return found
        return "" if best < NOT_ONE else None

    def read(self, frame):
        """(sequence, milliseconds), or None."""
        digits = "0123456789"
        text = ""
        for column, kind in enumerate(TIME):
            if kind == " ":
                if self.character(frame, column, GLYPHS) != "":
                    return None
            else:
                found = self.character(frame, column, GLYPHS)
                if not found or (found == ":") != (kind == ":"):
                    return None
                text += found
        number = ""
        for column in range(len(TIME), self.columns):
            found = self.character(frame, column, digits)
            if found is None:
                return None
            if found == "":
                break
            number += found
        if not number or (number[0] == "0" and number != "0"):
            return None
        hours, minutes, seconds, milliseconds = map(int, text.split(":"))
        if minutes > 59 or seconds > 59:
            return None
        return int(number), ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def frames(stream, size):
    while True:
        frame = stream.read(size)
        if not frame:
            return
        if len(frame) != size:
            raise ValueError(f"the input ends in the middle of a frame: {len(frame)} of {size} bytes")
        yield frame


def main(arguments):
    options = {argument for argument in arguments if argument.startswith("--")}
    numbers = [argument for argument in arguments if argument not in options]
    if len(numbers) != 2 or not all(n.isdecimal() for n in numbers) or options - {"--once", "--luma"}:
        sys.exit("usage: read_vivid_osd.py WIDTH HEIGHT [--once] [--luma] < gray frames")
    width, height = map(int, numbers)
    reader = Reader(width, height)
    first = last = None
    count = faults = unread = 0  # unread: since the last frame that could be read
    for index, frame in enumerate(frames(sys.stdin.buffer, width * height)):
        count += 1
        luma = f" {sum(frame[len(frame) // 2 :]) // (len(frame) - len(frame) // 2)}" if "--luma" in options else ""
        shown = reader.read(frame)
        if shown is None:
            print(f"{index} ? ?{luma}")
            print(f"frame {index}: cannot be read", file=sys.stderr)
            faults += 1
            unread += 1
            continue
        sequence, milliseconds = shown
        print(f"{index} {sequence} {milliseconds}{luma}")
        if first is None:
            first = sequence
        elif "--once" in options and sequence != last + 1 + unread:
            if sequence == last:
                fault = f"{sequence} is repeated"
            elif sequence <= last + unread:
                fault = f"{sequence} comes {unread + 1} after {last}"
            elif unread > 0:
                fault = f"{sequence - last - 1} frames missing or unreadable before {sequence}, {unread} of them unreadable"
            elif sequence == last + 2:
                fault = f"{last + 1} is missing"
            else:
                fault = f"{last + 1} to {sequence - 1} are missing"
            print(f"frame {index}: {fault}", file=sys.stderr)
            faults += 1
        last, unread = sequence, 0
    if count == 0:
        sys.exit("no frame in the input")
    if "--once" in options and faults == 0:
        print(f"{count} frames, {first} to {last}, each once", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"read_vivid_osd.py: {error}")
