#!/usr/bin/env python3
"""Compares every edge of the lights with the state that was true at that moment.

usage: check_signs.py RESULTS

RESULTS is the directory of a run of jobs/signs.sh: edges.txt of watch_lines, day.log of the recorder, config.json, offset.txt and moments.txt.
Exit codes: 0 the truth was told each time; 1 not so; 2 wrong use.
"""
import calendar
import json
import os
import re
import sys
import time

# How late the guest, the log and who looks may be together, s.
LATE = 0.12
STATES = {"starting": "starting", "ready": "ready", "saving": "saving", "recording": "recording", "at risk": "at_risk",
          "post-event": "post_event", "closing": "closing", "cannot record": "cannot_record", "stopping": "stopping"}


def pattern(text):
    """(on, off, on, off… in s, number of times or None)"""
    if text == "on":
        return [float("inf")], None
    if text == "off":
        return [0.0, float("inf")], None
    turns, _, times = text.partition("x")
    return [int(turn) / 1e3 for turn in turns.split("/")], int(times) if times else None


def is_on(text, since):
    turns, times = pattern(text)
    whole = sum(turns)
    if times and since >= whole * times:
        return False
    if whole != float("inf"):
        since %= whole
    for index, turn in enumerate(turns):
        if since < turn:
            return index % 2 == 0
        since -= turn
    return False


def entry(text):
    return dict(part.split() for part in text.split(",") if part.strip())


