#!/usr/bin/env python3
"""Holds the files of power.sh against what was done to its supply.

usage: check_power.py STORE RESULTS
"""
import pathlib
import sys

# With checkpoints every 5 s, one so soon after the warning came with it.
SOON = 1_000_000_000
# While the supply fails; a slow guest needs some more than the 0.4 s.
OFTEN = 1_500_000_000


def lines(path):
    """(type, keys) of each line."""
    for line in path.read_text().splitlines():
        words = line.split(" ")
        yield words[1], dict(word.split("=", 1) for word in words[2:])


def check(holds, text):
    if not holds:
        sys.exit(f"check_power.py: {text}")


def check_recording(journal):
    # A machine that is busy with other things has a slow card, and the journal says so.
    events = [(keys["code"], keys.get("what"), keys.get("pct")) for kind, keys in journal
              if kind == "EVT" and keys["code"] in ("battery", "power")]
    expected = [("battery", "low", "20"), ("power", "fail", None), ("power", "good", None), ("power", "fail", None),
                ("battery", "critical", "4")]
    check(events == expected, f"the journal has {events}")
    check(journal[-1][0] == "CLOSE" and journal[-1][1]["reason"] == "power", f"it ends with {journal[-1]}")
    newest = None
    checkpoints = [int(keys["mono"]) for kind, keys in journal if kind == "CKPT"]
    for kind, keys in journal:
        if kind == "CKPT":
            newest = int(keys["mono"]), int(keys["lag"])
        elif kind == "EVT" and (keys["code"], keys["what"]) == ("power", "fail"):
            edge = int(keys["edge"])
            distance = newest[0] - edge
            check(0 <= distance <= SOON, f"the checkpoint came {distance / 1e6:.0f} ms after the warning")
            print(f"checkpoint {distance / 1e6:.0f} ms after the warning, {newest[1]} ms behind")
            after = [mono for mono in checkpoints if edge < mono < edge + 1_900_000_000]
            gaps = [right - left for left, right in zip(after, after[1:])]
            check(len(after) >= 3 and max(gaps) <= OFTEN, f"then checkpoints {[gap // 1_000_000 for gap in gaps]} ms apart")


def check_light(results):
    moments = {name: int(time) for name, time in (line.split() for line in (results / "moments.txt").open())}
    rises = [int(time) for time, _, level in (line.split() for line in (results / "edges.txt").open()) if level == "1"]
    check(not [rise for rise in rises if moments["ready"] < rise < moments["low"]],
          "the blue light flashes with a good battery")
    low = [rise for rise in rises if moments["low"] < rise < moments["low-end"]]
    check(len(low) >= 4, f"the blue light flashed {len(low)} times for the low battery")


def main():
    store, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    recordings = sorted((store / "recordings").iterdir())
    check(len(recordings) == 2, f"{len(recordings)} recordings")
    check_recording(list(lines(recordings[0] / "journal.log")))
    log = [keys for path in sorted((store / "device/log").iterdir()) for kind, keys in lines(path) if kind == "AUDIT"]
    levels = [keys["what"] for keys in log if keys["code"] == "battery"]
    check(levels == ["normal", "low", "normal", "external"], f"the device log has {levels}")
    check_light(results)


main()
