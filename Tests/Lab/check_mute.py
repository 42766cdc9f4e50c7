#!/usr/bin/env python3
"""The mutes of the last recording of a log against what the mute button did.

usage: check_mute.py LOG PRESSES

LOG is of `lapel-dock log --identity --json`; PRESSES of press_button: of its four presses the last two were held while something was
recorded. Exit codes: 0 all is as it was; 1 not so; 2 wrong use.
"""
import json
import sys

# How late the guest may understand one gesture later than the other, s.
LATE = 0.4


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    entries = [json.loads(line) for line in open(sys.argv[1])]
    presses = [int(line.split()[2]) / 1e9 for line in open(sys.argv[2]) if line.startswith("down")]
    last = max(entry["recording"] for entry in entries if entry.get("recording"))
    mutes = [entry for entry in entries if entry.get("recording") == last and entry["event"] == "wearer" and entry["what"] == "mute"]
    problems = []
    found = [(mute["message"].split("\n")[0], mute["source"], mute["reason"]) for mute in mutes]
    if found != [("on", "button", "hold"), ("off", "button", "hold")]:
        problems.append(f"the footage has {found}")
    elif len(presses) != 4:
        problems.append(f"{len(presses)} presses instead of 4")
    else:
        # Media time and the finger's clock run alike: from one to the other mute it is as long as between the two presses.
        length = (mutes[1]["mediaUs"] - mutes[0]["mediaUs"]) / 1e6
        if abs(length - (presses[3] - presses[2])) > LATE:
            problems.append(f"muted for {length:.3f} s, and {presses[3] - presses[2]:.3f} s are between the presses")
        print(f"muted by button, hold, for {length:.3f} s; {presses[3] - presses[2]:.3f} s are between the presses")
    for problem in problems:
        print(f"FAIL: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
