#!/usr/bin/env python3
"""Cuts the power of a recorder's disks at random instants and says how much of what was shown as recorded was lost.

A guest of the device lab (Tests/Lab) runs `lapel run` with its evidence card and its own disk on two NBD cards that keep
writes in a volatile cache until FLUSH; at a seeded random instant of starting, saving, recording, rotating segments or
closing both lose their power: blocks that were not flushed are lost, reach the medium or are torn. The next boot mounts what
is left, recovers, records, and is cut again. In the end the whole card is verified.

The loss of a cut is the time from the last checkpoint's end of media, by the times in the journal, to the cut, by the guest's
clock. It may be the checkpoint interval, the longest way of a picture to the flush (encoder and fragment) that the campaign
saw, and the longest time in flushes from one checkpoint to the next of that run, all by the guest's clock; and as long as the
guest, which has only what this machine leaves it, took to say its time.

Then cards that ignore FLUSH: the file system may be lost, and what was confirmed may not be there; the start must say so.

exit codes: 0 every loss within its bound, everything before verifies, no lie of a card went unsaid; 1 not so; 2 it could not
            be tried; 77 there is no lab here.
example:    Tests/Campaigns/power-cut-campaign.py --cuts 40 --file-system ext4,f2fs
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests/Lab"))
from cuttable_guest import CuttableGuest, GuestEnded, Late  # noqa: E402
from nbd_card import Card  # noqa: E402

JOB = "power-cut.sh"
INTERVAL = 0.75  # recording.checkpoint_ms, the default
SEGMENT = 5.0  # recording.segment_s in the job
FILE_SYSTEM_LOST = 20  # the job's status
MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
    "f2fs": ["mkfs.f2fs", "-q", "-f"],
}
# An interrupted segment keeps the 16 MiB that were set aside for it: room for as many as there are cuts.
SIZES_MIB = {"card": 512, "memory": 64}
CUTS_PER_CARD = 12
# Exit codes of `lapel run` that come with a sentence: RecorderError.Kind, and a device that is not there.
REFUSALS = {69, 71, 73, 77, 78}
FACTS = re.compile(r"^LAPEL1 (\w+) n=\d+ (.*) p=\S+(?: d=\S+)? s=\S+$")
SYNC = re.compile(r"^\s*store-\d+\s.*?(\d+\.\d+): sys_(\w+?)(\(| -> )")


class Journal:
    """The lines of a journal that the power cut left whole."""

    def __init__(self, data):
        # (when it was written, end of media that it attests), CLOCK_BOOTTIME in seconds.
        self.checkpoints, self.opened, self.is_closed = [], None, False
        for line in data.decode(errors="replace").split("\n")[:-1]:
            if found := FACTS.match(line):
                facts = dict(word.split("=", 1) for word in found.group(2).split(" "))
                if found.group(1) == "OPEN":
                    self.opened = int(facts["mono"]) / 1e9
                elif found.group(1) == "CKPT":
                    written = int(facts["mono"]) / 1e9
                    self.checkpoints.append((written, written - int(facts["lag"]) / 1e3))
                self.is_closed = self.is_closed or found.group(1) == "CLOSE"

    def live(self):
        """The checkpoints of what came after the opening; those before catch up with the seconds before the trigger. The
        last in any case: from it the loss counts."""
        return [each for each in self.checkpoints[:-1] if each[1] >= self.opened] + self.checkpoints[-1:]


class Syncs:
    """The flushes of one boot's recorder: (began, ended, system call), CLOCK_BOOTTIME; one that the cut met has no end."""

    def __init__(self, text):
        self.calls = []
        for line in text.split("\n"):
            if found := SYNC.match(line):
                at, call = float(found.group(1)), found.group(2)
                if found.group(3) == "(":
                    self.calls.append([at, None, call])
                elif self.calls:
                    self.calls[-1][1] = at

    def within(self, start, end):
        """Those that ran in this time, cut to it."""
        return [
            (max(start, began), min(end, ended or end), call)
            for began, ended, call in self.calls if began < end and (ended or end) > start]

    def longest(self, journal, cut):
        """The longest way of a picture to the flush, and the longest sum of flushes from one checkpoint to the next."""
        way, flushes, confirmed = 0.0, 0.0, None
        for written, end in journal.live():
            before = [began for began, ended, _ in self.calls if ended and ended <= written + 0.001]
            way = max(way, (before[-1] if before else written) - end)
            after = [ended or cut for began, ended, _ in self.calls if began >= written]
            done = after[0] if after else cut
            if confirmed is not None:
                flushes = max(flushes, self.spent(confirmed, done))
            confirmed = done
        if confirmed is not None:
            flushes = max(flushes, self.spent(confirmed, cut))
        return way, flushes

    def spent(self, start, end):
        return sum(ended - began for began, ended, _ in self.within(start, end))


