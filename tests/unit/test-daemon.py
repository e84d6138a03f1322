#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The real i4d from start to end

    test-daemon.py I4D I4 SENSOR-GEN I4D-NEXT SHIFT-CLOCKS LIBI4 LIBI4-NEXT [CASE…]

$I4_KILLS says how often a daemon is killed whose readings are made again; $I4_RESTARTS how often one is restarted whose
ring is full, and how long that took is printed.

Each case runs the daemon in a directory of its own, as a person does by hand or as systemd does: then this
script is systemd, as far as the daemon can tell. It keeps the descriptors that it is sent, hands them to the
next process, and takes down what it is notified of. Whatever is waited for is a condition, never a time.
"""

import array
import fcntl
import functools
import json
import mmap
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from datetime import datetime, timedelta

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import waiting  # pylint: disable=wrong-import-position

WAIT_S = 30
wait_for = functools.partial(waiting.wait_for, WAIT_S)
I4D, I4, SENSOR_GEN, I4D_NEXT, SHIFT_CLOCKS, LIBI4, LIBI4_NEXT = sys.argv[1:8]
KILLS = int(os.environ.get("I4_KILLS", "4"))


def is_same(a, b):
    """As systemd compares: the same file, opened for the same."""
    return os.path.sameopenfile(a, b) and fcntl.fcntl(a, fcntl.F_GETFL) == fcntl.fcntl(b, fcntl.F_GETFL)


class Systemd:
    """What a service sees of it: a socket for notifications, a store of descriptors."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.store = []  # (name, fd), in the order of arrival
        self.notes = []

    def close(self):
        self.socket.close()
        for _, fd in self.store:
            os.close(fd)

    def receive(self):
        while True:
            try:
                text, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
            except BlockingIOError:
                return
            fds = array.array("i")
            for _, _, data in ancillary:
                fds.frombytes(data)
            self.take(dict(line.split("=", 1) for line in text.decode().splitlines()), list(fds))

    def take(self, note, fds):
        if "FDSTOREREMOVE" in note:
            for name, fd in self.store:
                if name == note["FDNAME"]:
                    os.close(fd)
            self.store = [kept for kept in self.store if kept[0] != note["FDNAME"]]
        for fd in fds:
            if any(is_same(fd, kept) for _, kept in self.store):
                os.close(fd)
            else:
                self.store.append((note["FDNAME"], fd))
        self.notes.append(note)

    def wait_ready(self, daemon=None):
        """Until READY has come, without a moment's delay."""
        deadline = time.monotonic() + WAIT_S
        while not self.has("READY", "1"):
            if daemon:
                daemon.alive()
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {WAIT_S} s in vain: READY")
            select.select([self.socket], [], [], 1)

    def has(self, key, value=None):
        self.receive()
        return any(key in note and value in (None, note[key]) for note in self.notes)


