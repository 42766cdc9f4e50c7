#!/usr/bin/env python3
"""Kills recorders (SIGKILL) at random instants and says how much of what was shown as recorded was lost.

Several small recorders record from the embedded camera, are killed at a random moment of starting, saving, recording,
rotating or closing, and are started again on the same store, many times. For every kill that came while "recording" was
shown, the loss is the time from the last checkpoint's end of media to the kill, by the clocks in the journal and of this
program (CLOCK_BOOTTIME, read directly after the kill). In the end each store is verified whole.

exit codes: 0 every loss within the bound and every recording verifies; 1 not so; 2 it could not be tried.
example:    Tests/Campaigns/kill-campaign.py --kills 1000
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from campaign_recorder import Recorder

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CONFIGURATION = """
store.path = "{0}/store"
store.lab_store = true
store.reserve_mib = 16
identity.path = "{0}/identity"
control.socket = "{0}/control.sock"
memory.allow_swap = true
camera.width = 128
camera.height = 72
video.bitrate_kbps = 150
video.peak_kbps = 200
video.preset = "ultrafast"
recording.pre_event_s = 2
recording.edge_to_decision_s = 0
recording.stall_reserve_s = 2
recording.segment_s = 5
recording.check_at_start = false
"""


class Campaign:
    def __init__(self, options, binaries, directory):
        self.options, self.bin, self.directory = options, binaries, directory
        self.lock = threading.Lock()
        self.left = options.kills
        self.states = collections.Counter()
        self.losses = []
        self.headlines = collections.Counter()
        self.problems = []

    def take(self):
        with self.lock:
            self.left -= 1
            if sys.stderr.isatty():
                print(f"\r{self.options.kills - self.left} of {self.options.kills} kills", end="", file=sys.stderr)
            return self.left >= 0 and not self.problems

    def one_recorder(self, number):
        generator = random.Random(self.options.seed * 1_000 + number)
        directory = f"{self.directory}/{number}"
        os.mkdir(directory)
        try:
            recorder = Recorder(directory, self.bin, CONFIGURATION)
            while self.take():
                self.one_kill(recorder, generator)
            recorder.start()
            recorder.wait_for("ready")
            recorder.end()
            recordings = set()
            with self.lock:
                for verdict in recorder.verify():
                    self.headlines[verdict["headline"]] += 1
                    if verdict["headline"] not in ("VERIFIED", "VERIFIED_TO"):
                        self.problems.append(f"{verdict['path']}: {verdict['sentence']}")
                    if verdict["headline"] == "VERIFIED_TO" and not verdict["recovered"] and verdict["checkpoints"]:
                        self.problems.append(f"{verdict['path']}: interrupted, and no start says what it found")
                    recordings.add(verdict["recording"])
                if missing := recorder.shown - recordings:
                    self.problems.append(f"{recorder.directory}: shown as recorded and not there: {missing}")
        except Exception as error:  # A recorder that is not tried to its end proves nothing.
            with self.lock:
                self.problems.append(f"recorder {number}: {error!r}")
            if recorder_alive := getattr(locals().get("recorder"), "process", None):
                recorder_alive.kill()

    def one_kill(self, recorder, generator):
        recorder.start()
        if generator.random() < 0.1:
            # While it starts, or recovers what the kill before left.
            time.sleep(generator.uniform(0, 0.6))
        else:
            recorder.wait_for("ready")
            recorder.ask("start")
            # Most of the time it records; past five seconds a segment ends.
            time.sleep(generator.choice([generator.uniform(0, 0.5), generator.uniform(0.5, 3), generator.uniform(4, 7)]))
            if generator.random() < 0.15:
                recorder.ask("stop")
                time.sleep(generator.uniform(0, 0.1))
        state, at = recorder.kill()
        with self.lock:
            self.states[state or "no answer"] += 1
        if state != "recording":
            return
        attested = recorder.attested_end()
        with self.lock:
            if attested is None:
                self.problems.append(f"{recorder.directory}: recording was shown, and no checkpoint is in the journal")
            else:
                self.losses.append(at - attested)

    def run(self):
        threads = [threading.Thread(target=self.one_recorder, args=(n,)) for n in range(self.options.recorders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def report(self):
        print(f"{sum(self.states.values())} kills with seed {self.options.seed}: "
              + ", ".join(f"{count} while {state}" for state, count in self.states.most_common()))
        print(f"recordings: " + ", ".join(f"{count} {word}" for word, count in self.headlines.most_common()))
        print(f"seconds lost of what was shown as recorded ({len(self.losses)} kills):")
        bins = collections.Counter(int(loss * 10) for loss in self.losses)
        most = max(bins.values(), default=1)
        for step in range(0, max(bins, default=0) + 1):
            print(f"  {step / 10:.1f}-{(step + 1) / 10:.1f} s {bins[step]:5d} {'#' * round(50 * bins[step] / most)}")
        worst = max(self.losses, default=0)
        print(f"  worst {worst:.3f} s, allowed {self.options.bound} s")
        if worst > self.options.bound:
            self.problems.append(f"{worst:.3f} s were lost")
        if not self.losses:
            self.problems.append("no kill came while recording was shown: nothing was proven")
        for problem in self.problems:
            print(f"FAILED: {problem}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1_000, help="how many (1,000)")
    parser.add_argument("--recorders", type=int, default=4, help="recorders at a time (4)")
    parser.add_argument("--seed", type=int, default=1, help="of the random instants (1)")
    parser.add_argument("--bound", type=float, default=1.0, help="seconds that may be lost (1.0)")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build/release", help="where lapel and lapel-dock are")
    parser.add_argument("--directory", help="where the stores are made; kept afterwards (default: a temporary one)")
    options = parser.parse_args()
    binaries = options.bin.resolve()
    for name in ("lapel", "lapel-dock"):
        if not os.access(binaries / name, os.X_OK):
            print(f"no program {binaries / name}: build first (swift build -c release), or give --bin", file=sys.stderr)
            return 2
    # A store in memory answers a flush at once: what is measured is the recorder, not this machine's disk.
    base = "/dev/shm" if os.path.isdir("/dev/shm") else None
    directory = options.directory or tempfile.mkdtemp(prefix="lapel-kills-", dir=base)
    os.makedirs(directory, exist_ok=True)
    campaign = Campaign(options, binaries, directory)
    campaign.run()
    campaign.report()
    if campaign.problems:
        print(f"the stores and logs are kept in {directory}")
        return 1
    if not options.directory:
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