class Cut:
    """One power cut: what was shown at that moment, and what the next boot found of it."""

    def __init__(self, guest, phase, stopped):
        self.phase, self.stopped, self.results = phase, stopped, guest.results
        self.lateness = guest.lateness()
        (self.earliest, self.latest), self.said, self.fates = guest.cut()
        states = re.findall(r"state: (.*)", self.said)
        self.state = states[-1] if states else "nothing yet"
        opened = re.findall(r"recording (\d+) opened \((\w+)\)", self.said)
        self.opened = [id for _, id in opened]
        self.closed = re.findall(r"recording closed \((\w+)\)", self.said)
        self.name = f"{int(opened[-1][0]):010d}-{opened[-1][1]}" if opened else None
        last = self.said.rfind(" opened (")
        self.was_shown = last >= 0 and "state: recording" in self.said[last:] and self.opened[-1] not in self.closed
        # Seconds: what was lost, if recording was shown; the longest way of a picture to the flush and flushes, in that run.
        self.loss = self.way = self.flushes = None
        self.causes = []

    def find(self, before):
        """With what the next boot found; `before` is its tar file. Returns what is wrong, in words."""
        if not self.was_shown:
            return None
        try:
            with tarfile.open(before) as tar:
                journal = Journal(tar.extractfile(f"./lapel/recordings/{self.name}/journal.log").read())
        except (OSError, KeyError, AttributeError, tarfile.TarError) as error:
            return f"recording {self.name} was shown as recorded, and its journal is not there ({error})"
        if not journal.checkpoints:
            return f"recording {self.name} was shown as recorded, and no checkpoint is in its journal"
        # After the stop nothing is recorded any more.
        until = min(self.latest, self.stopped or self.latest)
        end = journal.checkpoints[-1][1]
        self.loss = 0.0 if journal.is_closed else max(0.0, until - end)
        syncs = Syncs((self.results / "syncs.txt").read_text(errors="replace"))
        self.way, self.flushes = syncs.longest(journal, self.latest)
        self.causes = [f"{call} {1_000 * (ended - began):.0f} ms" for began, ended, call in syncs.within(end, until)]
        return None