class Clocks:
    """Those of the programs that are started with its environment; see shift-clocks.c."""

    PAIR = struct.Struct("qq")

    def __init__(self, directory):
        path = os.path.join(directory, "clocks")
        with open(path, "w+b") as file:
            file.truncate(mmap.PAGESIZE)
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.current, self.real_s, self.boot_s = 0, 0, 0
        self.environment = {"LD_PRELOAD": SHIFT_CLOCKS, "I4_CLOCKS": path,
                            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def set(self, real_s, boot_s=0):
        """By so much, forwards or back."""
        self.real_s += real_s
        self.boot_s += boot_s
        self.current += 1
        self.PAIR.pack_into(self.memory, 8 + self.current * self.PAIR.size,
                            *(int(seconds * 10**9) for seconds in (self.real_s, self.boot_s)))
        # eight aligned bytes: at once
        struct.pack_into("Q", self.memory, 0, self.current)


class Daemon:
    def __init__(self, directory, settings="", systemd=None, options=(), cpu=None, watchdog_s=None, file_size=None,
                 activated=None, program=I4D, clocks=None):
        self.directory = os.path.join(directory, "readings")
        self.live = os.path.join(self.directory, "readings.jsonl")
        self.socket = activated or os.path.join(directory, "ring.sock")
        self.config = os.path.join(directory, "i4d.conf")
        self.log_path = os.path.join(directory, "log")
        self.cpu, self.systemd, self.file_size = cpu, systemd, file_size
        self.settings(settings)

        environment = {k: v for k, v in os.environ.items() if not k.startswith(("NOTIFY", "LISTEN", "WATCHDOG"))}
        environment.update(clocks.environment if clocks else {})
        self.environment = environment
        names, fds = [], []
        if systemd:
            systemd.notes.clear()
            environment["NOTIFY_SOCKET"] = systemd.path
            names, fds = [n for n, _ in systemd.store], [fd for _, fd in systemd.store]
        if watchdog_s:
            environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        if fds:
            environment["LISTEN_FDS"] = str(len(fds))
            environment["LISTEN_FDNAMES"] = ":".join(names)

        self.high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in fds]
        command = [program, "--config", self.config, "--directory", self.directory]
        if not activated:
            command += ["--socket", self.socket]
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.log_begin = log.tell()
            # $$ is the process that becomes the daemon
            self.process = subprocess.Popen(
                ["sh", "-c", 'LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$@"', "sh", *command, *options],
                env=environment, stderr=log, stdout=log, stdin=subprocess.DEVNULL,
                preexec_fn=self.prepare, pass_fds=range(3, 3 + len(fds)))
        for fd in self.high:
            os.close(fd)

    def prepare(self):
        for i, fd in enumerate(self.high):
            os.dup2(fd, 3 + i)
        if self.cpu is not None:
            os.sched_setaffinity(0, {self.cpu})
        if self.file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_size, self.file_size))

    def settings(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def log(self):
        with open(self.log_path, encoding="utf-8") as log:
            log.seek(self.log_begin)
            return log.read()

    def logged(self, pattern):
        return re.search(pattern, self.log())

    def alive(self):
        if self.systemd:
            # Where nobody takes its notifications it waits for somebody to.
            self.systemd.receive()
        if self.process.poll() is not None:
            raise AssertionError(f"i4d ended with {self.process.returncode}:\n{self.log()}")

    def wait_ready(self):
        wait_for("Ready", lambda: self.alive() or self.logged("Ready:"))
        return self

    def wait_logged(self, pattern):
        return wait_for(f"'{pattern}' in the log", lambda: self.alive() or self.logged(pattern))

    def stat(self):
        output = subprocess.run([I4, "stat", "--json", "--socket", self.socket], env=self.environment,
                                stdout=subprocess.PIPE, check=True).stdout
        return json.loads(output)

    def wait_stored(self, n):
        def has_stored():
            self.alive()
            try:
                return os.path.getsize(self.live) > n * 200
            except FileNotFoundError:
                return False
        wait_for(f"some {n} readings on disk", has_stored)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        wait_for("its end", lambda: (self.systemd and self.systemd.receive()) or self.process.poll() is not None)
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.end(signal.SIGKILL)


class Tools:
    """An i4 as it is installed, whose library can be replaced while it runs."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "installed", "bin", "i4")
        self.library = os.path.join(directory, "installed", "lib", "libi4.so.1")
        os.makedirs(os.path.dirname(self.path))
        os.makedirs(os.path.dirname(self.library))
        shutil.copy(I4, self.path)
        shutil.copy(LIBI4, self.library)

    def replace(self, library):
        shutil.copy(library, self.library + ".new")
        os.rename(self.library + ".new", self.library)

    def replace_slowly(self, library):
        """As a copy does it; the rest is left to who calls what this returns."""
        with open(library, "rb") as file:
            text = file.read()
        os.unlink(self.library)
        copy = open(self.library, "wb", buffering=0)  # pylint: disable=consider-using-with
        copy.write(text[:-1])

        def finish():
            copy.write(text[-1:])
            copy.close()

        return finish


class Case(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="i4-daemon-")
        self.directory = self.temporary.name
        self.daemons, self.processes = [], []

    def tearDown(self):
        for process in self.processes:
            process.kill()
            process.communicate()
        for daemon in self.daemons:
            daemon.kill()
        self.temporary.cleanup()

    def start(self, *args, **kwargs):
        daemon = Daemon(self.directory, *args, **kwargs)
        self.daemons.append(daemon)
        return daemon

    def systemd(self):
        systemd = Systemd(self.directory)
        self.addCleanup(systemd.close)
        return systemd

    def tail(self, daemon, *args, output=subprocess.PIPE):
        process = subprocess.Popen([I4, "tail", "--socket", daemon.socket, *args], env=daemon.environment,
                                   stdout=output, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def run_tool(self, tools, *words, **environment):
        environment = {**os.environ, "LD_LIBRARY_PATH": os.path.dirname(tools.library), **environment}
        process = subprocess.Popen([tools.path, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=environment)
        self.processes.append(process)
        return process

    def batched(self, directory):
        """The sequence numbers in batches, in the order of their names."""
        sequences = []
        for name in sorted(name for name in os.listdir(directory) if name.startswith("batch_")):
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                sequences += [record["seq"] for record in json.load(file)]
        return sequences

    def order(self, daemon, *words):
        return subprocess.run([I4, *words, "--socket", daemon.socket], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)

    def stored(self, daemon):
        with open(daemon.live, encoding="utf-8") as file:
            lines = file.readlines()
        for line in lines:
            self.assertEqual(line[-1], "\n", "a torn line")
        return [json.loads(line) for line in lines]

    def times(self, records):
        return [datetime.strptime(r["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ") for r in records]

    def assert_even(self, times, microseconds):
        step = timedelta(microseconds=microseconds)
        for a, b in zip(times, times[1:]):
            self.assertEqual(b - a, step)

    def assert_drained(self, daemon):
        """What it says it has made is on disk, to the last reading."""
        match = daemon.logged(r"Stopping after (\d+) readings, (\d+) of them not stored")
        self.assertTrue(match, daemon.log())
        self.assertEqual(match[2], "0")
        return int(match[1])


class ByHand(Case):
    def run_through(self, settings="", **kwargs):
        daemon = self.start(settings, **kwargs).wait_ready()
        self.assertEqual(os.stat(daemon.socket).st_mode & 0o7777, 0o660)
        daemon.wait_stored(2000)
        self.assertEqual(daemon.end(), 0, daemon.log())

        records = self.stored(daemon)
        self.assertEqual(len(records), self.assert_drained(daemon))
        self.assert_even(self.times(records), 100)
        self.assertFalse(os.path.exists(daemon.socket))
        return daemon

    def test_start_to_end(self):
        self.run_through()

    def test_one_core(self):
        self.run_through(cpu=min(os.sched_getaffinity(0)))

    def test_pwrite(self):
        daemon = self.run_through("[Storage]\nEngine=pwrite\n")
        self.assertTrue(daemon.logged("Storing through pwrite"), daemon.log())

    def test_appends(self):
        first = len(self.stored(self.run_through()))
        daemon = self.start().wait_ready()
        daemon.wait_stored(first + 2000)
        self.assertEqual(daemon.end(signal.SIGINT), 0)
        self.assertEqual(len(self.stored(daemon)), first + self.assert_drained(daemon))

    def test_no_storage(self):
        daemon = self.start("[Storage]\nEnabled=no\n").wait_ready()
        tail = self.tail(daemon, "-n", "1000")
        self.assertEqual(len(tail.communicate(timeout=WAIT_S)[0].splitlines()), 1000)
        self.assertEqual(daemon.end(), 0)
        self.assertFalse(os.path.exists(daemon.directory))

    # Flat out, nothing is dropped: the generator waits for the disk.
    # Who reads no more has read enough; a disk that is full is a failure.
    def test_output_closed(self):
        daemon = self.start().wait_ready()
        watch = subprocess.Popen([I4, "stat", "--watch", "--socket", daemon.socket], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.processes.append(watch)
        self.assertRegex(watch.stdout.readline(), "^i4d ")
        watch.stdout.close()
        self.assertEqual(watch.wait(WAIT_S), 0)
        self.assertEqual(watch.stderr.read(), "")
        with open("/dev/full", "wb") as full:
            once = subprocess.run([I4, "stat", "--socket", daemon.socket], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        self.assertEqual((once.returncode, once.stderr), (1, "i4 stat: No space left on device\n"))
        self.assertEqual(daemon.end(), 0)

    def test_free_running(self):
        daemon = self.start("[Generator]\nRate=max\n[Ring]\nRecords=4096\n[Storage]\nMaxUse=1G\n").wait_ready()
        daemon.wait_stored(100000)
        self.assertEqual(daemon.stat()["storage"]["dropped_records"], 0)
        self.assertEqual(daemon.end(), 0)
        made = self.assert_drained(daemon)

        lines = 0
        sealed = os.path.join(daemon.directory, "sealed")
        for path in [daemon.live, *(os.path.join(sealed, name) for name in os.listdir(sealed))]:
            with open(path, "rb") as file:
                lines += sum(1 for _ in file)
        self.assertEqual(lines, made)

    def test_reload(self):
        daemon = self.start().wait_ready()
        daemon.wait_stored(2000)

        # one a day: the next reload must not have to wait for it
        daemon.settings("[Generator]\nRate=1/d\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_logged("Anchor .rate change.*Rate=1/d")

        daemon.settings("[Generator]\nRate=ten\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_logged(r"i4d.conf:2: .*ten.*\n.*stay in force")

        daemon.settings("[Generator]\nRate=20000\n[Ring]\nRecords=1024\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_logged("Records= was changed and waits for a restart")
        daemon.wait_logged("Anchor .rate change.*Rate=20000")
        size = os.path.getsize(daemon.live)
        wait_for("readings at the new rate", lambda: os.path.getsize(daemon.live) > size + 2000 * 200)
        self.assertEqual(daemon.end(), 0)

        records = self.stored(daemon)
        self.assertEqual(len(records), self.assert_drained(daemon))
        times = self.times(records)
        steps = [round((b - a) / timedelta(microseconds=1)) for a, b in zip(times, times[1:])]
        odd = [step for step in steps if step not in (100, 50)]
        # one while it slept, before it heard of the rate it has now
        self.assertLessEqual(len(odd), 3)
        self.assertTrue(all(step >= 0 for step in steps))
        self.assertGreater(steps.count(50), 1000)

    def test_rotate(self):
        daemon = self.start().wait_ready()
        daemon.wait_stored(100)
        daemon.process.send_signal(signal.SIGUSR1)
        sealed = os.path.join(daemon.directory, "sealed")
        wait_for("a sealed file", lambda: os.listdir(sealed))
        self.assertEqual(daemon.end(), 0)

    # Where nobody makes it at a start, it is waited for, and nothing is missing.
    def test_directory_moved(self):
        place = os.path.join(self.directory, "place")
        os.mkdir(place)
        daemon = self.start(options=["--directory", os.path.join(place, "readings")]).wait_ready()
        daemon.live = os.path.join(place, "readings", "readings.jsonl")
        daemon.wait_stored(2000)
        os.rename(place, place + ".old")
        # looks at its files at once
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_logged("The directory of readings was removed, and i4d cannot make it again: No such file")
        self.assertEqual(daemon.stat()["storage"]["state"], "failed")
        os.mkdir(place)
        daemon.wait_logged("Readings are stored again")
        self.assertEqual(daemon.end(), 0)

        made = self.assert_drained(daemon)
        records = self.stored(daemon)
        self.assertLess(len(records), made)
        daemon.live = daemon.live.replace(place, place + ".old")
        records = self.stored(daemon) + records
        self.assertEqual(len(records), made)
        self.assert_even(self.times(records), 100)

    def test_order_rotate(self):
        daemon = self.start().wait_ready()
        self.assertEqual(os.stat(daemon.socket + ".control").st_mode & 0o7777, 0o600)
        daemon.wait_stored(100)
        self.assertEqual(self.order(daemon, "rotate").returncode, 0)
        wait_for("a sealed file", lambda: os.listdir(os.path.join(daemon.directory, "sealed")))
        self.assertEqual(daemon.end(), 0)
        self.assertFalse(os.path.exists(daemon.socket + ".control"))

    def stuck_values(self, daemon, event):
        with open(daemon.live, encoding="utf-8") as file:
            lines = [line for line in file if f'"event":{event}' in line and line.endswith("}\n")]
        return [json.loads(line)["value"] for line in lines]

    # The run with it can be continued after any end.
    def test_order_incident(self):
        settings = "[Generator]\nSensors=8\nAnomalies=0%\nSeed=3\nLabels=inline\n"
        daemon = self.start(settings).wait_ready()
        words = "inject stuck --sensor SNS-pre-0000 --for 1h --json".split()
        incident = json.loads(self.order(daemon, *words).stdout)
        wait_for("readings with it", lambda: self.stuck_values(daemon, incident["event"]))

        again = self.order(daemon, *words)
        self.assertEqual(again.returncode, 1)
        self.assertIn("another incident of the same sensor", again.stderr)
        late = self.order(daemon, *words[:4], "--start", "2020-01-01T00:00:00Z", "--for", "1m")
        self.assertIn("must lie a second ahead", late.stderr)

        daemon.kill()
        n_before = len(self.stuck_values(daemon, incident["event"]))
        daemon = self.start(settings).wait_ready()
        wait_for("more readings with it", lambda: len(self.stuck_values(daemon, incident["event"])) > n_before)
        self.assertEqual(len(set(self.stuck_values(daemon, incident["event"]))), 1)
        self.assertEqual(daemon.end(), 0)

    def test_order_nonsense(self):
        daemon = self.start().wait_ready()
        for text in (b"", b"x", b"[1]", b'{"order":"inject"}', b'{"order":"inject","incident":7}', b"{" * 5000):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
                control.settimeout(WAIT_S)
                control.connect(daemon.socket + ".control")
                control.send(text)
                answer = control.recv(4096)
                self.assertTrue(not text or "error" in json.loads(answer), answer)
        self.assertEqual(daemon.end(), 0, daemon.log())


    def listen(self, path):
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(listening.close)
        listening.bind(path)
        listening.listen()
        listening.settimeout(WAIT_S)
        return listening

    # Whoever waits, looks on or has an order does not start a daemon that was stopped, or has not been started yet.
    def test_nobody_there(self):
        path = os.path.join(self.directory, "ring.sock")
        listening = [self.listen(path), self.listen(path + ".control")]
        os.utime(path, (0, 0))
        for words in ["stat"], ["stat", "--watch"], ["rotate"], ["inject", "leak"]:
            self.processes.append(subprocess.Popen([I4, *words, "--socket", path], stderr=subprocess.PIPE, text=True))
        for refused in self.processes:
            self.assertEqual(refused.wait(WAIT_S), 1)
            self.assertRegex(refused.stderr.read(), "nobody answers|no i4d takes orders")
        wait = subprocess.Popen([I4, "tail", "--wait", "--socket", path], stderr=subprocess.PIPE, text=True)
        self.processes.append(wait)
        self.assertRegex(wait.stderr.readline(), "waiting for i4d")
        self.assertEqual(select.select(listening, [], [], 0)[0], [])

    # Whether the order was carried out is not known.
    def test_order_unanswered(self):
        path = os.path.join(self.directory, "ring.sock")
        control = self.listen(path + ".control")
        rotate = subprocess.Popen([I4, "rotate", "--socket", path], stderr=subprocess.PIPE, text=True)
        self.processes.append(rotate)
        control.accept()[0].close()
        self.assertEqual(rotate.wait(WAIT_S), 1)
        self.assertIn("hung up without an answer", rotate.stderr.read())


class Refusals(Case):
    def refused(self, code, pattern, *args, **kwargs):
        daemon = self.start(*args, **kwargs)
        self.assertEqual(daemon.process.wait(WAIT_S), code, daemon.log())
        self.assertRegex(daemon.log(), pattern)
        return daemon

    def test_settings(self):
        self.refused(2, "i4d.conf:2: ", "[Generator]\nRate=-1\n")

    def test_usage(self):
        self.refused(2, "see i4d --help", options=["--sockets"])

    def test_socket_in_use(self):
        first = self.start().wait_ready()
        second = self.refused(1, "Another program has .*ring.sock", options=["--directory", self.directory])
        self.assertEqual(second.log().count("Cannot") + second.log().count("Another"), 1, second.log())
        first.alive()
        self.assertTrue(os.path.exists(first.socket))

    def test_directory_in_use(self):
        self.start().wait_ready()
        self.refused(1, "Cannot keep readings in .*readings, see --directory: another process keeps readings there",
                     options=["--socket", self.directory + "/other.sock"])

    def test_directory_missing(self):
        self.refused(1, "Cannot keep readings in /dev/null/x", options=["--directory", "/dev/null/x"])

    def test_socket_missing(self):
        self.refused(1, "Cannot listen on /dev/null/x", options=["--socket", "/dev/null/x"])

    # As when there is no memory for it, with a limit that is easier to set.
    def test_ring_too_large(self):
        self.refused(1, "Cannot make a ring of 262144 records .16M.*Records=", file_size=1 << 20)


class UnderSystemd(Case):
    def sequences(self, tail, n):
        return [int(tail.stdout.readline().split(",")[0]) for _ in range(n)]

    def start_followed(self, systemd):
        """A daemon, who follows it from the oldest reading on, and the first numbers that he has seen."""
        daemon = self.start(systemd=systemd).wait_ready()
        daemon.wait_stored(2000)
        tail = self.tail(daemon, "--format", "csv", "--from", "oldest")
        self.assertRegex(tail.stdout.readline(), "^sequence,")
        return daemon, tail, self.sequences(tail, 500)

    def test_life(self):
        systemd = self.systemd()
        daemon = self.start(systemd=systemd, watchdog_s=2)
        wait_for("READY", lambda: daemon.alive() or systemd.has("READY", "1"))
        self.assertTrue(systemd.has("STATUS"))
        self.assertEqual(sorted(name for name, _ in systemd.store), ["ring", "ring-reader", "state"])
        self.assertTrue(fcntl.fcntl(dict(systemd.store)["ring-reader"], fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY)

        systemd.notes.clear()
        wait_for("the watchdog's answer", lambda: daemon.alive() or systemd.has("WATCHDOG", "1"))

        systemd.notes.clear()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for("READY after a reload", lambda: daemon.alive() or systemd.has("READY", "1"))
        self.assertEqual(systemd.notes[0].get("RELOADING"), "1")
        self.assertGreater(int(systemd.notes[0]["MONOTONIC_USEC"]), 0)

        self.assertEqual(daemon.end(), 0)
        self.assertTrue(systemd.has("STOPPING", "1"))
        self.assertTrue(systemd.has("EXTEND_TIMEOUT_USEC"))

    # Killed and stopped: readers stay attached, no reading is missing, doubled or torn, in the ring or on disk.
    def test_restart(self):
        systemd = self.systemd()
        daemon = self.start(systemd=systemd).wait_ready()
        tail = self.tail(daemon, "--format", "csv", "--from", "oldest")
        self.assertRegex(tail.stdout.readline(), "^sequence,")
        seen = self.sequences(tail, 1000)

        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            daemon.end(how)
            systemd.receive()
            daemon = self.start(systemd=systemd).wait_ready()
            self.assertTrue(daemon.logged("Took over the ring"), daemon.log())
            daemon.wait_logged("Anchor .resumed")
            seen += self.sequences(tail, 3000)

        self.assertEqual(seen, list(range(seen[0], seen[0] + len(seen))))
        self.assertEqual(daemon.end(), 0)
        records = self.stored(daemon)
        self.assertGreaterEqual(len(records), seen[-1] + 1)
        self.assert_even(self.times(records), 100)

    # In turns with a program that does nothing but say it is ready, for what the machine is worth at that moment.
    def test_restart_full(self):
        n = int(os.environ.get("I4_RESTARTS", "0"))
        records = 262144 if n else 16384
        ring = f"[Ring]\nRecords={records}\n"
        systemd = self.systemd()
        daemon = self.start("[Generator]\nRate=200000\n" + ring, systemd=systemd).wait_ready()
        wait_for("a full ring", lambda: daemon.alive() or daemon.stat()["ring"]["next_sequence"] > records)
        self.assertEqual(daemon.end(), 0)
        systemd.receive()
        daemon = self.start(ring, systemd=systemd)
        systemd.wait_ready(daemon)

        times = {"SIGTERM to the end": [], "the end to READY": [], "SIGTERM to READY": [], "systemd-notify": []}
        for _ in range(n or 3):
            before = daemon.stat()["ring"]
            ended = os.pidfd_open(daemon.process.pid)
            begin = time.monotonic()
            daemon.process.send_signal(signal.SIGTERM)
            select.select([ended], [], [], WAIT_S)
            end = time.monotonic()
            os.close(ended)
            self.assertEqual(daemon.process.wait(WAIT_S), 0, daemon.log())
            systemd.receive()
            daemon = self.start(ring, systemd=systemd)
            systemd.wait_ready(daemon)
            ready = time.monotonic()
            self.assertTrue(daemon.logged("Took over the ring"), daemon.log())
            after = daemon.stat()["ring"]
            self.assertGreaterEqual(after["next_sequence"], before["next_sequence"])

            systemd.notes.clear()
            begin_bare = time.monotonic()
            bare = subprocess.Popen(["sh", "-c", 'exec "$@"', "sh", "systemd-notify", "--no-block", "--ready"],
                                    env={"PATH": os.environ["PATH"], "NOTIFY_SOCKET": systemd.path})
            self.processes.append(bare)
            systemd.wait_ready()
            times["systemd-notify"].append(time.monotonic() - begin_bare)
            self.assertEqual(bare.wait(WAIT_S), 0)
            times["SIGTERM to the end"].append(end - begin)
            times["the end to READY"].append(ready - end)
            times["SIGTERM to READY"].append(ready - begin)
        self.assertEqual(daemon.end(), 0)

        for what, seconds in times.items() if n else ():
            ordered = [f"{s * 1e3:.1f}" for s in sorted(seconds)]
            print(f"{what}: {ordered[0]} {ordered[len(ordered) // 2]} {ordered[len(ordered) * 95 // 100]} {ordered[-1]} ms"
                  " (least, median, 95 %, most)", file=sys.stderr)

    # Another Records=: readers move to another ring, the numbers and the readings go on.
    def test_new_ring(self):
        systemd = self.systemd()
        daemon, tail, seen = self.start_followed(systemd)

        self.assertEqual(daemon.end(), 0)
        systemd.receive()
        daemon = self.start("[Ring]\nRecords=65536\n", systemd=systemd).wait_ready()
        self.assertTrue(daemon.logged("it holds 262144 records, Records= asks for 65536"), daemon.log())
        systemd.receive()
        self.assertEqual(sorted(name for name, _ in systemd.store), ["ring", "ring-reader", "state"])

        seen += self.sequences(tail, 10000)
        self.assertEqual(seen, list(range(seen[0], seen[0] + len(seen))))
        self.assertEqual(daemon.end(), 0)
        self.assert_even(self.times(self.stored(daemon)), 100)

    # Another layout: readers have what is left, are told, and those who understand the new one go on. And back.
    def test_other_layout(self):
        systemd = self.systemd()
        daemon, tail, seen = self.start_followed(systemd)
        tools = Tools(self.directory)
        other = self.run_tool(tools, "tail", "--socket", daemon.socket, "--sensor", "SNS-pre-0000")
        self.assertTrue(other.stdout.readline())
        self.assertEqual(daemon.end(), 0)
        systemd.receive()
        made = self.assert_drained(daemon)

        daemon = self.start(systemd=systemd, program=I4D_NEXT).wait_ready()
        self.assertTrue(daemon.logged("another version of i4d made it"), daemon.log())
        # One that was replaced by nothing that helps starts once, and then waits as one that was not.
        tools.replace(LIBI4)
        seen += [int(line.split(",")[0]) for line in tail.stdout]
        self.assertEqual(seen, list(range(made)))
        for process in (tail, other):
            said = process.stderr.read()
            self.assertEqual(process.wait(WAIT_S), 1)
            self.assertRegex(said, "i4d was replaced by another version.*does not understand.*\n.*was not replaced")
            self.assertLessEqual(said.count("\n"), 3, said)
        self.assertIn("update the older", self.order(daemon, "tail", "-n", "1").stderr)
        daemon.wait_stored(made + 2000)
        self.assertEqual(daemon.end(), 0)
        made += self.assert_drained(daemon)
        systemd.receive()
        self.assertEqual(sorted(name for name, _ in systemd.store), ["ring", "ring-reader", "state"])

        daemon = self.start(systemd=systemd).wait_ready()
        self.assertTrue(daemon.logged("another version of i4d made it"), daemon.log())
        tail = self.tail(daemon, "--format", "csv", "--from", "oldest", "-n", "1000")
        self.assertRegex(tail.stdout.readline(), "^sequence,")
        self.assertEqual(self.sequences(tail, 1000), list(range(made, made + 1000)))
        self.assertEqual(tail.wait(WAIT_S), 0)
        self.assertEqual(daemon.end(), 0)
        self.assertEqual(len(self.stored(daemon)), made + self.assert_drained(daemon))

    # Tools that run while daemon and library are updated go on by themselves, with the new library.
    def update(self, how):
        n = 150000
        systemd = self.systemd()
        tools = Tools(self.directory)
        daemon = self.start("[Generator]\nRate=50000\n", systemd=systemd).wait_ready()
        where = ["--socket", daemon.socket]
        tail = self.run_tool(tools, "tail", *where, "--from", "0", "--format", "csv", "-n", str(n))
        stat = self.run_tool(tools, "stat", *where, "--json", "--watch")
        batches = os.path.join(self.directory, "batches")
        # Not for the first time, and records were lost before.
        batch = self.run_tool(tools, "batch", *where, "--output-dir", batches, "--sequence", "-n", str(n),
                              I4_PLACE=f"0 {n} 1")
        self.assertRegex(tail.stdout.readline(), "^sequence,")
        seen = self.sequences(tail, 1000)
        # A tail that nobody reads comes to no end, and notices nothing.
        rest = threading.Thread(target=lambda: seen.extend(int(line.split(",")[0]) for line in tail.stdout), daemon=True)
        rest.start()
        self.assertTrue(stat.stdout.readline())
        wait_for("a batch", lambda: daemon.alive() or os.path.exists(batches) and
                 any(name.startswith("batch_") for name in os.listdir(batches)))
        self.assertEqual(daemon.end(), 0)
        systemd.receive()
        made = self.assert_drained(daemon)
        self.assertLess(made, n)

        finish = {"early": tools.replace, "slowly": tools.replace_slowly}.get(how, lambda library: None)(LIBI4_NEXT)
        daemon = self.start("[Generator]\nRate=50000\n", systemd=systemd, program=I4D_NEXT).wait_ready()
        self.assertTrue(daemon.logged("another version of i4d made it"), daemon.log())
        if how != "early":
            self.assertRegex(tail.stderr.readline(), "i4d was replaced.*waiting 10 s for this one")
            (finish or functools.partial(tools.replace, LIBI4_NEXT))()

        rest.join(WAIT_S)
        self.assertEqual(seen, list(range(n)))
        self.assertEqual(tail.wait(WAIT_S), 0)
        self.assertEqual(tail.stderr.read(), "")
        self.assertEqual(batch.wait(WAIT_S), 3, batch.stderr.read())
        self.assertEqual(self.batched(batches), list(range(n)))

        def newest_seen():
            line = stat.stdout.readline()
            self.assertTrue(line, line or stat.stderr.read())
            return json.loads(line)["ring"]["next_sequence"]

        wait_for("a look at the new ring", lambda: daemon.alive() or newest_seen() > made)
        self.assertEqual(daemon.end(), 0)

    def test_update_early(self):
        self.update("early")

    def test_update_late(self):
        self.update("late")

    def test_update_slowly(self):
        self.update("slowly")

    # One that has to be executed anew once more, before it has read anything, goes on at the same place.
    def test_update_again(self):
        tools = Tools(self.directory)
        daemon = self.start(program=I4D_NEXT).wait_ready()
        daemon.wait_stored(100)
        self.assertEqual(daemon.end(), 0)
        made = self.assert_drained(daemon)
        daemon = self.start("[Generator]\nRate=50000\n", program=I4D_NEXT).wait_ready()
        batches = os.path.join(self.directory, "batches")
        batch = self.run_tool(tools, "batch", "--socket", daemon.socket, "--output-dir", batches, "--sequence",
                              I4_PLACE=f"{made} 2000 0")
        self.assertRegex(batch.stderr.readline(), "i4d was replaced.*waiting 10 s for this one")
        tools.replace(LIBI4_NEXT)
        self.assertEqual(batch.wait(WAIT_S), 0, batch.stderr.read())
        self.assertEqual(self.batched(batches), list(range(made, made + 2000)))
        self.assertEqual(daemon.end(), 0)

    # A start that fails for another reason leaves the ring to the next.
    def test_failed_start(self):
        systemd = self.systemd()
        daemon = self.start(systemd=systemd).wait_ready()
        daemon.wait_stored(1000)
        self.assertEqual(daemon.end(), 0)
        systemd.receive()

        failed = self.start("[Ring]\nRecords=65536\n", systemd=systemd, options=["--socket", "/dev/null/x"])
        self.assertEqual(failed.process.wait(WAIT_S), 1)
        systemd.receive()
        daemon = self.start(systemd=systemd).wait_ready()
        daemon.wait_logged("Anchor .resumed")
        daemon.wait_stored(3000)
        self.assertEqual(daemon.end(), 0)
        self.assert_even(self.times(self.stored(daemon)), 100)

    # Without its read-only twin the ring is as good as before.
    def test_lost_reader(self):
        systemd = self.systemd()
        daemon = self.start(systemd=systemd).wait_ready()
        daemon.wait_stored(1000)
        daemon.end(signal.SIGKILL)
        systemd.receive()
        systemd.take({"FDSTOREREMOVE": "1", "FDNAME": "ring-reader"}, [])

        daemon = self.start(systemd=systemd).wait_ready()
        daemon.wait_logged("Anchor .resumed")
        self.assertEqual(self.tail(daemon, "-n", "1").wait(WAIT_S), 0)
        self.assertEqual(daemon.end(), 0)

    # Activated by its socket, it uses that one, says by its time that it is there, and leaves it where it is.
    def test_socket_activation(self):
        systemd = self.systemd()
        path = os.path.join(self.directory, "activated.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(path)
            listening.listen()
            systemd.store.append(("i4d.socket", os.dup(listening.fileno())))
        os.utime(path, (0, 0))

        daemon = self.start(systemd=systemd, activated=path)
        wait_for("READY", lambda: daemon.alive() or systemd.has("READY", "1"))
        self.assertGreater(os.stat(path).st_mtime, 0)
        self.assertEqual(self.tail(daemon, "-n", "1").wait(WAIT_S), 0)
        self.assertEqual(daemon.end(), 0)
        self.assertEqual(os.stat(path).st_mtime, 0)

        os.unlink(path)
        daemon = self.start(systemd=systemd, activated=path).wait_ready()
        self.assertTrue(daemon.logged(f"Cannot set the time of {path}.*No such file"), daemon.log())
        self.assertEqual(daemon.end(), 0)

    # A service that waits for its daemon is ready, says what for, and answers the watchdog.
    def test_waiting(self):
        systemd = self.systemd()
        path, batches = os.path.join(self.directory, "ring.sock"), os.path.join(self.directory, "batches")
        batch = subprocess.Popen([I4, "batch", "--wait", "--socket", path, "--output-dir", batches, "--batch-size", "1"],
                                 stderr=subprocess.PIPE, text=True, env={**os.environ, "NOTIFY_SOCKET": systemd.path})
        self.processes.append(batch)
        wait_for("READY", lambda: systemd.has("READY", "1"))
        self.assertEqual(batch.stderr.readline(), f"i4 batch: waiting for i4d at {path}\n")
        wait_for("its status", lambda: systemd.has("STATUS", f"Waiting for i4d at {path}"))
        wait_for("answers", lambda: systemd.receive() or sum("WATCHDOG" in note for note in systemd.notes) > 1)
        daemon = self.start().wait_ready()
        wait_for("a batch", lambda: any(name.startswith("batch_") for name in os.listdir(batches)))
        batch.send_signal(signal.SIGTERM)
        self.assertEqual(batch.wait(WAIT_S), 0)
        self.assertEqual(daemon.end(), 0)


class ClocksSet(Case):
    """What somebody sets, or a suspended node sleeps through, while all of it runs."""

    RATE = 2000
    # Less than what is let pass, where a clock is set in the middle of a batch.
    SETTINGS = f"""
[Generator]
Rate={RATE}
BatchSec=100ms
[Storage]
Sequence=yes
MaxFileSec=1d
MaxUse=1G
KeepFree=0
"""

    def grow(self, n=1000):
        begin = self.daemon.stat()["ring"]["next_sequence"]
        wait_for(f"{n} readings", lambda: self.daemon.alive() or self.daemon.stat()["ring"]["next_sequence"] >= begin + n)

    def set(self, told, real_s, boot_s=0):
        self.clocks.set(real_s, boot_s)
        self.expected.append(real_s)
        self.daemon.wait_logged(told)
        self.grow()

    def sealed(self):
        """By their numbers, with which names begin: their times go back."""
        directory = os.path.join(self.daemon.directory, "sealed")
        return [os.path.join(directory, name) for name in sorted(os.listdir(directory))]

    def seal_old(self, n):
        """The age of files is looked at: there are @n sealed ones, and stay."""
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_for(f"{n} sealed files", lambda: self.daemon.alive() or len(self.sealed()) == n)
        self.grow()

    def stored_text(self):
        text = ""
        for path in [*self.sealed(), self.daemon.live]:
            with open(path, encoding="utf-8") as file:
                text += file.read()
        return text

    def wait_looked_around(self, systemd):
        """At readers too, which comes behind the watchdog's answer."""
        for _ in range(2):
            systemd.notes.clear()
            wait_for("the watchdog's answer", lambda: self.daemon.alive() or systemd.has("WATCHDOG", "1"))

    def sequences(self, path):
        """What whole lines of CSV begin with."""
        with open(path, encoding="utf-8") as file:
            return [int(line.split(",")[0]) for line in file.read().split("\n")[1:-1]]

    def assert_on_time(self, begin_s):
        """As many as the rate says, of time that passes for who waits: none twice, and what is late is made."""
        def is_on_time():
            n = self.daemon.stat()["ring"]["next_sequence"]
            spent_s = time.monotonic() - begin_s
            self.assertLessEqual(n, spent_s * self.RATE + 1)
            return n >= (spent_s - 0.5) * self.RATE
        wait_for("what is late", is_on_time)

    def test_set(self):
        # a bit more than what is told, which cuts off what is less than a second
        hour_s, day_s = 3600.25, 86400.25
        systemd, self.clocks, self.expected = self.systemd(), Clocks(self.directory), []
        begin_s = time.monotonic()
        # looks around each half second
        self.daemon = self.start(self.SETTINGS, systemd=systemd, clocks=self.clocks, watchdog_s=2).wait_ready()
        seen_path = os.path.join(self.directory, "seen")
        with open(seen_path, "wb") as seen:
            tail = self.tail(self.daemon, "--format", "csv", "--from", "0", output=seen)
        self.grow()

        self.set("The clock was set back by 1h", -hour_s)
        self.set("The clock was set forward by 1h", hour_s)
        self.assertEqual(self.sealed(), [])
        # older than MaxFileSec= now, once
        self.set("The clock was set forward by 30d", 30 * day_s)
        self.seal_old(1)
        self.set("The clock was set back by 30d", -30 * day_s)
        self.seal_old(2)
        self.assert_on_time(begin_s)
        # what the node slept through is given up, and not a batch more; who slept too was not silent
        tail.send_signal(signal.SIGSTOP)
        self.set("Skipped 3h, .* readings", 3 * hour_s, 3 * hour_s)
        self.wait_looked_around(systemd)
        tail.send_signal(signal.SIGCONT)
        skipped_s = self.daemon.stat()["generator"]["skipped_records"] / self.RATE
        self.assertAlmostEqual(skipped_s, 3 * hour_s, delta=0.2)
        self.assert_on_time(begin_s)

        # while there is no daemon
        self.daemon.end(signal.SIGKILL)
        systemd.receive()
        self.clocks.set(-hour_s)
        self.expected.append(-hour_s)
        self.daemon = self.start(self.SETTINGS, systemd=systemd, clocks=self.clocks).wait_ready()
        self.daemon.wait_logged("The clock was set back by 1h")
        self.grow()
        self.assert_on_time(begin_s)
        wait_for("the reader", lambda: self.daemon.stat()["readers"]["attached"] == 1)
        self.assertEqual(self.daemon.end(), 0)

        text = self.stored_text()
        # up to now, which is later than the last one stored
        again = subprocess.run([SENSOR_GEN, "-replay", self.daemon.directory, "-o", "-"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=self.daemon.environment, text=True, check=True).stdout
        self.assertTrue(again.startswith(text), "-replay makes other readings")
        records = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([record["seq"] for record in records], list(range(len(records))))
        wait_for("all that is stored is seen", lambda: self.sequences(seen_path) == list(range(len(records))))
        with open(self.daemon.log_path, encoding="utf-8") as log:
            self.assertNotRegex(log.read(), "Reader silent|Reader too slow|readings were not stored")
        self.assert_told(records)

    def assert_told(self, records):
        """The rhythm stays but where a clock was set, or nobody was awake."""
        times = self.times(records)
        step = timedelta(seconds=1) / self.RATE
        jumps = [(b - a - step).total_seconds() for a, b in zip(times, times[1:]) if b - a != step]
        self.assertEqual(len(jumps), len(self.expected), jumps)
        for jump, expected in zip(jumps, self.expected):
            self.assertAlmostEqual(jump, expected, delta=0.2)


class MadeAgain(Case):
    """What sensor-gen -replay makes of a list of anchors are the bytes that the daemon stored."""

    def replay(self, daemon, *flags):
        done = subprocess.run([SENSOR_GEN, "-replay", daemon.directory, "-o", "-", *flags], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def stored_bytes(self, daemon):
        sealed = os.path.join(daemon.directory, "sealed")
        parts = [os.path.join(sealed, name) for name in sorted(os.listdir(sealed))] + [daemon.live]
        text = b""
        for part in parts:
            with open(part, "rb") as file:
                text += file.read()
        return text

    def assert_same(self, daemon, *flags):
        stored, again = self.stored_bytes(daemon), self.replay(daemon, *flags)
        self.assertGreater(len(stored), 100000)
        if stored != again:
            pairs = zip(stored.splitlines(), again.splitlines())
            different = next(((i, a, b) for i, (a, b) in enumerate(pairs) if a != b), None)
            self.fail(f"{len(stored)} and {len(again)} bytes, {different}\n{self.anchors(daemon)}")

    def anchors(self, daemon):
        with open(os.path.join(daemon.directory, "anchors.jsonl"), encoding="utf-8") as file:
            return file.read()

    def grow(self, daemon, n=1000):
        """Until there are that many readings more in the ring."""
        begin = daemon.stat()["ring"]["next_sequence"]
        wait_for(f"{n} readings", lambda: daemon.alive() or daemon.stat()["ring"]["next_sequence"] >= begin + n)

    # Each start by hand is a new schedule, on one core or two.
    def test_by_hand(self):
        for model, cpu in (("network", None), ("network", min(os.sched_getaffinity(0))), ("uniform", None)):
            daemon = self.start(f"[Generator]\nSeed=7\nRate=3333/min\nModel={model}\n", cpu=cpu).wait_ready()
            daemon.settings(f"[Generator]\nSeed=7\nRate=9999\nModel={model}\n")
            daemon.process.send_signal(signal.SIGHUP)
            self.grow(daemon)
            self.assertEqual(daemon.end(), 0, daemon.log())
        self.assert_same(daemon)

    # Killed at any instant, stopped, reloaded, under a rate that changes by itself.
    def test_killed(self):
        draw = random.Random(7)
        schedules = ("", "Schedule=1000..20000 for 2s, 5000 for 1s, repeat\n", "Schedule=30000 for 1s\n")
        template = ("[Generator]\nSeed=7\nLabels=inline\n{}[Storage]\nSequence=yes\nMaxFileSize=1M\nMaxUse=infinity\n"
                    "KeepFree=0\n")
        systemd = self.systemd()
        daemon = self.start(template.format(""), systemd=systemd).wait_ready()
        for i in range(KILLS):
            if i % 3 == 1:
                daemon.settings(template.format(schedules[i // 3 % 3]))
                daemon.process.send_signal(signal.SIGHUP)
            self.grow(daemon, draw.randrange(1, 3000))
            daemon.end(signal.SIGTERM if i % 5 == 4 else signal.SIGKILL)
            systemd.receive()
            daemon = self.start(template.format(schedules[i // 3 % 3]), systemd=systemd).wait_ready()
            self.assertTrue(daemon.logged("Took over the ring"), daemon.log())
        self.assertEqual(daemon.end(), 0, daemon.log())
        self.assert_same(daemon)

    # What came too late to be caught up is skipped, and what is behind that is made again as it was.
    def test_skipped(self):
        settings = "[Generator]\nSeed=7\nCatchUpSec=2s\n"
        systemd = self.systemd()
        daemon = self.start(settings, systemd=systemd).wait_ready()
        self.grow(daemon)
        daemon.end(signal.SIGKILL)
        begin = time.monotonic()
        systemd.receive()
        wait_for("a gap that is too long", lambda: time.monotonic() > begin + 2.5)
        daemon = self.start(settings, systemd=systemd).wait_ready()
        daemon.wait_logged("Anchor .skip")
        self.grow(daemon)
        self.assertEqual(daemon.end(), 0)
        self.assert_same(daemon)

    # What was ordered is in it, and chance around it as it was; also with other settings from a restart on.
    def test_ordered(self):
        settings = "[Generator]\nSensors=64\nSeed=3\nLabels=inline\nAnomalies={}%\n"
        systemd = self.systemd()
        daemon = self.start(settings.format(30), systemd=systemd).wait_ready()
        # The wave of the leak takes its time; it is in force, whether it is seen or not.
        for words in ("leak --pipeline PIPE-TX-001 --mile 20 --for 1h", "stuck --sensor SNS-pre-0000 --for 1s"):
            done = self.order(daemon, "inject", *words.split(), "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
        event = b'"event":%d}' % json.loads(done.stdout)["event"]
        wait_for("readings with it", lambda: daemon.alive() or event in self.stored_bytes(daemon))
        daemon.end(signal.SIGKILL)
        systemd.receive()
        daemon = self.start(settings.format(60), systemd=systemd).wait_ready()
        self.grow(daemon)
        self.assertEqual(daemon.end(), 0)
        self.assert_same(daemon)
        self.assertEqual(self.anchors(daemon).count("\n"), 2)
        self.assertIn('"reason":"settings"', self.anchors(daemon))

    # The list beside the readings has each incident that showed once, an ordered one too. Of faults that last and are a
    # sensor's own: a list cannot tell which of two incidents a reading of both belongs to, and one of them might be gone.
    def test_sidecar(self):
        settings = ("[Generator]\nSensors=64\nSeed=3\nLabels=sidecar\nAnomalies=30%\n"
                    "AnomalyMix=stuck=1,drift=1,offset=1\n")
        systemd = self.systemd()
        daemon = self.start(settings, systemd=systemd).wait_ready()
        events = os.path.join(daemon.directory, "events.jsonl")

        def listed():
            if not os.path.exists(events):
                return ""
            with open(events, encoding="utf-8") as file:
                return file.read()

        incident = json.loads(self.order(daemon, "inject", "stuck", "--sensor", "SNS-pre-0000", "--for", "1h",
                                         "--json").stdout)
        wait_for("the incident in the list", lambda: daemon.alive() or f'"event":{incident["event"]},' in listed())
        daemon.end(signal.SIGKILL)
        systemd.receive()
        daemon = self.start(settings, systemd=systemd).wait_ready()
        self.grow(daemon)
        self.assertEqual(daemon.end(), 0)
        self.assert_same(daemon)
        again = os.path.join(self.directory, "again")
        subprocess.run([SENSOR_GEN, "-replay", daemon.directory, "-labels", "sidecar", "-o", again],
                       stdout=subprocess.DEVNULL, check=True)
        with open(again + ".events.jsonl", encoding="utf-8") as file:
            self.assertEqual(file.read(), listed())
        verified = subprocess.run([I4, "verify", "-t", daemon.directory, "--events", events, again, "--json",
                                   "--detections", "/dev/null"], stdout=subprocess.PIPE, check=False)
        self.assertEqual(json.loads(verified.stdout)["detection"]["events"], listed().count("\n"))

    # Two machines that know nothing of each other are one, from when both run to when one stops.
    def test_machines(self):
        settings = "[Generator]\nSeed=7\nRate=3000\nShard={}/2\n"
        daemons = []
        for i in range(2):
            os.mkdir(os.path.join(self.directory, str(i)))
            daemons.append(Daemon(os.path.join(self.directory, str(i)), settings.format(i)).wait_ready())
            self.daemons.append(daemons[i])
            self.grow(daemons[0], 300)
        self.grow(daemons[1], 1500)
        lines = []
        for daemon in daemons:
            self.assertEqual(daemon.end(), 0, daemon.log())
            self.assert_same(daemon)
            lines.append(self.stored_bytes(daemon).splitlines())

        def key(line):
            record = json.loads(line)
            return record["timestamp"], record["sensor_id"]

        begin = max(key(part[0])[0] for part in lines)
        end = min(key(part[-1])[0] for part in lines)
        merged = sorted((line for part in lines for line in part if begin <= key(line)[0] <= end), key=key)
        for daemon in daemons:
            whole = self.replay(daemon, "-shard", "0/1").splitlines()
            self.assertEqual([line for line in whole if begin <= key(line)[0] <= end], merged)
        self.assertGreater(len(merged), 2000)

    # A share of time, and of lines what is asked for.
    def test_part(self):
        daemon = self.start("[Generator]\nSeed=7\nSchedule=5000 for 1s, 9000 for 1s, repeat\n").wait_ready()
        self.grow(daemon, 9000)
        self.assertEqual(daemon.end(), 0)
        lines = self.stored_bytes(daemon).splitlines(keepends=True)
        begin, end = (json.loads(lines[i])["timestamp"] for i in (1000, 8000))
        self.assertEqual(self.replay(daemon, "-from", begin, "-to", end), b"".join(
            line for line in lines if begin <= json.loads(line)["timestamp"] < end))
        again = [json.loads(line) for line in self.replay(daemon, "-sequence", "-labels", "inline").splitlines()]
        self.assertEqual([line["seq"] for line in again], list(range(len(lines))))
        self.assertTrue(all("label" in line for line in again))

    def test_refused(self):
        def refused(code, text, *flags):
            done = subprocess.run([SENSOR_GEN, "-replay", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertRegex(done.stderr, text)

        scenario = os.path.join(self.directory, "scenario")
        with open(scenario, "w", encoding="utf-8") as file:
            file.write("# none\n")
        daemon = self.start(f"[Generator]\nRate=max\nScenario={scenario}\n[Storage]\nMaxUse=1G\n").wait_ready()
        daemon.wait_stored(1000)
        self.assertEqual(daemon.end(), 0)
        refused(1, "readings 0 to .* were made as fast as the machine went", daemon.directory, "-o", "/dev/null")
        refused(2, "-replay takes settings from the directory", daemon.directory, "-seed", "8")
        refused(2, "There is no anchors.jsonl", self.directory)
        with open(scenario, "a", encoding="utf-8") as file:
            file.write("# one more\n")
        refused(2, "scenario: it is not what it was then; name the one of then with -scenario", daemon.directory)
        with open(os.path.join(daemon.directory, "anchors.jsonl"), "a", encoding="utf-8") as file:
            file.write('{"sequence":"-1"}\n')
        refused(2, 'anchors.jsonl:2: "sequence" is not what i4d writes', daemon.directory)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[8:]])
