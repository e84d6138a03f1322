#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What docs/pipelines.md says of programs that Debian ships, done with them: mosquitto_pub, kcat and rsyslog

    test-deliver.py I4 I4D SOURCE-DIRECTORY CLUSTER [CASE…]

Each is skipped where its program is not installed; tools/test installs them.
"""

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import waiting  # pylint: disable=wrong-import-position

WAIT_S = 60
wait_for = functools.partial(waiting.wait_for, WAIT_S)
I4, I4D, SOURCE, CLUSTER = (os.path.abspath(path) for path in sys.argv[1:5])


def find_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def needs(*programs):
    missing = [name for name in programs if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    return unittest.skipIf(missing, f"there is no {', '.join(missing)}")


class Collector(socketserver.ThreadingTCPServer):
    """Takes lines from whoever connects."""

    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                self.server.lines.append(line)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Collector.Handler)
        self.lines = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Case(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="i4-deliver-")
        self.directory = self.temporary.name
        self.readings = os.path.join(self.directory, "readings")
        self.socket = os.path.join(self.directory, "ring.sock")
        self.environment = {**os.environ, "I4_SOCKET": self.socket,
                            "PATH": f"{os.path.dirname(I4)}:{os.environ['PATH']}:/usr/sbin"}
        self.processes = []

    def tearDown(self):
        for process in reversed(self.processes):
            # With all that a shell has started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        self.temporary.cleanup()

    def spawn(self, command, **kwargs):
        with open(self.directory + "/log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                command, env=self.environment, start_new_session=True, **{"stdout": log, "stderr": log, **kwargs})
        self.processes.append(process)
        return process

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def start_daemon(self, storage="Enabled=no"):
        config = self.write("i4d.conf", f"[Generator]\nRate=5000\nSensors=800\n[Storage]\n{storage}\n")
        daemon = self.spawn([I4D, "--config", config, "--socket", self.socket, "--directory", self.readings])
        wait_for("the daemon", lambda: os.path.exists(self.socket))
        return daemon

    def get_command(self, program):
        """The line of the page that pipes into it."""
        with open(SOURCE + "/docs/pipelines.md", encoding="utf-8") as file:
            commands = re.findall(r"^i4 tail .*\| " + program + " .*$", file.read(), re.MULTILINE)
        self.assertEqual(len(commands), 1, f"docs/pipelines.md has one line for {program}")
        return commands[0]

    def assert_gapless(self, lines):
        sequences = [json.loads(line)["seq"] for line in lines]
        wrong = [(a, b) for a, b in zip(sequences, sequences[1:]) if b != a + 1]
        n_missing = sequences[-1] + 1 - sequences[0] - len(set(sequences))
        self.assertEqual(wrong, [], f"missing {n_missing}, more than once {len(sequences) - len(set(sequences))}")


class Deliver(Case):
    @needs("mosquitto", "mosquitto_pub", "mosquitto_sub")
    def test_mosquitto(self):
        port = find_port()
        config = self.write("mosquitto.conf", f"listener {port} 127.0.0.1\nallow_anonymous true\n"
                                              "max_queued_messages 0\nuser root\n")
        self.spawn(["mosquitto", "-c", config])
        wait_for("the broker", lambda: is_listening(port))
        subscriber = self.spawn(["mosquitto_sub", "-p", str(port), "-t", "i4/#", "-q", "1", "-C", "5000"],
                                stdout=subprocess.PIPE)
        self.start_daemon()
        # Subscribed is who gets a message; the rest must then be whole.
        ping = ["mosquitto_pub", "-p", str(port), "-t", "i4/ping", "-m", "ping"]
        received = []
        reading = threading.Thread(target=lambda: received.extend(subscriber.stdout), daemon=True)
        reading.start()
        wait_for("the subscriber", lambda: subprocess.run(ping, check=True) and received)

        command = self.get_command("mosquitto_pub").replace("mqtt.example", f"127.0.0.1 -p {port}")
        self.spawn(["sh", "-c", command.replace("i4 tail", "i4 tail --sequence")])
        self.assertEqual(subscriber.wait(WAIT_S), 0)
        reading.join()
        lines = [line for line in received if line != b"ping\n"]
        self.assertGreater(len(lines), 4000)
        self.assert_gapless(lines)

    @needs("kcat", CLUSTER)
    def test_kcat(self):
        cluster = self.spawn([CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        brokers = cluster.stdout.readline().strip()
        self.start_daemon()
        command = self.get_command("kcat").replace("kafka.example:9092", brokers)
        self.spawn(["sh", "-c", command.replace("i4 tail", "i4 tail --sequence -n 5000")]).wait(WAIT_S)
        output = subprocess.run(["kcat", "-C", "-b", brokers, "-t", "i4-readings", "-e", "-q", "-o", "beginning"],
                                stdout=subprocess.PIPE, check=True, timeout=WAIT_S).stdout
        lines = sorted(output.splitlines(), key=lambda line: json.loads(line)["seq"])
        self.assertEqual(len(lines), 5000)
        self.assert_gapless(lines)

    @needs("rsyslogd")
    def test_rsyslog(self):
        """Over $I4_ROTATIONS (50), and a restart of rsyslog, each stored line arrives once."""
        collector = Collector()
        self.start_daemon("MaxFileSize=1M\nSequence=yes\nMaxUse=infinity\nKeepFree=0")
        live = self.readings + "/readings.jsonl"
        wait_for("readings", lambda: os.path.exists(live) and os.path.getsize(live) > 0)

        with open(SOURCE + "/pipelines/rsyslog.conf", encoding="utf-8") as file:
            text = file.read()
        for old, new in (("/var/lib/i4/readings.jsonl", live), ("collector.example", "127.0.0.1"),
                         ("5140", str(collector.server_address[1]))):
            self.assertIn(old, text)
            text = text.replace(old, new)
        config = self.write("rsyslog.conf", f'global(workDirectory="{self.directory}")\n{text}')
        command = ["rsyslogd", "-n", "-f", config, "-i", self.directory + "/rsyslog.pid"]

        rsyslog = self.spawn(command)
        wait_for("lines", lambda: len(collector.lines) > 10000)
        rsyslog.terminate()
        rsyslog.wait(WAIT_S)
        n = len(collector.lines)
        self.spawn(command)
        wait_for("lines after a restart", lambda: len(collector.lines) > n + 10000)
        for i in range(int(os.environ.get("I4_ROTATIONS", "50"))):
            subprocess.run([I4, "rotate"], env=self.environment, check=True)
            n = len(collector.lines)
            wait_for(f"lines after rotation {i}", lambda: len(collector.lines) > n + 500)

        # Lines that have waited on disk come late.
        self.assert_gapless(sorted(collector.lines, key=lambda line: json.loads(line)["seq"]))
        collector.shutdown()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[5:])
