#!/usr/bin/env python3
"""In the guest: runs a recorder and does what the host says over the second serial port, one line each way.

    guest_agent.py CONTROL_SOCKET PROGRAM ARGUMENT…      (the program's output is the agent's)

    agent   up <pid>                   the program runs
    host    now                        agent   now <CLOCK_BOOTTIME in ns>: between question and answer on the host's clock
    host    ask <request>              agent   ask <first line of the recorder's answer, or why there is none>
    host    end                        SIGTERM to the program
    agent   ended <exit status, negative for a signal>, and it ends with status 0
"""
import os
import select
import signal
import socket
import sys
import time
import tty

PORT = "/dev/ttyS1"


def ask(path, request):
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(path)
            connection.sendall(request + b"\n")
            return connection.recv(65_536).split(b"\n")[0].decode()
    except OSError as error:
        return f"no answer: {error}"


def main():
    control, program = sys.argv[1], sys.argv[2:]
    port = os.open(PORT, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    process = os.posix_spawn(program[0], program, os.environ)
    ending = os.pidfd_open(process)
    # The answer to "now" is as exact as it is prompt.
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))

    def say(text):
        os.write(port, f"{text}\n".encode())

    say(f"up {process}")
    received = b""
    while True:
        ready, _, _ = select.select([port, ending], [], [])
        if ending in ready:
            _, status = os.waitpid(process, 0)
            say(f"ended {os.waitstatus_to_exitcode(status)}")
            return
        received += os.read(port, 4_096)
        while b"\n" in received:
            line, received = received.split(b"\n", 1)
            word, _, rest = line.partition(b" ")
            if word == b"now":
                say(f"now {time.clock_gettime_ns(time.CLOCK_BOOTTIME)}")
            elif word == b"ask":
                say(f"ask {ask(control, rest)}")
            elif word == b"end":
                os.kill(process, signal.SIGTERM)


if __name__ == "__main__":
    main()
