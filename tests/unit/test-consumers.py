#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
i4d under a crowd that means it no good

    test-consumers.py I4D I4 STRESS [READERS CONSUMERS SECONDS]

Starts i4d at 10,000 readings a second with fewer places than there are consumers, lets STRESS (stress-consumers.c)
loose on it, and looks at what that cost the daemon: readings that were given up or not stored, memory, descriptors.
When the crowd is gone, all that it took must be given back. Prints what happened, as JSON.
"""

import functools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import waiting  # pylint: disable=wrong-import-position

WAIT_S = 60
wait_for = functools.partial(waiting.wait_for, WAIT_S)
I4D, I4, STRESS = sys.argv[1:4]
READERS, CONSUMERS, SECONDS = [int(word) for word in sys.argv[4:7]] or (8, 64, 3)
# Readers have places all the time; of the consumers that ask for one, not all can have it.
PLACES = READERS + max(CONSUMERS // 8, 2)
# Observers and connections that have not said who they are, at most (publisher.h).
UNSEATED = 64 + 64
RATE = 10000
# What a reader that is left alone may be late by, six seconds, and a victim has to be, to lose something.
RECORDS = 65536
# What a connection may cost in memory, and what an allocator may keep of what is given back: a sanitizer's all of it.
CONNECTION_BYTES = 4096
KEPT_BYTES = 4 << 20 if os.environ.get("I4_SANITIZER", "none") == "none" else float("inf")


class Daemon:
    def __init__(self, directory):
        self.socket = os.path.join(directory, "ring.sock")
        self.live = os.path.join(directory, "readings", "readings.jsonl")
        self.log_path = os.path.join(directory, "log")
        config = os.path.join(directory, "i4d.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[Generator]\nRate={RATE}\n[Ring]\nRecords={RECORDS}\nMaxReaders={PLACES}\n[Storage]\nMaxUse=1G\n")
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [I4D, "--config", config, "--socket", self.socket, "--directory", os.path.join(directory, "readings")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"i4d ended with {self.process.returncode}:\n{self.log()[-4000:]}")

    def log(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def wait_ready(self):
        """And until it has all that it holds open: READY does not wait for the file."""
        wait_for("Ready", lambda: self.alive() or "Ready:" in self.log())
        wait_for("the first lines", lambda: self.alive() or (os.path.exists(self.live) and os.path.getsize(self.live) > 0))

    # The last of the looks is over when it is counted: it comes and goes like any connection.
    def stat(self):
        output = subprocess.run([I4, "stat", "--json", "--socket", self.socket],
                                stdout=subprocess.PIPE, check=True).stdout
        return json.loads(output)

    def memory(self):
        """Its own, in bytes: without the ring, which has one size, and without files."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"RssAnon:\s*(\d+) kB", status.read())[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def watch(daemon, crowd):
    """The most that the daemon had, of either."""
    memory = descriptors = 0
    while crowd.poll() is None:
        daemon.alive()
        memory, descriptors = max(memory, daemon.memory()), max(descriptors, daemon.descriptors())
        time.sleep(0.05)
    return memory, descriptors


def check(what, value, least=0, most=float("inf")):
    if not least <= value <= most:
        raise AssertionError(f"{what} is {value}, not within {least} and {most}")
    return value


def run(daemon):
    before = daemon.descriptors(), daemon.memory()
    with subprocess.Popen([STRESS, daemon.socket, str(READERS), str(CONSUMERS), str(SECONDS)],
                          stdout=subprocess.PIPE, text=True, start_new_session=True) as crowd:
        try:
            memory, descriptors = watch(daemon, crowd)
            happened = json.loads(crowd.stdout.read())
        finally:
            crowd.kill()
    print(json.dumps(happened), file=sys.stderr)
    check("exit status of the crowd", crowd.returncode, most=0)
    check("connections that were refused for want of a place", happened["no_place"], least=1)
    check("readings that victims were told they lost", happened["told_lost"], least=1)

    wait_for("what the crowd held is given back", lambda: daemon.alive() or daemon.descriptors() <= before[0])
    wait_for("the producer is on time", lambda: daemon.stat()["generator"]["behind_records"] < RATE // 100)
    stat = daemon.stat()
    check("connections that were refused for whatever reason", stat["readers"]["refused"], least=happened["no_place"] + 1)
    check("readings given up", stat["generator"]["skipped_records"], most=0)
    check("readings not stored", stat["storage"]["dropped_records"], most=0)
    check("readers left", stat["readers"]["attached"], most=0)
    check("descriptors at most", descriptors, most=before[0] + PLACES + UNSEATED + 4)
    check("memory at most", memory, most=before[1] + KEPT_BYTES + (PLACES + UNSEATED) * CONNECTION_BYTES)
    check("memory after", daemon.memory(), most=before[1] + KEPT_BYTES)
    happened.update(places=PLACES, descriptors_before=before[0], descriptors_most=descriptors,
                    descriptors_after=daemon.descriptors(), memory_before=before[1], memory_most=memory,
                    memory_after=daemon.memory(), readings=stat["generator"]["achieved_records"],
                    behind_max_ms=stat["generator"]["behind_max_records"] * 1000 / RATE,
                    skipped=stat["generator"]["skipped_records"], dropped=stat["storage"]["dropped_records"])
    return happened


def check_refusal(daemon):
    """Who finds no place is told what to do."""
    places = []
    for _ in range(PLACES):
        place = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        places.append(place)
        place.settimeout(WAIT_S)
        place.connect(daemon.socket)
        place.send(b'{"hello":{"name":"place","version":"0","observer":false}}')
        check("answer's length", len(place.recv(4096)), least=1)
    tail = subprocess.run([I4, "tail", "-n", "1", "--socket", daemon.socket], stderr=subprocess.PIPE, text=True,
                          check=False)
    check("exit status of i4 tail", tail.returncode, least=1, most=1)
    check("advice", tail.stderr.count("no place for another reader; raise MaxReaders= in i4d.conf(5)"), least=1)
    for place in places:
        place.close()


def main():
    with tempfile.TemporaryDirectory(prefix="i4-consumers-") as directory:
        daemon = Daemon(directory)
        try:
            daemon.wait_ready()
            happened = run(daemon)
            check_refusal(daemon)
            daemon.process.send_signal(signal.SIGTERM)
            check("exit status of i4d", daemon.process.wait(WAIT_S), most=0)
            print(json.dumps(happened, indent=2))
        finally:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()


if __name__ == "__main__":
    main()
