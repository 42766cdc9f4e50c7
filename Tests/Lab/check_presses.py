#!/usr/bin/env python3
"""Compares what was pressed with what `lapel-dock account --json` tells.

usage: check_presses.py PRESSES ACCOUNT RECORDINGS GESTURE_MS LOG OFFSET

PRESSES is the output of press_button; GESTURE_MS is how long a start gesture took at least. The guest never sleeps, so
CLOCK_BOOTTIME of the one is CLOCK_MONOTONIC of the other. LOG is the recorder's, with wall times; OFFSET a file with wall time less
CLOCK_MONOTONIC, ns. Exit codes: 0 the same; 1 not; 2 wrong use.
"""
import calendar
import json
import re
import sys
import time


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def shown(path, offset):
    """For each recording when "saving" and when "recording" was shown, ns of CLOCK_MONOTONIC."""
    pairs, saving = [], None
    for line in open(path):
        match = re.match(r"(\S+)\.(\d{3})Z \S+ state: (saving|recording)\b", line.strip())
        if not match:
            continue
        wall = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(match[2]) * 10**6
        if match[3] == "saving":
            saving = wall - offset
        elif saving is not None:
            pairs.append((saving, wall - offset))
            saving = None
    return pairs


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    downs = [line.split() for line in open(sys.argv[1]) if line.startswith("down ")]
    # ns at which the contact first touched, and at which it had settled.
    downs = [(int(first), int(settled)) for _, first, settled in downs]
    account = json.load(open(sys.argv[2]))
    expected, gesture = int(sys.argv[3]), int(sys.argv[4])
    problems = []

    def check(holds, text):
        if not holds:
            problems.append(text)

    made = account["recordings"]
    others = account["others"]

    def of(result):
        return [other for other in others if other["result"] == result]

    tenth = [n % 10 for n in range(1, expected + 1)]
    check(len(made) == expected, f"{len(made)} recordings of {expected}")
    check(account["unaccounted"] == 0, f"{account['unaccounted']} triggers unaccounted for")
    check(account["triggers"] == expected + tenth.count(5), f"{account['triggers']} triggers")
    check(len(of("continued")) == tenth.count(5), f"{len(of('continued'))} more starts while recording")
    check(len(of("idle")) == tenth.count(3), f"{len(of('idle'))} presses while nothing was recorded")
    check(len(of("unclear")) == tenth.count(7), f"{len(of('unclear'))} presses that are no gesture")
    check(not of("refused") and not of("dropped"), "a trigger was refused or dropped")
    check(all(one["source"] == "button" and one["reason"] == "double" for one in made), "a recording by something else")
    check(all(one["headline"] == "VERIFIED" for one in made), "a recording is not VERIFIED")
    check(all(one["framesLost"] == 0 for one in made), "frames were lost")
    check(all(one["preEventHeldMs"] >= one["preEventAskedMs"] for one in made), "a pre-event is short")

    late = []
    for one in made:
        # The press that it must count from is the last one that began before its edge was stamped.
        before = [down for down in downs if down[0] <= one["edgeNs"]]
        check(before, f"recording {one['counter']} counts from before any press")
        if not before:
            continue
        later = (one["edgeNs"] - before[-1][1]) / 1e6
        # Its edge is stamped when the line has been quiet for the debounce time.
        check(later <= 60, f"recording {one['counter']} counts from {later:.1f} ms after its press had settled")
        late.append(later)
        check((one["decidedNs"] - one["edgeNs"]) / 1e6 >= gesture / 2, f"recording {one['counter']} was decided too early")
    check(len({one["edgeNs"] for one in made}) == len(made), "two recordings count from one press")
    if late:
        durable = [one["durableAfterMs"] for one in made]
        decided = [one["durableAfterMs"] - (one["decidedNs"] - one["edgeNs"]) / 1e6 for one in made]
        states = shown(sys.argv[5], int(open(sys.argv[6]).read()))
        check(len(states) == len(made), f"{len(states)} times saving and recording were shown for {len(made)} recordings")
        made.sort(key=lambda one: one["edgeNs"])
        for name, index in (("saving", 0), ("recording", 1)):
            for what, since in (("edge", "edgeNs"), ("gesture", "decidedNs")):
                values = [(state[index] - one[since]) / 1e6 for state, one in zip(states, made)]
                print(f"{name} shown after the {what}: p50 {percentile(values, 0.5):.1f} ms, p99 {percentile(values, 0.99):.1f} ms")
        for name, values in (("edge after the settled contact", late), ("first footage on the card after the edge", durable),
                             ("first footage on the card after the gesture", decided)):
            print(f"{name}: p50 {percentile(values, 0.5):.1f} ms, p99 {percentile(values, 0.99):.1f} ms")
    print(f"{expected} starts and stops by button: {len(made)} recorded, "
          f"{max(0, expected - len(made))} missed, {max(0, len(made) - expected)} false")
    for problem in problems:
        print(f"FAIL: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