class Chain:
    """One camera: its two disks, and the boots that follow on each other."""

    def __init__(self, campaign, file_system, number):
        self.campaign, self.file_system = campaign, file_system
        self.random = random.Random(f"{campaign.options.seed} {file_system} {number}")
        self.directory = pathlib.Path(campaign.directory) / f"{file_system}-{number}"
        self.directory.mkdir(parents=True)
        self.boots = 0
        self.opened, self.closed = set(), set()
        for name, size in SIZES_MIB.items():
            path = self.directory / f"{name}.img"
            with open(path, "wb") as image:
                image.truncate(size << 20)
            subprocess.run([*MAKE[file_system], path], check=True, stdout=subprocess.DEVNULL)

    def boot(self):
        cards = [Card(self.directory / f"{name}.img", self.random.random()) for name in SIZES_MIB]
        occasion = "again" if self.boots else "new"
        guest = CuttableGuest(
            JOB, [self.file_system, occasion], cards, self.directory / f"boot{self.boots}", self.campaign.bin,
            [milliseconds / 1e3 for milliseconds in self.campaign.options.flush_ms])
        self.boots += 1
        self.campaign.guest = guest
        return guest

    def say(self, text):
        self.campaign.say(f"{self.file_system} {self.directory.name.split('-')[-1]}/{self.boots}: {text}")

    def cut_once(self, guest):
        """The guest is booting; brings it to a random moment and cuts."""
        started = guest.wait_until_up()
        phase = self.random.choices(
            ["starting", "saving", "recording", "rotating", "closing"], [10, 15, 35, 25, 15])[0]
        stopped, count = None, 0
        if phase == "starting":
            moment = started + self.random.uniform(0, 2.5)
        else:
            guest.wait_for_log("state: ready", 120)
            guest.sleep_until(guest.now() + self.random.uniform(0, 2.5))
            if self.random.random() < 0.25:
                self.record(guest, self.random.uniform(0.5, 2))
                count = 1
            rotations = guest.log().count("segment 1 begun")
            _, moment = guest.ask("start")
            if phase == "saving":
                moment += self.random.uniform(0, 0.6)
            elif phase == "rotating":
                guest.wait_for_log("segment 1 begun", 60, rotations + 1)
                moment = guest.now() + self.random.choice(
                    [self.random.uniform(0, 0.4), SEGMENT + self.random.uniform(-0.5, 0.3)])
            else:
                guest.wait_for_log("state: recording", 60, count + 1)
                moment = guest.now() + self.random.uniform(0, 4)
            if phase == "closing":
                guest.sleep_until(moment)
                _, stopped = guest.ask("stop")
                moment = stopped + self.random.uniform(0, 0.6)
        guest.sleep_until(moment)
        if self.random.random() < 0.5:
            # In the middle of a flush most is at stake.
            guest.wait_for_flush(0, 1)
        cut = Cut(guest, phase, stopped)
        self.opened.update(cut.opened)
        self.closed.update(cut.closed)
        return cut

    def record(self, guest, seconds):
        """A recording that is closed."""
        shown, closed = (guest.log().count(text) for text in ("state: recording", "recording closed"))
        guest.ask("start")
        guest.wait_for_log("state: recording", 60, shown + 1)
        guest.sleep_until(guest.now() + seconds)
        guest.ask("stop")
        guest.wait_for_log("recording closed", 60, closed + 1)

    def verify(self, results):
        """Unpacks the store that a boot left, and verifies it. Returns the verdicts, and what was said instead of any."""
        store = self.directory / "store"
        shutil.rmtree(store, ignore_errors=True)
        with tarfile.open(results / "store.tar") as tar:
            tar.extractall(store)
        done = subprocess.run(
            [self.campaign.bin / "lapel-dock", "verify", store / "lapel", "--agency",
             self.directory / "boot0/agency/public", "--json"], capture_output=True, text=True)
        if done.stdout.startswith("["):
            return json.loads(done.stdout), done.stderr
        if done.returncode < 0 or "Fatal error" in done.stderr:
            raise Late(f"lapel-dock verify crashed: {done.stderr[-400:]}")
        return [], done.stderr


    def newest_check(self):
        """What the last start of the verified store wrote of the card against the camera's memory."""
        logs = sorted((self.directory / "store/lapel/device/log").glob("*.log"))
        words = logs[-1].read_text(errors="replace") if logs else ""
        found = re.search(r"^LAPEL1 (CHECK) .*?(log=\w+).*?(journal=\w+)", words, re.MULTILINE)
        return " ".join(found.groups()) if found else "no CHECK"


