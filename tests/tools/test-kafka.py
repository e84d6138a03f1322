#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
i4 kafka from a real daemon to librdkafka's cluster, and back by kcat

    test-kafka.py I4 I4-KAFKA I4D CLUSTER I4D-NEXT LIBI4 LIBI4-NEXT [CASE…]
"""

import functools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from collections import Counter

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import waiting  # pylint: disable=wrong-import-position

WAIT_S = 30
wait_for = functools.partial(waiting.wait_for, WAIT_S)
I4, I4_KAFKA, I4D, CLUSTER, I4D_NEXT, LIBI4, LIBI4_NEXT = (os.path.abspath(path) for path in sys.argv[1:8])
TOPIC = "i4-readings"


class Case(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="i4-kafka-")
        self.directory = self.temporary.name
        self.state = os.path.join(self.directory, "state")
        self.socket = os.path.join(self.directory, "ring.sock")
        self.log = os.path.join(self.directory, "log")
        self.processes = []
        self.cluster = self.spawn([CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.brokers = self.cluster.stdout.readline().strip()

    def tearDown(self):
        for process in self.processes:
            process.kill()
            process.communicate()
        self.temporary.cleanup()

    def spawn(self, command, **kwargs):
        process = subprocess.Popen(command, **kwargs)  # pylint: disable=consider-using-with
        self.processes.append(process)
        return process

    def order(self, text):
        self.cluster.stdin.write(text + "\n")
        self.cluster.stdin.flush()
        self.assertEqual(self.cluster.stdout.readline(), "done\n")

    def start_daemon(self, rate=10000, records=262144, is_storing=False, program=I4D):
        config = self.path("i4d.conf", f"[Generator]\nRate={rate}\nSensors=800\n[Ring]\nRecords={records}\n"
                                       f"[Storage]\nEnabled={'yes' if is_storing else 'no'}\n")
        command = [program, "--config", config, "--socket", self.socket, "--directory", self.directory + "/readings"]
        with open(self.directory + "/i4d.log", "w", encoding="utf-8") as log:
            daemon = self.spawn(command, stderr=log)
        wait_for("the daemon", lambda: os.path.exists(self.socket))
        return daemon

    def path(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start(self, *arguments, **variables):
        environment = {**os.environ, "I4_LIBEXEC": os.path.dirname(I4_KAFKA), "KAFKA_BROKERS": self.brokers,
                       "EDGE_NODE_ID": "node-1", "I4_SOCKET": self.socket, **variables}
        with open(self.log, "a", encoding="utf-8") as log:
            return self.spawn([I4, "kafka", *arguments], env=environment, stderr=log)

    def run_it(self, *arguments, status=0, **variables):
        self.assertEqual(self.start(*arguments, **variables).wait(WAIT_S), status, self.said())

    def said(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def end(self, process, status=0):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(WAIT_S), status, self.said())

    def get_position(self):
        try:
            with open(self.state + "/position.json", encoding="utf-8") as file:
                return int(json.load(file)["next_sequence"])
        except FileNotFoundError:
            return 0

    def wait_position(self, sequence):
        wait_for(f"position {sequence}", lambda: self.get_position() >= sequence)

    def read_back(self):
        """Messages, in the order of each partition: (key, headers, partition, time in ms, value)"""
        text = subprocess.run(["kcat", "-C", "-b", self.brokers, "-t", TOPIC, "-e", "-q", "-o", "beginning",
                               "-f", r"%k\t%h\t%p\t%T\t%s\n"],
                              stdout=subprocess.PIPE, check=True, timeout=WAIT_S).stdout.decode()
        messages = []
        for line in text.splitlines():
            key, headers, partition, ms, value = line.split("\t")
            messages.append((key, dict(h.split("=") for h in headers.split(",")), int(partition), int(ms), value))
        return messages

    def read_sequences(self):
        return Counter(int(headers["sequence"]) for _, headers, _, _, _ in self.read_back())

    def run_past(self):
        """Go on until all that the one before had on its way is behind: some of it has arrived, and was not waited for."""
        self.run_it("--state-dir", self.state, "-n", "1000")
        while max(self.read_sequences()) >= self.get_position():
            self.run_it("--state-dir", self.state, "-n", "1000")

    def assert_complete(self, sequences, first=0):
        self.assertEqual(len(sequences), max(sequences) + 1 - first, "readings are missing")
        self.assertEqual(min(sequences), first)


class Kafka(Case):
    def test_messages(self):
        self.start_daemon()
        self.run_it("-n", "20000", "--sequence", "-v")
        messages = self.read_back()
        self.assertEqual(sorted(int(h["sequence"]) for _, h, _, _, _ in messages), list(range(20000)))
        self.assertIn("20000 readings arrived, 0 were lost", self.said())

        partitions, last = {}, {}
        for key, headers, partition, ms, value in messages:
            record = json.loads(value)
            sequence = int(headers["sequence"])
            self.assertEqual(key, record["sensor_id"])
            self.assertEqual(headers["node"], "node-1")
            self.assertEqual(record["seq"], sequence)
            self.assertEqual(partitions.setdefault(key, partition), partition)
            self.assertGreater(sequence, last.get(key, -1))
            last[key] = sequence
            self.assertEqual(f"{ms % 1000:03}", record["timestamp"].partition(".")[2][:3].rstrip("Z").ljust(3, "0"))
        self.assertEqual(len(partitions), 800)
        self.assertGreater(len(set(partitions.values())), 8)

    def test_stopped(self):
        """SIGTERM: the next one goes on, and nothing is sent twice."""
        self.start_daemon()
        position = 0
        for _ in range(3):
            process = self.start("--state-dir", self.state)
            self.wait_position(position + 3000)
            self.end(process)
            position = self.get_position()
        sequences = self.read_sequences()
        self.assert_complete(sequences)
        self.assertEqual(max(sequences), position - 1)
        self.assertEqual(set(sequences.values()), {1})

    def test_waiting(self):
        """A service that waits for its daemon is ready, and answers the watchdog."""
        notes = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            path = os.path.join(self.directory, "notify.sock")
            notified.bind(path)
            notified.settimeout(WAIT_S)
            process = self.start("--wait", NOTIFY_SOCKET=path)
            while not {"READY=1", f"STATUS=Waiting for i4d at {self.socket}", "WATCHDOG=1"} <= set(notes):
                notes += notified.recv(4096).decode().splitlines()
            self.start_daemon()
            while not re.match("STATUS=[1-9][0-9]* readings arrived", notes[-1]):
                notes += notified.recv(4096).decode().splitlines()
            self.end(process)

    def test_killed(self):
        """SIGKILL: the next one goes on, and nothing is missing."""
        self.start_daemon()
        for i in range(1, 6):
            process = self.start("--state-dir", self.state)
            self.wait_position(i * 3000)
            process.kill()
            process.wait()
        self.run_past()
        sequences = self.read_sequences()
        self.assert_complete(sequences)
        self.assertEqual(max(sequences), self.get_position() - 1)

    def test_away(self):
        """A cluster that goes and comes back costs nothing that the ring still holds."""
        self.start_daemon()
        process = self.start("--state-dir", self.state)
        self.wait_position(3000)
        self.order("down")
        wait_for("it is told", lambda: "the cluster is away" in self.said())
        held = self.get_position()
        self.order("up")
        wait_for("it is told", lambda: "the cluster is back" in self.said())
        self.wait_position(held + 20000)
        self.end(process)
        self.assert_complete(self.read_sequences())
        self.assertEqual(self.said().count("the cluster is away"), 1)

    def test_overtaken(self):
        """A cluster that is away for too long costs exactly what is told."""
        self.start_daemon(rate=50000, records=16384)
        config = self.path("kafka.conf", "# little room, so that the ring is what has to wait\n"
                                         "queue.buffering.max.kbytes = 256\n"
                                         "reconnect.backoff.max.ms = 500\n")
        runtime = os.path.join(self.directory, "run", "i4-kafka", "main")
        os.makedirs(runtime)
        process = self.start("--state-dir", self.state, "--config", config, RUNTIME_DIRECTORY=runtime)
        self.wait_position(1000)
        self.order("down")

        def get_status():
            output = subprocess.run([I4, "stat", "--json"], stdout=subprocess.PIPE, check=True, env={
                **os.environ, "I4_SOCKET": self.socket, "I4_RUNTIME": self.directory + "/run"}).stdout
            return json.loads(output)

        newest = get_status()["ring"]["next_sequence"]
        wait_for("the ring has gone round", lambda: get_status()["ring"]["oldest_sequence"] > newest)
        self.assertEqual(get_status()["outlets"][0]["unit"], "i4-kafka@main")
        wait_for("it is held up", lambda: get_status()["outlets"][0]["status"]["held_up"] > 0)
        self.order("up")
        wait_for("it is told", lambda: "lost" in self.said())
        self.wait_position(self.get_position() + 20000)
        self.end(process, status=3)

        sequences = self.read_sequences()
        lost = sum(int(n) for n in re.findall(r"lost (\d+) records", self.said()))
        self.assertEqual(max(sequences) + 1 - len(sequences), lost)

    def test_new_ring(self):
        daemon = self.start_daemon()
        process = self.start("--state-dir", self.state, "--wait")
        self.wait_position(3000)
        daemon.kill()
        daemon.wait()
        os.unlink(self.socket)
        self.start_daemon()
        before = json.dumps(self.get_origin())
        wait_for("the new ring", lambda: json.dumps(self.get_origin()) != before)
        self.end(process)

    def test_update(self):
        """A daemon with another ring, and its library: i4 kafka goes on with that, also where it keeps no position."""
        library = os.path.join(self.directory, "libi4.so.1")
        shutil.copy(LIBI4, library)
        daemon = self.start_daemon(is_storing=True)
        process = self.start("-v", LD_LIBRARY_PATH=self.directory)
        wait_for("some messages", lambda: len(self.read_sequences()) > 3000)
        daemon.terminate()
        self.assertEqual(daemon.wait(WAIT_S), 0)

        shutil.copy(LIBI4_NEXT, library + ".new")
        os.rename(library + ".new", library)
        first = max(self.read_sequences()) + 1
        self.start_daemon(is_storing=True, program=I4D_NEXT)
        wait_for("messages of the new ring", lambda: max(self.read_sequences()) > first + 30000)
        self.end(process)
        sequences = self.read_sequences()
        self.assert_complete(sequences)
        self.assertEqual(set(sequences.values()), {1})

    def get_origin(self):
        with open(self.state + "/position.json", encoding="utf-8") as file:
            return json.load(file)["source"]

    def test_refused(self):
        self.start_daemon()
        self.order("refuse")
        self.run_it("--state-dir", self.state, status=1)
        self.assertRegex(self.said(), r"topic i4-readings: .*authorization failed")
        self.assertRegex(self.said(), r"may not have arrived; they will be sent again")
        self.run_past()
        self.assert_complete(self.read_sequences())

    def test_busy(self):
        self.start_daemon()
        process = self.start("--state-dir", self.state)
        self.wait_position(1)
        self.run_it("--state-dir", self.state, status=1)
        self.assertIn("another i4 kafka keeps its position in " + self.state, self.said())
        self.end(process)

    def test_damaged_state(self):
        self.start_daemon()
        os.mkdir(self.state)
        for text in ("", "{", '{"topic":1}', '{"topic":"i4-readings","source":"x","next_sequence":"-1"}'):
            self.path("state/position.json", text)
            self.run_it("--state-dir", self.state, "-n", "100")
            self.assertGreaterEqual(self.get_position(), 100)
        self.assertEqual(self.said().count("makes no sense"), 4)


class Usage(Case):
    def refuse(self, pattern, *arguments, status=2, **variables):
        self.run_it(*arguments, status=status, **variables)
        self.assertRegex(self.said(), pattern)
        os.truncate(self.log, 0)

    def test_settings(self):
        self.refuse(r"^i4 kafka: no brokers: give --brokers host:9092", KAFKA_BROKERS="")
        self.refuse(r"^i4 kafka: KAFKA_TOPIC 'a b' is not the name of a topic", KAFKA_TOPIC="a b")
        self.refuse(r"^i4 kafka: --from 'now' is not oldest or newest", "--from", "now")
        self.refuse(r"^i4 kafka: --records '-1' is not a number", "-n", "-1")
        self.refuse(r"^i4 kafka: SEQUENCE 'maybe' is not yes or no", SEQUENCE="maybe")
        self.refuse(r"unknown flag '--brokes', did you mean '--brokers'", "--brokes=x")

    def test_properties(self):
        for line, reason in (("acks=1", "acks is not to be set: nothing may be lost"),
                             ("linger.ms=soon", "Invalid value for configuration property"),
                             ("compresion=lz4", "No such configuration property: \"compresion\""),
                             ("compression", "not of the form name=value")):
            path = self.path("wrong.conf", f"# first\n\n{line}\n")
            self.refuse(re.escape(f"i4 kafka: {path}:3: {reason}"), "--config", path)
        self.refuse("cannot read /nowhere: No such file or directory", "--config", "/nowhere", status=1)

    def test_absent(self):
        self.refuse("there is no /nowhere/i4-kafka .*comes without Kafka", I4_LIBEXEC="/nowhere", status=1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[8:])