class Check:
    def __init__(self, results):
        self.problems = []
        self.edges = []
        for line in open(os.path.join(results, "edges.txt")):
            at, name, level = line.split()
            self.edges.append((int(at) / 1e9, name, level == "1"))
        config = {one["key"]: one["value"] for one in json.load(open(os.path.join(results, "config.json")))}
        self.signs = {key[6:]: entry(value) for key, value in config.items() if key.startswith("signs.")}
        offset = int(open(os.path.join(results, "offset.txt")).read()) / 1e9
        self.moments = {name: int(at) / 1e9 for name, at in
                        (line.split() for line in open(os.path.join(results, "moments.txt")))}
        self.states = []
        for line in open(os.path.join(results, "day.log")):
            match = re.match(r"(\S+)\.(\d{3})Z \S+ state: ([a-z -]+?)(?: \(|$|;)", line.strip())
            if not match:
                continue
            wall = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S")) + int(match[2]) / 1e3
            state = STATES[match[3].strip()]
            # The same state with another reason: its light goes on as it is.
            if wall > 1e9 and (not self.states or self.states[-1][1] != state):
                self.states.append((wall - offset, state))

    def fail(self, text):
        self.problems.append(text)

    def level(self, name, at):
        level = False
        for when, other, on in self.edges:
            if when > at:
                break
            if other == name:
                level = on
        return level

    def state(self, at):
        now = None
        for since, state in self.states:
            if since > at:
                break
            now = (since, state)
        return now

    def between(self, name, start, end):
        return [(when, on) for when, other, on in self.edges if other == name and start <= when < end]

    def expected(self, name, at):
        """What the light should be; None where a change of state is too near to tell."""
        now = self.state(at)
        if now is None:
            return None
        since, state = now
        text = self.signs[state].get(name)
        return is_on(text, at - since) if text else False

    def lights(self):
        """Red and green belong to the main state alone. At each edge the new level is that of some moment near it, and at all times
        the level is one that was expected not long before or after."""
        silent = (self.moments["stealth"], self.moments["silent-end"] + 1)
        end = self.moments["clock"]
        seen = 0
        for name in ("red", "green"):
            for when, on in self.between(name, self.states[0][0] + LATE, end):
                if silent[0] <= when < silent[1]:
                    continue
                seen += 1
                near = [self.expected(name, when + step / 100) for step in range(-12, 13)]
                if on not in near:
                    self.fail(f"{name} went {'on' if on else 'off'} at {when:.3f} while {self.state(when)}")
            at = self.states[0][0] + LATE
            while at < end:
                if not silent[0] <= at < silent[1]:
                    near = {self.expected(name, at + step / 100) for step in range(-12, 13)}
                    if len(near) == 1 and None not in near and self.level(name, at) not in near:
                        self.fail(f"{name} is {'on' if self.level(name, at) else 'off'} at {at:.3f} while {self.state(at)}")
                        at += 1
                at += 0.05
        print(f"lights: {seen} edges of red and green, each as its state wants it; states: "
              f"{', '.join(state for _, state in self.states)}")

    def answered(self):
        """Each gesture is answered: by lights and by what is told once."""
        presses = [line.split() for line in open(os.path.join(self.results, "signs-presses.txt")) if line.startswith("down")]
        presses = [int(press[1]) / 1e9 for press in presses]

        def ons(name, start, end):
            return sum(1 for _, on in self.between(name, start, end) if on)

        # In the order of the job: a single press, two for the start, one for the marker, one that stops.
        single, _, second, mark, hold = presses[:5]
        if ons("tone", single, single + 1.8) < 4:
            self.fail("a single press while ready was not answered by its four tones")
        saving = [since for since, state in self.states if state == "saving"][0]
        lit = [when for when, on in self.between("red", second, second + 3) if on]
        if not lit:
            self.fail("the start was not answered by a light")
        else:
            print(f"press to light: {1e3 * (lit[0] - second):.0f} ms after the second press; the state was told "
                  f"{1e3 * (saving - second):.0f} ms after it")
            if lit[0] - second > 0.2:
                self.fail(f"the start was answered after {lit[0] - second:.3f} s")
        if ons("tone", mark, mark + 1.5) < 1:
            self.fail("a marker was not answered")
        if not any(on for _, on in self.between("vibration", hold + 2.9, hold + 4.5)):
            self.fail("a stop was not answered")

    def stealth(self):
        edges = [edge for edge in self.edges if self.moments["silent"] + 0.2 <= edge[0] < self.moments["silent-end"]]
        if edges:
            self.fail(f"{len(edges)} edges in stealth: {edges[:3]}")
        for name in ("red", "green", "blue", "tone", "vibration"):
            if self.level(name, self.moments["silent"] + 0.2):
                self.fail(f"{name} is on in stealth")
        if not self.level("red", self.moments["silent-end"] + 1.5):
            self.fail("red is not back after stealth")
        print("stealth: no edge on any of five outputs, and the light of recording was back behind it")

    def reminders(self):
        tones = [when for when, on in self.between("tone", self.moments["stealth"] - 10, self.moments["stealth"]) if on]
        if not tones:
            self.fail("no reminder was told")
        else:
            print(f"reminders: {len(tones)} tones while recording")

    def alarms(self):
        for state in ("at_risk", "cannot_record"):
            spans = [(since, self.states[index + 1][0] if index + 1 < len(self.states) else self.moments["clock"])
                     for index, (since, what) in enumerate(self.states) if what == state]
            if not spans:
                self.fail(f"{state} was never shown")
            elif not any(on for since, end in spans for _, on in self.between("tone", since, end)):
                self.fail(f"{state} made no alarm")

    def clock(self):
        turns = [when for when, on in self.between("blue", self.moments["clock"], self.moments["end"]) if on]
        if len(turns) < 5:
            self.fail(f"a clock that was never set was not shown: {len(turns)} flashes of blue")

    def after(self):
        if not any(on for _, on in self.between("red", self.moments["ended"], self.moments["given-up"])):
            self.fail("the second recorder lit no red light")
        for moment in ("ended", "given-up"):
            for name in ("red", "green", "blue", "tone", "vibration"):
                if self.level(name, self.moments[moment] + 0.3):
                    self.fail(f"{name} is on when the recorder has {moment}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    check = Check(sys.argv[1])
    check.results = sys.argv[1]
    for step in (check.lights, check.answered, check.stealth, check.reminders, check.alarms, check.clock, check.after):
        step()
    for problem in check.problems[:20]:
        print(f"FAIL: {problem}", file=sys.stderr)
    sys.exit(1 if check.problems else 0)


main()
