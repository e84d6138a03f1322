#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Long life in a short time: nothing grows

    test-soak.py I4D I4 COUNT-ALLOCATIONS

The daemon makes readings as fast as the disk takes them, seals a file for every two thousand of them, and deletes old
ones; readers come and go. Its allocations, descriptors, mappings and private memory are counted when it has warmed up,
and again when it has made $I4_SOAK_READINGS more (300,000): nothing may have grown. 36,000,000 are an hour at 10,000 a
second.
"""

import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

I4D, I4, COUNT = sys.argv[1:4]
READINGS = int(os.environ.get("I4_SOAK_READINGS", "300000"))
WARM_UP = 300000
READERS_EVERY = 50000
# A page cache of the allocator's own may settle late.
PRIVATE_SLACK_KIB = 256

SETTINGS = """
[Generator]
Rate=max
[Ring]
Records=65536
[Storage]
MaxFileSize=512K
MaxUse=16M
KeepFree=0
[Stats]
IntervalSec=1
"""


def fail(text):
    sys.exit(f"test-soak: {text}")


class Soak:
    def __init__(self, directory):
        self.directory = directory
        self.socket = os.path.join(directory, "ring.sock")
        config = os.path.join(directory, "i4d.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(SETTINGS)
        path = os.path.join(directory, "allocations")
        with open(path, "w+b") as file:
            file.truncate(mmap.PAGESIZE)
            self.counts = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("NOTIFY", "LISTEN", "WATCHDOG"))}
        environment |= {"LD_PRELOAD": COUNT, "I4_ALLOCATIONS": path}
        self.log = open(os.path.join(directory, "log"), "w+b")
        self.process = subprocess.Popen([I4D, "--config", config, "--directory", os.path.join(directory, "readings"),
                                         "--socket", self.socket], env=environment, stdout=self.log, stderr=self.log)

    def stat(self):
        process = subprocess.run([I4, "stat", "--json", "--socket", self.socket], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, check=False)
        return json.loads(process.stdout) if process.returncode == 0 else None

    def wait_for(self, n_stored):
        deadline, last = time.monotonic() + 60, 0
        while True:
            if self.process.poll() is not None:
                self.log.seek(0)
                fail(f"i4d has ended: {self.log.read().decode()}")
            stat = self.stat()
            if stat and stat["storage"]["written_records"] >= n_stored:
                return stat
            if stat and stat["storage"]["written_records"] > last:
                deadline, last = time.monotonic() + 60, stat["storage"]["written_records"]
            if time.monotonic() > deadline:
                fail(f"nothing was stored for a minute, {last} readings in all")
            time.sleep(0.05)

    def run(self, begin, end):
        for n in range(begin, end, READERS_EVERY):
            self.wait_for(min(n + READERS_EVERY, end))
            subprocess.run([I4, "tail", "--socket", self.socket, "-n", "10"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)

    def count(self, before=None):
        """
        At rest but for its work: of what comes and goes, the least that is there within a second, or, where there were
        fewer threads @before, within ten. The kernel keeps a worker of io_uring that it needs no more for five.
        """
        proc = f"/proc/{self.process.pid}"
        least = None
        begin = time.monotonic()
        while not least or time.monotonic() - begin < (10 if before and least["threads"] > before["threads"] else 1):
            with open(proc + "/status", encoding="utf-8") as file:
                private = next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))
            with open(proc + "/maps", encoding="utf-8") as file:
                mappings = sum(1 for _ in file)
            n, size, ever = struct.unpack_from("=3q", self.counts)
            now = {"allocations": n, "bytes": size, "descriptors": len(os.listdir(proc + "/fd")), "mappings": mappings,
                   "threads": len(os.listdir(proc + "/task")), "private KiB": private}
            least = {k: min(v, least[k]) for k, v in now.items()} if least else now
            time.sleep(0.02)
        return least, ever


def main():
    with tempfile.TemporaryDirectory() as directory:
        soak = Soak(directory)
        try:
            soak.run(0, WARM_UP)
            before, ever_before = soak.count()
            begin = time.monotonic()
            soak.run(WARM_UP, WARM_UP + READINGS)
            elapsed = time.monotonic() - begin
            after, ever_after = soak.count(before)
            stat = soak.stat()
        finally:
            soak.process.send_signal(signal.SIGTERM)
            status = soak.process.wait(60)
    if status != 0:
        fail(f"i4d has ended with status {status}")

    print(f"{READINGS} readings in {elapsed:.0f} s, {ever_after - ever_before} allocations made meanwhile, "
          f"{stat['storage']['dropped_records']} readings dropped, {stat['storage']['errors']} errors")
    grown = []
    for key, value in before.items():
        slack = PRIVATE_SLACK_KIB if key == "private KiB" else 0
        print(f"{key}: {value} before, {after[key]} after")
        if after[key] > value + slack:
            grown.append(key)
    if grown:
        fail("grown: " + ", ".join(grown))


main()
