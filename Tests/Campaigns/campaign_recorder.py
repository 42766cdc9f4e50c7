"""One recorder of a campaign: its store, its keys, its process, and what it says of itself."""
import json
import pathlib
import re
import signal
import socket
import subprocess
import time

LAST_CKPT = re.compile(rb"^LAPEL1 CKPT n=\d+ (.*) p=\S+ s=\S+$")


def boottime():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Failure(Exception):
    pass


class Recorder:
    """One camera: its store, its keys, and its process while one runs."""

    def __init__(self, directory, binaries, configuration):
        self.directory, self.bin = directory, binaries
        self.configuration = f"{directory}/lapel.toml"
        self.process = None
        # Ids of all recordings that a status named while "recording" was shown.
        self.shown = set()
        pathlib.Path(self.configuration).write_text(configuration.format(directory))
        for command in (
            ["lapel-dock", "keygen", f"{directory}/agency", "--demo"],
            ["lapel", "enroll", "--config", self.configuration, "--agency", f"{directory}/agency/public"],
            ["lapel-dock", "enroll", f"{directory}/identity/request.note", "--keys", f"{directory}/agency", "-o",
             f"{directory}/enrol.note"],
            ["lapel", "enroll", "--config", self.configuration, "--note", f"{directory}/enrol.note"],
        ):
            done = subprocess.run([self.bin / command[0], *command[1:]], capture_output=True, text=True)
            if done.returncode != 0:
                raise Failure(f"{' '.join(command)}: {done.stderr}")

    def start(self):
        self.log = open(f"{self.directory}/run.log", "ab")
        self.process = subprocess.Popen(
            [self.bin / "lapel", "run", "--config", self.configuration], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)

    def ask(self, line):
        """The reply's first line and body; None when nobody answers."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(10)
                connection.connect(f"{self.directory}/control.sock")
                connection.sendall(line.encode() + b"\n")
                reply = b""
                while not reply.endswith(b"\n\n") and reply != b"\n":
                    piece = connection.recv(65_536)
                    if not piece:
                        return None
                    reply += piece
                return reply.decode()
        except OSError:
            return None

    def state(self):
        reply = self.ask("status format=json")
        if not reply or not reply.startswith("OK"):
            return None
        status = json.loads("".join(reply.splitlines()[1:]))
        if status["state"] == "recording":
            self.shown.add(status["recording"]["id"])
        return status["state"]

    def wait_for(self, *states, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.state()
            if state in states:
                return state
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise Failure(f"{self.directory}: not {' or '.join(states)} but {self.state()}: see run.log")

    def kill(self):
        """What was shown directly before the kill, and the time directly after it."""
        state = self.state()
        self.process.send_signal(signal.SIGKILL)
        at = boottime()
        self.process.wait()
        self.log.close()
        return state, at

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        if code != 0:
            raise Failure(f"{self.directory}: the recorder ended with {code}: see run.log")

    def attested_end(self):
        """CLOCK_BOOTTIME of the newest media that the newest journal attests."""
        recordings = sorted(pathlib.Path(f"{self.directory}/store/recordings").iterdir())
        for line in reversed((recordings[-1] / "journal.log").read_bytes().split(b"\n")[:-1]):
            found = LAST_CKPT.match(line)
            if found:
                fields = dict(field.split(b"=", 1) for field in found.group(1).split(b" "))
                return int(fields[b"mono"]) / 1e9 - int(fields[b"lag"]) / 1e3
        return None

    def verify(self):
        done = subprocess.run(
            [self.bin / "lapel-dock", "verify", f"{self.directory}/store", "--agency",
             f"{self.directory}/agency/public", "--json"], capture_output=True, text=True)
        if not done.stdout.startswith("["):
            raise Failure(f"lapel-dock verify: {done.stderr}")
        return json.loads(done.stdout)