class Campaign:
    def __init__(self, options, binaries, directory):
        self.options, self.bin, self.directory = options, binaries, directory
        self.cuts, self.problems, self.lies = [], [], []
        self.headlines = collections.Counter()
        self.guest = None
        self.began = time.monotonic()

    def say(self, text):
        print(f"{time.monotonic() - self.began:6.0f} s  {text}", file=sys.stderr, flush=True)

    # --- Honest cards ----------------------------------------------------------------------------------------------

    def run_chain(self, chain, count):
        last = None
        for _ in range(count):
            guest = chain.boot()
            cut = chain.cut_once(guest)
            self.look_at(chain, guest, last)
            chain.say(f"cut while {cut.phase}, shown: {cut.state}; blocks: card {cut.fates[0]}; own {cut.fates[1]}")
            self.cuts.append(cut)
            last = cut
        guest = chain.boot()
        guest.wait_until_up()
        guest.wait_for_log("state: ready", 120)
        chain.record(guest, 1.5)
        chain.opened.update(re.findall(r"opened \((\w+)\)", guest.log()))
        chain.closed.update(re.findall(r"recording closed \((\w+)\)", guest.log()))
        ended = guest.end()
        self.look_at(chain, guest, last)
        if ended != (0, 0):
            self.problems.append(f"{guest.results}: recorder and job ended with {ended}")
        if "inconsistent" in (words := guest.words("console.log")):
            self.problems.append(f"{guest.results}: {words}")
        verdicts, instead = chain.verify(guest.results)
        self.judge(chain, verdicts)
        chain.say(f"the card: {', '.join(v['headline'] for v in verdicts) or instead}")

    def look_at(self, chain, guest, last):
        """What this boot found after the cut before it."""
        for line in f"{guest.words('mount.txt')}\n{guest.words('kernel.txt')}".split("\n"):
            if re.search(r"error|corrupt|inconsistent|fsck|fail", line, re.IGNORECASE):
                self.problems.append(f"{guest.results}, on a card that honours FLUSH: {line}")
        for line in re.findall(r"(?:warning|error) (card: .*)", guest.log().split("state: ready")[0]):
            self.problems.append(f"{guest.results}, on a card that honours FLUSH: {line}")
        if not last:
            return
        if problem := last.find(guest.results / "before.tar"):
            self.problems.append(problem)
        if last.loss is not None:
            chain.say(f"the cut before cost {last.loss:.3f} s; flushes of that run up to {last.flushes:.3f} s")

    def judge(self, chain, verdicts):
        found = {}
        for verdict in verdicts:
            self.headlines[verdict["headline"]] += 1
            found[verdict["recording"]] = verdict
            if verdict["headline"] not in ("VERIFIED", "VERIFIED_TO"):
                self.problems.append(f"{verdict['path']}: {verdict['sentence']}")
            if verdict["headline"] == "VERIFIED_TO" and not verdict["recovered"] and verdict["checkpoints"]:
                self.problems.append(f"{verdict['path']}: interrupted, and no start says what it found")
        for id in chain.opened:
            if id not in found:
                self.problems.append(f"{chain.directory}: recording {id} was opened and is not on the card")
            elif id in chain.closed and found[id]["headline"] != "VERIFIED":
                self.problems.append(f"{chain.directory}: recording {id} was closed: {found[id]['sentence']}")

    # --- Cards that ignore FLUSH -----------------------------------------------------------------------------------

    def run_liar(self, chain, memory_lies):
        """One recording is closed on honest disks; then the card, and perhaps the camera's own disk, ignore FLUSH."""
        guest = chain.boot()
        guest.wait_until_up()
        guest.wait_for_log("state: ready", 120)
        chain.record(guest, 1.5)
        cache_seconds = chain.random.choice([1, 3, 10, 30])
        for card in guest.cards[:2 if memory_lies else 1]:
            card.ignores_flush_for = cache_seconds
        guest.ask("start")
        guest.wait_for_log("state: recording", 60, 2)
        guest.sleep_until(guest.now() + chain.random.uniform(1, 6))
        if chain.random.random() < 0.5:
            guest.ask("stop")
            guest.wait_for_log("recording closed", 60, 2)
        cut = Cut(guest, "lying", None)
        title = f"{chain.file_system}, {cache_seconds} s of cache, {'both disks' if memory_lies else 'only the card'}"
        chain.say(f"{title}: cut; blocks: card {cut.fates[0]}; own {cut.fates[1]}")
        answer = self.answer_to_lie(chain, cut, memory_lies)
        self.lies.append(f"{title}: {answer}")
        chain.say(answer)

    def answer_to_lie(self, chain, cut, memory_lies):
        guest = chain.boot()
        try:
            guest.wait_until_up()
            guest.wait_for_log("state: ready", 120)
        except (GuestEnded, Late) as ended:
            return self.refusal(guest, ended)
        warnings = re.findall(r"(?:warning|error) (card: .*)|notice (found .*)", guest.log())
        ended = guest.end()
        if ended[0] != 0:
            self.problems.append(f"{guest.results}: the recorder ended with {ended[0]}")
        verdicts, instead = chain.verify(guest.results)
        told = {verdict["recording"]: verdict for verdict in verdicts}
        # The recording that is missing is named by its number, in words of the start or of a verdict.
        words = guest.log() + instead + json.dumps(verdicts)
        answers = []
        for number, id in enumerate(cut.opened, 1):
            headline = told[id]["headline"] if id in told else "not on the card"
            answers.append(headline)
            if headline == "VERIFIED" and id not in cut.closed:
                self.problems.append(f"{chain.directory}: {id} was never closed and is VERIFIED")
            if headline == "not on the card" and id not in words and not re.search(rf"recording,? {number}\b", words):
                answers[-1] += ", and nothing names it"
                if not memory_lies:
                    self.problems.append(f"{chain.directory}: {id} is gone, and nobody says so")
            if headline == "VERIFIED_TO" and id in cut.closed and not memory_lies:
                self.problems.append(f"{chain.directory}: the camera knew that {id} was closed: {told[id]['sentence']}")
        said = "; ".join(a or b for a, b in warnings) or "nothing"
        return f"recordings: {', '.join(answers)}; {chain.newest_check()}; the start said: {said}"

    def refusal(self, guest, ended):
        """The boot did not come to a recorder that is ready: that is an answer if it is said in words."""
        if isinstance(ended, Late):
            status = guest.ended
            log = guest.log()
            if status is None:
                guest.kill()
                self.problems.append(f"{guest.results}: {ended}")
                return "neither ready nor refused"
            guest.wait_for_end()
            if status not in REFUSALS or "Fatal error" in log:
                self.problems.append(f"{guest.results}: the recorder ended with {status}: {log[-400:]}")
                return f"ended with {status}"
            return f"refused to start ({status}): {log.strip().splitlines()[-1]}"
        guest.wait_for_end()
        if ended.status == FILE_SYSTEM_LOST:
            return "said so: " + next(line for line in guest.words("console.log").split("\n") if "cannot be mounted" in line)
        self.problems.append(f"{guest.results}: {ended}")
        return f"the guest ended with {ended.status}"

    # --- All -------------------------------------------------------------------------------------------------------

    def run(self):
        file_systems = self.options.file_system
        for number, file_system in enumerate(file_systems):
            left = self.options.cuts // len(file_systems) + (number < self.options.cuts % len(file_systems))
            chains = 0
            while left > 0:
                self.attempt(file_system, chains, lambda chain: self.run_chain(chain, min(left, CUTS_PER_CARD)))
                left -= CUTS_PER_CARD
                chains += 1
            for lie in range(self.options.lies):
                self.attempt(file_system, f"lie{lie}", lambda chain: self.run_liar(chain, lie % 2 == 1))

    def attempt(self, file_system, number, body):
        """What cannot be tried to its end proves nothing, and is a problem; the next card is tried all the same."""
        try:
            body(Chain(self, file_system, number))
        except Exception as error:
            self.problems.append(f"{file_system} {number}: {error!r}")
            self.stop_guest()

    def stop_guest(self):
        if self.guest:
            self.guest.kill()

    def report(self):
        phases = collections.Counter(cut.phase for cut in self.cuts)
        print(f"{len(self.cuts)} power cuts with seed {self.options.seed}: "
              + ", ".join(f"{count} while {phase}" for phase, count in phases.most_common()))
        print("recordings: " + ", ".join(f"{count} {word}" for word, count in self.headlines.most_common()))
        shown = [cut for cut in self.cuts if cut.loss is not None]
        if shown:
            self.report_losses(shown)
        elif self.cuts:
            self.problems.append("no cut came while recording was shown: nothing was proven")
        for lie in self.lies:
            print(f"a card that ignores FLUSH: {lie}")
        for problem in self.problems:
            print(f"FAILED: {problem}")

    def report_losses(self, cuts):
        print(f"seconds lost of what was shown as recorded ({len(cuts)} cuts):")
        bins = collections.Counter(int(cut.loss * 10) for cut in cuts)
        for step in range(0, max(bins) + 1):
            bar = "#" * round(50 * bins[step] / max(bins.values()))
            print(f"  {step / 10:.1f}-{(step + 1) / 10:.1f} s {bins[step]:5d} {bar}")
        way = max(cut.way for cut in cuts)
        worst = max(cuts, key=lambda cut: cut.loss)
        nearest = max(cuts, key=lambda cut: cut.loss - cut.flushes - cut.lateness)
        for what, cut in (("worst", worst), ("nearest to its bound", nearest)):
            print(f"  {what}: {cut.loss:.3f} s; allowed {INTERVAL + way + cut.flushes + cut.lateness:.3f} s = {INTERVAL} s "
                  f"interval + {way:.3f} s picture to flush + {cut.flushes:.3f} s flushes + {cut.lateness:.3f} s late guest")
        for cut in cuts:
            bound = INTERVAL + way + cut.flushes + cut.lateness
            if cut.state != "at risk" and cut.loss > bound:
                self.problems.append(f"{cut.loss:.3f} s of {cut.name} were lost, {bound:.3f} s are allowed ({cut.results})")
        print(f"  the moment of a cut is known to {1_000 * max(cut.latest - cut.earliest for cut in cuts):.0f} ms of the "
              "guest's clock; the latest is taken")
        over = [cut for cut in cuts if cut.loss > 1.0]
        print(f"  above 1.0 s: {len(over)} of {len(cuts)}")
        for cut in over:
            print(f"    {cut.loss:.3f} s while {cut.state}: {', '.join(cut.causes) or 'no flush'}")


