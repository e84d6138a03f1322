#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
i4 batch --s3 against services that are as bad as networks are

    test-s3.py I4 I4-S3 [CASE…]

The service is s3_service.py, which checks each request and can be told to misbehave. test-s3-server.py has one
that was made by others, for a second opinion.
"""

import functools
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from s3_service import KEY, SECRET, Service

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import waiting  # pylint: disable=wrong-import-position

WAIT_S = 30
wait_for = functools.partial(waiting.wait_for, WAIT_S)
I4, I4_S3 = (os.path.realpath(path) for path in sys.argv[1:3])


def line(n):
    return json.dumps(
        {"sensor_id": f"a{n}", "timestamp": "2026-11-23T10:49:43Z", "type": "pressure", "value": n, "pad": "x" * 400}
    )


class Case(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="i4-s3-")
        self.addCleanup(self.temporary.cleanup)
        self.directory = self.temporary.name
        self.spool = os.path.join(self.directory, "spool")
        self.service = Service()
        self.addCleanup(lambda: self.service.close())
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.directory,
            "I4_LIBEXEC": os.path.dirname(I4_S3),
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "OUTPUT_DIR": self.spool,
            "BATCH_SIZE": "100",
            "S3": "yes",
            "S3_BUCKET": "bucket",
            "EDGE_NODE_ID": "edge-1",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def write_lines(self, first, last):
        path = os.path.join(self.directory, f"{first}.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(line(n) + "\n" for n in range(first, last + 1))
        return path

    def start(self, path="-", endpoint=None, **variables):
        endpoint = endpoint or f"http://127.0.0.1:{self.service.port}"
        environment = {**self.environment, "INPUT_FILE": path, "S3_ENDPOINT": endpoint, **variables}
        with open(os.path.join(self.directory, "stderr"), "wb") as stderr:
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                [I4, "batch"],
                env={name: value for name, value in environment.items() if value is not None},
                stdin=subprocess.PIPE,
                stderr=stderr,
            )
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def said(self):
        with open(os.path.join(self.directory, "stderr"), encoding="utf-8") as file:
            return file.read()

    def run_batch(self, path="-", status=0, **arguments):
        process = self.start(path, **arguments)
        process.stdin.close()
        self.assertEqual(process.wait(WAIT_S), status, self.said())
        return self.said()

    def waiting(self):
        return sorted(name for name in os.listdir(self.spool) if name.startswith("batch_"))

    def children(self, process):
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def values(self):
        """What the bucket holds, in the order of its keys: each object was always stored with the same bytes."""
        values = []
        for key in sorted(self.service.objects):
            bodies = set(self.service.objects[key])
            self.assertEqual(len(bodies), 1, key)
            values += [record["value"] for record in json.loads(bodies.pop())["records"]]
        return values


class Upload(Case):
    """What arrives is what was made, under the reference's name, signed."""

    def test_objects(self):
        said = self.run_batch(self.write_lines(1, 250))
        self.assertIn("uploading into s3://bucket", said)
        self.assertEqual(self.values(), list(range(1, 251)))
        self.assertEqual(self.waiting(), [])
        for key, bodies in self.service.objects.items():
            match = re.fullmatch(r"sensor-data/(\d{4}/\d\d/\d\d)/edge-1_(\d{19})\.json", key)
            self.assertTrue(match, key)
            self.assertEqual(time.strftime("%Y/%m/%d", time.gmtime(int(match[2]) // 10**9)), match[1])
            self.assertEqual(len(bodies), 1)
            meta = json.loads(bodies[0])["batch_meta"]
            self.assertEqual(
                self.service.meta[key]["x-amz-meta-sequence"], f"{meta['first_sequence']}-{meta['last_sequence']}"
            )
            self.assertNotIn("pipeline", meta)
            self.assertNotIn("anomaly_reasons", json.loads(bodies[0])["records"][0]["data_quality"])

    def test_names(self):
        self.run_batch(
            self.write_lines(1, 1), EDGE_NODE_ID="a b/ü+'%", S3_PREFIX="/x y/~z//", ENRICH="yes", AWS_SESSION_TOKEN="t/+="
        )
        (key,) = self.service.objects
        self.assertRegex(key, r"^x y/~z/\d{4}/\d\d/\d\d/a b_ü\+'%_\d+\.json$")
        self.assertEqual(self.service.meta[key]["x-amz-security-token"], "t/+=")
        self.assertEqual(json.loads(self.service.objects[key][0])["batch_meta"]["pipeline"], "sensor-batched-to-s3")

    def test_period(self):
        process = self.start(BATCH_PERIOD="50ms")
        process.stdin.write((line(1) + "\n").encode())
        process.stdin.flush()
        wait_for("the first record is uploaded", lambda: self.service.objects)
        process.terminate()
        self.assertEqual(process.wait(WAIT_S), 0)


class Keys(Case):
    """Who may, and how that is told."""

    def test_wrong(self):
        path = self.write_lines(1, 250)
        said = self.run_batch(path, status=1, AWS_SECRET_ACCESS_KEY="secret-of-another")
        self.assertIn("answers 403 SignatureDoesNotMatch", said)
        self.assertNotIn("secret-of-another", said)
        self.assertEqual(len(self.waiting()), 3)
        self.assertEqual(self.service.objects, {})

        # What waited goes first.
        self.run_batch(self.write_lines(251, 300))
        self.assertEqual(self.values(), list(range(1, 301)))

    def test_none(self):
        said = self.run_batch(self.write_lines(1, 1), status=1, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        self.assertIn("there is no key", said)

    def test_half(self):
        said = self.run_batch(self.write_lines(1, 1), status=1, AWS_SECRET_ACCESS_KEY=None)
        self.assertIn("does not hold both halves of a key", said)

    def test_files(self):
        text = f"[other]\naws_access_key_id = x\naws_secret_access_key = y\n[NAME]\naws_access_key_id={KEY}\n"
        text += f"aws_secret_access_key = {SECRET}\n"
        bare = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}

        os.mkdir(os.path.join(self.directory, ".aws"))
        with open(os.path.join(self.directory, ".aws", "credentials"), "w", encoding="ascii") as file:
            file.write(text.replace("NAME", "default"))
        self.run_batch(self.write_lines(1, 10), **bare)

        given = os.path.join(self.directory, "given")
        with open(given, "w", encoding="ascii") as file:
            file.write(text.replace("NAME", "edge"))
        self.run_batch(self.write_lines(11, 20), AWS_PROFILE="edge", AWS_SHARED_CREDENTIALS_FILE=given, **bare)

        # The service manager's comes before all others.
        with open(os.path.join(self.directory, "aws-credentials"), "w", encoding="ascii") as file:
            file.write(text.replace("NAME", "default"))
        self.run_batch(self.write_lines(21, 30), CREDENTIALS_DIRECTORY=self.directory, AWS_ACCESS_KEY_ID="other")
        self.assertEqual(self.values(), list(range(1, 31)))

        # An empty one is none.
        with open(os.path.join(self.directory, "aws-credentials"), "w", encoding="ascii") as file:
            file.write("\n")
        self.run_batch(self.write_lines(31, 40), CREDENTIALS_DIRECTORY=self.directory)
        self.assertEqual(self.values(), list(range(1, 41)))

    def test_hidden(self):
        """Nobody reads a key from a command line."""
        self.service.fault = "hold"
        process = self.start(self.write_lines(1, 1))
        self.assertTrue(self.service.held.wait(WAIT_S))
        for pid in [process.pid, *self.children(process)]:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                self.assertNotIn(SECRET.encode(), file.read())
        process.terminate()
        self.assertEqual(process.wait(WAIT_S), 0)
        self.assertEqual(len(self.waiting()), 1)


class Trouble(Case):
    """Nothing is lost, nothing overtakes, and it is told once."""

    def test_no_bucket(self):
        said = self.run_batch(self.write_lines(1, 1), status=1, S3_BUCKET="another-bucket")
        self.assertIn("there is no bucket 'another-bucket' in us-east-1", said)
        self.assertEqual(len(self.waiting()), 1)

    def test_busy(self):
        self.service.faults = ["503"]
        said = self.run_batch(self.write_lines(1, 300))
        self.assertEqual(said.count("answers 503 SlowDown"), 1)
        self.assertEqual(self.values(), list(range(1, 301)))

    def test_cut(self):
        self.service.faults = ["cut"]
        said = self.run_batch(self.write_lines(1, 300))
        self.assertEqual(said.count("trying again"), 1)
        self.assertGreater(self.service.n_cut, 0)
        self.assertEqual(self.values(), list(range(1, 301)))

    def test_answer_lost(self):
        """Stored, but the answer never came: it is sent again, and is the same object."""
        self.service.faults = ["lost"]
        self.run_batch(self.write_lines(1, 300))
        self.assertEqual(max(len(bodies) for bodies in self.service.objects.values()), 2)
        self.assertEqual(self.values(), list(range(1, 301)))

    def test_slow(self):
        self.service.fault = "slow"
        self.run_batch(self.write_lines(1, 300))
        self.assertEqual(self.values(), list(range(1, 301)))

    def test_away(self):
        """The spool is bounded: full, nothing more is read, and all of it arrives when the service is back."""
        port = self.service.port
        self.service.close()
        process = self.start(self.write_lines(1, 1000), endpoint=f"http://127.0.0.1:{port}", MAX_USE="300K")
        wait_for("the spool is full", lambda: "is full (its limit is reached)" in self.said())
        size = sum(os.path.getsize(os.path.join(self.spool, name)) for name in self.waiting())
        self.assertLessEqual(size, 300 * 1024)
        self.service = Service(port)
        self.assertEqual(process.wait(WAIT_S), 0, self.said())
        self.assertEqual(self.values(), list(range(1, 1001)))

    def test_killed(self):
        """In the middle of an upload, with all that runs."""
        self.service.faults = [None, "hold"]
        process = self.start(self.write_lines(1, 500))
        self.assertTrue(self.service.held.wait(WAIT_S))
        children = self.children(process)
        process.kill()
        process.wait()
        for child in children:
            wait_for("its child ends with it", lambda pid=child: not is_running(pid))
        self.service.released.set()

        self.run_batch(self.write_lines(501, 600))
        self.assertEqual(self.values()[-100:], list(range(501, 601)))
        self.assertEqual(sorted(set(self.values())), self.values())

    def test_child_killed(self):
        self.service.faults = ["hold"]
        process = self.start()
        process.stdin.write("".join(line(n) + "\n" for n in range(1, 101)).encode())
        process.stdin.flush()
        self.assertTrue(self.service.held.wait(WAIT_S))
        os.kill(self.children(process)[0], signal.SIGKILL)
        self.assertEqual(process.wait(WAIT_S), 1)
        self.assertIn("i4-s3 ended unexpectedly", self.said())
        self.assertEqual(len(self.waiting()), 1)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Tls(Case):
    """A certificate that nobody vouches for is not accepted."""

    def setUp(self):
        super().setUp()
        self.certificate = os.path.join(self.directory, "certificate.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.certificate + ".key", "-out", self.certificate],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.certificate + ".key")
        self.service.close()
        self.service = Service(tls=context)

    def test_tls(self):
        endpoint = f"https://127.0.0.1:{self.service.port}"
        said = self.run_batch(self.write_lines(1, 10), status=1, endpoint=endpoint)
        self.assertIn("certificate", said)
        self.assertEqual(self.service.objects, {})

        self.run_batch(self.write_lines(11, 20), endpoint=endpoint, AWS_CA_BUNDLE=self.certificate)
        self.assertEqual(self.values(), list(range(1, 21)))


class Usage(Case):
    def test_usage(self):
        for variables, message in (
            ({"S3_BUCKET": None}, "--s3 needs S3_BUCKET or --s3-bucket, the name of a bucket"),
            ({"S3_BUCKET": "a/b"}, "S3_BUCKET 'a/b' is not the name of a bucket"),
            ({"AWS_REGION": "us east"}, "AWS_REGION 'us east' is not a region such as us-east-1"),
            ({"endpoint": "minio:9000"}, "S3_ENDPOINT 'minio:9000' is not an address"),
            ({"S3_ENDPOINT": None, "AWS_ENDPOINT_URL": "x"}, "AWS_ENDPOINT_URL 'x' is not an address"),
            ({"S3_PATH_STYLE": "maybe"}, "S3_PATH_STYLE 'maybe' is not yes or no"),
        ):
            said = self.run_batch(self.write_lines(1, 1), status=2, **variables)
            self.assertIn(message, said)
            self.assertEqual(said.count("\n"), 1)

    def test_absent(self):
        said = self.run_batch(self.write_lines(1, 1), status=1, I4_LIBEXEC=self.directory)
        self.assertIn("this i4 comes without S3", said)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
