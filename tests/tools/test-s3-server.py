#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
i4 batch --s3 into an S3 service made by others, which checks signatures, over a link that fails

    test-s3-server.py I4 I4-S3 CACHE [CASE…]

The service is @20minutes/s3rver of the npm registry, installed into CACHE the first time. Where the registry
cannot be reached the test is skipped, and says so.
"""

import contextlib
import functools
import json
import os
import re
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import waiting  # pylint: disable=wrong-import-position

WAIT_S = 30
wait_for = functools.partial(waiting.wait_for, WAIT_S)
SKIPPED = 77
PACKAGE = "@20minutes/s3rver@4.0.4"
SERVER = """
const S3rver = require('@20minutes/s3rver');
new S3rver({ directory: process.argv[1], port: 0, address: '127.0.0.1', silent: true,
        configureBuckets: [{ name: 'test-bucket' }] }).run((error, address) => {
        if (error) throw error;
        console.log(address.port);
});
"""
I4, I4_S3 = (os.path.realpath(path) for path in sys.argv[1:3])
CACHE = Path(sys.argv[3])


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def install():
    if (CACHE / "node_modules" / "@20minutes").is_dir():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", CACHE, PACKAGE],
            check=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        skip("there is no npm")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        skip("the npm registry cannot be reached")


class Link(socketserver.ThreadingTCPServer):
    """Between the two: hands on what it gets, or for each connection does what its next fault says."""

    daemon_threads = True

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            link = self.server
            fault = link.faults.pop(0) if link.faults else link.fault
            if fault == "503":
                self.request.recv(65536)
                self.request.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", link.target), WAIT_S) as service:
                back = threading.Thread(target=self.give_back, args=(service,), daemon=True)
                back.start()
                n = 0
                with contextlib.suppress(OSError):
                    while part := self.request.recv(1024 if fault else 65536):
                        service.sendall(part)
                        n += len(part)
                        if fault == "slow":
                            time.sleep(0.002)
                        # Beyond the head of the request, before its end.
                        if fault in ("cut", "hold") and n > 8192:
                            break
                if fault == "hold":
                    link.held.set()
                    link.released.wait(WAIT_S)
                if fault in ("cut", "hold"):
                    link.n_cut += 1
                    for end in (self.request, service):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    with contextlib.suppress(OSError):
                        service.shutdown(socket.SHUT_WR)
                    back.join(WAIT_S)

        def give_back(self, service):
            with contextlib.suppress(OSError):
                while part := service.recv(65536):
                    self.request.sendall(part)
                self.request.shutdown(socket.SHUT_RDWR)

    def __init__(self, target):
        self.target, self.faults, self.fault, self.n_cut = target, [], None, 0
        self.held, self.released = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), Link.Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="i4-s3-")
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.data = Path(cls.temporary.name)
        server = subprocess.Popen(  # pylint: disable=consider-using-with
            ["node", "-e", SERVER, cls.data], cwd=CACHE, stdout=subprocess.PIPE, text=True
        )
        cls.addClassCleanup(server.stdout.close)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.kill)
        cls.port = int(server.stdout.readline())

    def setUp(self):
        self.spool = tempfile.TemporaryDirectory(prefix="i4-s3-spool-")
        self.addCleanup(self.spool.cleanup)
        self.link = Link(self.port)
        self.addCleanup(self.link.server_close)
        self.addCleanup(self.link.shutdown)
        # One bucket for all: what a case puts there has its name.
        self.node = self._testMethodName

    def start(self, first, last, **variables):
        path = Path(self.spool.name, f"{first}.jsonl")
        path.write_text("".join(json.dumps({"sensor_id": f"a{n}", "timestamp": "2026-11-23T10:49:43Z",
                                            "type": "pressure", "value": n, "pad": "x" * 400}) + "\n"
                                for n in range(first, last + 1)), encoding="utf-8")
        environment = {
            **os.environ,
            "I4_LIBEXEC": os.path.dirname(I4_S3),
            "AWS_ACCESS_KEY_ID": "S3RVER",
            "AWS_SECRET_ACCESS_KEY": "S3RVER",
            "S3": "yes",
            "S3_BUCKET": "test-bucket",
            "S3_ENDPOINT": f"http://127.0.0.1:{self.link.server_address[1]}",
            "EDGE_NODE_ID": self.node,
            "INPUT_FILE": str(path),
            "OUTPUT_DIR": self.spool.name + "/spool",
            "BATCH_SIZE": "100",
            **variables,
        }
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [I4, "batch"], env=environment, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_batch(self, first, last, status=0, **variables):
        process = self.start(first, last, **variables)
        said = process.communicate(timeout=WAIT_S)[1]
        self.assertEqual(process.returncode, status, said)
        return said

    def objects(self):
        return sorted(path for path in self.data.glob("test-bucket/**/*_object") if f"/{self.node}_" in str(path))

    def values(self):
        """What the bucket holds of this node, in the order of its keys."""
        return [record["value"] for path in self.objects() for record in json.loads(path.read_bytes())["records"]]

    def assert_arrived(self, n):
        self.assertEqual(self.values(), list(range(1, n + 1)))
        self.assertEqual(list(Path(self.spool.name, "spool").glob("batch_*")), [])

    def test_key(self):
        said = self.run_batch(1, 250, status=1, AWS_SECRET_ACCESS_KEY="wrong")
        self.assertIn("403 SignatureDoesNotMatch", said)
        self.assertEqual(self.values(), [])
        said = self.run_batch(1, 1, status=1, AWS_ACCESS_KEY_ID="nobody")
        self.assertIn("403 InvalidAccessKeyId", said)
        # What waited goes first.
        self.run_batch(252, 300)
        self.assertEqual(self.values(), [*range(1, 251), 1, *range(252, 301)])

    def test_names(self):
        """What has to be escaped is signed as it is sent."""
        self.node = "edge 1+ü"
        self.run_batch(1, 250)
        self.assert_arrived(250)
        for path in self.objects():
            self.assertRegex(str(path), r"/sensor-data/\d{4}/\d\d/\d\d/edge 1\+ü_\d{19}\.json\.")

    def test_no_bucket(self):
        said = self.run_batch(1, 100, status=1, S3_BUCKET="another-bucket")
        self.assertIn("there is no bucket 'another-bucket'", said)
        self.run_batch(101, 200)
        self.assert_arrived(200)

    def test_busy(self):
        self.link.faults = ["503"]
        said = self.run_batch(1, 300)
        self.assertEqual(len(re.findall("answers 503.*trying again", said)), 1, said)
        self.assert_arrived(300)

    def test_cut(self):
        self.link.faults = ["cut"]
        said = self.run_batch(1, 300)
        self.assertEqual(said.count("trying again"), 1, said)
        self.assertEqual(self.link.n_cut, 1)
        self.assert_arrived(300)

    def test_slow(self):
        self.link.fault = "slow"
        self.run_batch(1, 300)
        self.assert_arrived(300)

    def test_killed(self):
        """kill -9 while half of an object is there (this service shows it, S3 would not): afterwards all are whole."""
        self.link.faults = ["hold"]
        # The spool takes less than there is to read: the file must be gone on with.
        process = self.start(1, 500, MAX_USE="200K")
        self.assertTrue(self.link.held.wait(WAIT_S))
        process.kill()
        process.wait()
        self.link.released.set()
        self.run_batch(1, 500, MAX_USE="200K")
        self.assert_arrived(500)


if __name__ == "__main__":
    install()
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