def flush_range(text):
    low, high = (float(part) for part in text.split(","))
    if not 0 <= low <= high:
        raise ValueError
    return low, high


def file_systems(text):
    names = text.split(",")
    if not all(name in MAKE for name in names):
        raise argparse.ArgumentTypeError(f"known are {', '.join(MAKE)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=32, help="how many, over all file systems (32); 20 to 40 s each")
    parser.add_argument("--file-system", type=file_systems, default=list(MAKE), help="of both disks (ext4,f2fs)")
    parser.add_argument("--lies", type=int, default=2, help="cards that ignore FLUSH, for each file system (2)")
    parser.add_argument("--flush-ms", type=flush_range, default=(2, 40), metavar="LOW,HIGH",
                        help="what a card takes for a FLUSH (2,40)")
    parser.add_argument("--seed", type=int, default=1, help="of instants and of what the cards keep (1)")
    parser.add_argument("--bin", type=pathlib.Path, default=os.environ.get("LAPEL_BIN", ROOT / ".build/release"),
                        help="where lapel and lapel-dock are ($LAPEL_BIN, or .build/release)")
    parser.add_argument("--directory", help="where disks and logs are put; kept afterwards (default: a temporary one)")
    options = parser.parse_args()
    binaries = pathlib.Path(options.bin).resolve()
    for name in ("lapel", "lapel-dock"):
        if not os.access(binaries / name, os.X_OK):
            print(f"no program {binaries / name}: build first (swift build -c release), or give --bin", file=sys.stderr)
            return 2
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    prepared = subprocess.run([ROOT / "Tests/Lab/run", "--prepare"]).returncode
    if prepared != 0:
        return 77 if prepared == 77 else 2
    directory = options.directory or tempfile.mkdtemp(prefix="lapel-cuts-")
    os.makedirs(directory, exist_ok=True)
    campaign = Campaign(options, binaries, directory)
    try:
        campaign.run()
    except KeyboardInterrupt:
        campaign.problems.append("interrupted before its end")
    finally:
        campaign.stop_guest()
    campaign.report()
    if campaign.problems:
        print(f"disks, stores and logs are kept in {directory}")
        return 1
    if not options.directory:
        shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
