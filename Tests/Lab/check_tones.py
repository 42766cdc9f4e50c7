#!/usr/bin/env python3
"""Compares the tones that a loudspeaker gave with a GPIO line that is switched by the same patterns at the same moments.

usage: check_tones.py RESULTS

RESULTS is the directory of a run of jobs/tones.sh: PART.raw and PART.txt of hear_tones, edges.txt of watch_lines, moments.txt.
Exit codes: 0 the tones are as they should be; 1 not so; 2 wrong use.
"""
import array
import os
import statistics
import sys

RATE = 48000
MS = RATE // 1000
# How loud and high the job lets them be.
AMPLITUDE = 0.3 * 32767
HERTZ = 1500
# From the line to the loudspeaker, s: 50 ms are meant. The line is looked at every 2 ms, the sound card's clock moves in steps of 4 ms;
# the rest is the guest's lateness, on either side.
EARLIEST, LATEST = 0.025, 0.130
# What a tone may be longer or shorter than the line was on, s: the ramp of 4 ms, and the same.
LONGER = 0.030


class Check:
    def __init__(self, results):
        self.results = results
        self.problems = []
        self.line = []
        for text in open(os.path.join(results, "edges.txt")):
            at, _, level = text.split()
            self.line.append((int(at) / 1e9, level == "1"))
        self.moments = {name: int(at) / 1e9 for name, at in
                        (text.split() for text in open(os.path.join(results, "moments.txt")))}

    def fail(self, text):
        self.problems.append(text)

    def spans(self, edges, start, end):
        """(on, off) of all that begins within"""
        found, since = [], None
        for at, level in edges:
            if level and since is None:
                since = at
            elif not level and since is not None:
                if start <= since < end:
                    found.append((since, at))
                since = None
        return found

    def listen(self, part):
        """The edges of what is heard, and what is between them."""
        samples = array.array("h", open(os.path.join(self.results, f"{part}.raw"), "rb").read())
        pieces = [tuple(map(int, text.split())) for text in open(os.path.join(self.results, f"{part}.txt"))]
        # A piece's time is exact to the step of the card's clock; a second of them together to less.
        starts = [time - first * 1e9 / RATE for first, time in pieces]

        def time(sample):
            index = min(sample * len(starts) * 1 // max(1, len(samples)), len(starts) - 1)
            return (statistics.median(starts[max(0, index - 25):index + 25]) + sample * 1e9 / RATE) / 1e9

        edges, on = [], False
        quiet = 0
        for ms in range(len(samples) // MS):
            piece = samples[ms * MS:(ms + 1) * MS]
            loud = max(max(piece), -min(piece)) > AMPLITUDE / 10
            if loud and not on:
                edges.append((time(ms * MS), True))
                on = True
            quiet = 0 if loud else quiet + 1
            if on and quiet == 2:
                edges.append((time((ms - 1) * MS), False))
                on = False
        return samples, edges, time(0), time(len(samples))

    def tones(self, part):
        samples, edges, start, end = self.listen(part)
        heard = self.spans(edges, start, end)
        # A tone is behind the line, and must be whole.
        shown = self.spans(self.line, start, min(end - 1, self.moments.get(f"{part}-end", end)))
        if len(heard) != len(shown):
            self.fail(f"{part}: {len(heard)} tones for {len(shown)} of the line: {[f'{one[0]:.2f}' for one in heard]} "
                      f"{[f'{one[0]:.2f}' for one in shown]}")
            return
        if not heard:
            self.fail(f"{part}: there was no tone at all")
            return
        late = [one[0] - other[0] for one, other in zip(heard, shown)]
        longer = [(one[1] - one[0]) - (other[1] - other[0]) for one, other in zip(heard, shown)]
        print(f"{part}: {len(heard)} tones, each with the line; they begin {1e3 * min(late):.0f} to {1e3 * max(late):.0f} ms after it, "
              f"{1e3 * statistics.median(late):.0f} in the median, and are {1e3 * min(longer):+.0f} to {1e3 * max(longer):+.0f} ms longer")
        for (one, _), behind, more in zip(shown, late, longer):
            if not EARLIEST <= behind <= LATEST:
                self.fail(f"{part}: the tone at {one:.3f} begins {1e3 * behind:.0f} ms after the line")
            if abs(more) > LONGER:
                self.fail(f"{part}: the tone at {one:.3f} is {1e3 * more:+.0f} ms longer than the line was on")
        self.sound(part, samples)

    def sound(self, part, samples):
        loudest = max(max(samples), -min(samples))
        if not 0.95 * AMPLITUDE < loudest < 1.02 * AMPLITUDE:
            self.fail(f"{part}: the loudest sample is {loudest}, not {AMPLITUDE:.0f}")
        # The pitch, in each stretch of 20 ms that is loud all through.
        pitches = []
        for first in range(0, len(samples) - 20 * MS, 20 * MS):
            piece = samples[first:first + 20 * MS]
            if all(max(piece[at:at + MS]) > 0.95 * AMPLITUDE for at in range(0, len(piece), MS)):
                pitches.append(sum(1 for one, two in zip(piece, piece[1:]) if one < 0 <= two) * 50)
        if not pitches or any(abs(pitch - HERTZ) > 50 for pitch in pitches):
            self.fail(f"{part}: the pitch is {min(pitches, default=0)} to {max(pitches, default=0)} Hz")
        # No click: from one sample to the next no more than the tone and its ramp do.
        step = max(abs(two - one) for one, two in zip(samples, samples[1:]))
        most = AMPLITUDE * (2 * 3.1416 * HERTZ / RATE + 1.5 / (4 * MS)) + 2
        if step > most:
            self.fail(f"{part}: a click: a step of {step}, more than {most:.0f}")

    def stealth(self):
        samples, edges, _, _ = self.listen("day")
        start, end = self.moments["stealth"] + 0.2, self.moments["stealth-end"]
        if self.spans(edges, start, end) or self.spans(self.line, start, end):
            self.fail("there was a tone in stealth")
        # A reminder comes every 5 s, and the command that ends stealth takes the guest up to three.
        if not self.spans(edges, start - 20, start - 0.2) or not self.spans(edges, end, end + 8):
            self.fail("there was no tone before or after stealth")
        print(f"stealth: no tone for {end - start:.1f} s, in which one was asked for")


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    check = Check(sys.argv[1])
    check.tones("day")
    check.tones("again")
    check.stealth()
    for problem in check.problems[:20]:
        print(f"FAIL: {problem}", file=sys.stderr)
    sys.exit(1 if check.problems else 0)


main()
