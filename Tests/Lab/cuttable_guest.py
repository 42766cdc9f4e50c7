"""A guest of the lab whose disks can lose their power: boots a job on NBD cards, talks to its guest_agent.py, keeps the
guest's clock against this machine's, and cuts the power at a moment of the guest's clock."""
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

LAB = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(LAB))
from nbd_card import Card, CardServer, cut_together  # noqa: E402

# A guest that says nothing for so long, on a machine however busy, is dead.
SILENCE_SECONDS = 600


class GuestEnded(Exception):
    """The job or the guest came to its end; `status` is that of Tests/Lab/run."""

    def __init__(self, status, console):
        super().__init__(f"the guest ended with {status}: {console}")
        self.status = status


class Late(Exception):
    """Something did not happen within its time by the guest's clock."""


class CuttableGuest:
    """One boot. Times that are called guest time are CLOCK_BOOTTIME of the guest, in seconds."""

    def __init__(self, job, arguments, cards, results, binaries, flush_seconds):
        """cards: Card of each disk, /dev/vda and on. They belong to the guest from here on."""
        self.results = pathlib.Path(results)
        shutil.rmtree(self.results, ignore_errors=True)
        self.results.mkdir(parents=True)
        self.cards = cards
        # Socket names are short by nature.
        self.sockets = tempfile.mkdtemp(prefix="lapel-cut-")
        self.servers = [
            CardServer(card, f"{self.sockets}/disk{number}", flush_seconds) for number, card in enumerate(cards)]
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.sockets}/agent")
        self.listener.listen(1)
        command = [LAB / "run", job, *arguments, "--results", self.results, "--timeout", "3600",
                   "--serial", f"unix:{self.sockets}/agent"]
        for number in range(len(cards)):
            command += ["--drive", f"driver=raw,file.driver=nbd,file.path={self.sockets}/disk{number},cache=writeback"]
        self.output = open(self.results / "lab.txt", "wb")
        # In a session of its own: an interrupt is for the campaign, which ends its guest itself.
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, start_new_session=True,
            env={"LAPEL_LAB_NICE": "0", **os.environ, "LAPEL_BIN": str(binaries)})
        self.agent = None
        self.received = b""
        # What the recorder's process ended with, once it did.
        self.ended = None
        # (this machine's clock before the question, after the answer; both minus the answer), newest last.
        self.offsets = []

    # --- Talking ---------------------------------------------------------------------------------------------------

    def line(self):
        """The agent's next line."""
        silent_since = time.monotonic()
        while b"\n" not in self.received:
            ready, _, _ = select.select([self.agent or self.listener], [], [], 0.5)
            if ready and not self.agent:
                self.agent, _ = self.listener.accept()
            elif ready:
                self.received += self.agent.recv(4_096)
            if self.process.poll() is not None and b"\n" not in self.received:
                raise GuestEnded(self.process.returncode, self.last_words())
            if time.monotonic() - silent_since > SILENCE_SECONDS:
                raise Late(f"the guest has said nothing for {SILENCE_SECONDS} s: {self.last_words()}")
        line, self.received = self.received.split(b"\n", 1)
        return line.decode(errors="replace").strip("\r")

    def answer(self, word):
        while True:
            first, _, rest = self.line().partition(" ")
            if first == "ended":
                self.ended = int(rest)
            if first == word:
                return rest
            if self.ended is not None:
                raise Late(f"the recorder has ended with {self.ended} before it was asked to '{word}'")

    def wait_until_up(self):
        """Until the recorder's process was started."""
        self.answer("up")
        return self.now()

    def ask(self, request):
        """A request to the recorder; its answer's first line, and the guest time of it."""
        self.agent.sendall(f"ask {request}\n".encode())
        return self.answer("ask"), self.now()

    def now(self):
        """Guest time: asked, and kept for `guest_time`."""
        before = time.monotonic()
        self.agent.sendall(b"now\n")
        guest = int(self.answer("now")) / 1e9
        after = time.monotonic()
        self.offsets.append((before - guest, after - guest, after))
        # The two clocks' rates differ by a little: only what is recent counts.
        self.offsets = [each for each in self.offsets if after - each[2] < 3]
        return guest

    def guest_time(self, moment):
        """The earliest and latest guest time that a moment of this machine's clock can have been."""
        return moment - min(each[1] for each in self.offsets), moment - max(each[0] for each in self.offsets)

    def lateness(self):
        """The longest that the guest took for an answer lately, in seconds: how far its processors were kept from it."""
        return max(each[1] - each[0] for each in self.offsets)

    def end(self):
        """The recorder is told to end, and the job goes on to its own end. Returns what each ended with."""
        self.agent.sendall(b"end\n")
        self.answer("ended")
        return self.wait_for_end()

    def wait_for_end(self):
        while self.process.poll() is None:
            time.sleep(0.1)
        self.clean_up()
        return self.ended, self.process.returncode

    # --- Waiting ---------------------------------------------------------------------------------------------------

    def log(self):
        """What the recorder has said so far."""
        return self.words("run.log")

    def words(self, name):
        """A file of the results; empty if it is not there."""
        try:
            return (self.results / name).read_text(errors="replace")
        except OSError:
            return ""

    def wait_for_log(self, text, seconds, count=1):
        """Until the recorder has said it so many times; `seconds` are the guest's."""
        latest = self.now() + seconds
        while self.log().count(text) < count:
            time.sleep(0.1)
            if self.now() > latest:
                raise Late(f"no '{text}' within {seconds} s of the guest's clock: {self.log()[-600:]}")

    def sleep_until(self, guest_time):
        while (left := guest_time - self.now()) > 0.15:
            time.sleep(min(0.1, left - 0.1))
        # The newest question says best where the clocks stand.
        time.sleep(max(0, guest_time - self.guest_time(time.monotonic())[1]))

    def wait_for_flush(self, disk, seconds):
        """Until the disk is in the middle of a flush, if it comes to one within `seconds` of this machine's clock."""
        self.servers[disk].is_flushing.wait(seconds)

    # --- The end ---------------------------------------------------------------------------------------------------

    def cut(self):
        """The power of all disks goes now, and QEMU with it. Returns the earliest and latest guest time of it, what the
        recorder had said, and what became of the blocks in the cards' caches, in words."""
        at = cut_together(self.cards)
        said = self.log()
        fates = [card.settle(at) for card in self.cards]
        moment = self.guest_time(at)
        self.kill()
        return moment, said, fates

    def kill(self):
        """Ends the guest, whatever it is at; nothing to do for one that has ended."""
        self.process.terminate()
        # QEMU waits for answers of its disks until they hang up.
        time.sleep(0.3)
        self.clean_up()
        self.process.wait()

    def clean_up(self):
        if not os.path.exists(self.sockets):
            return
        for server in self.servers:
            server.close()
        for card in self.cards:
            card.close()
        for end in (self.agent, self.listener):
            if end:
                end.close()
        self.output.close()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def last_words(self):
        return (self.words("lab.txt") or self.words("console.log") or "nothing was said").strip()[-400:]
