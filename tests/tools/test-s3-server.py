#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
i4 batch --s3 into an S3 service made by others, which checks signatures

    test-s3-server.py I4 I4-S3 CACHE

The service is @20minutes/s3rver of the npm registry, installed into CACHE the first time. Where the registry
cannot be reached the test is skipped, and says so.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

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


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def install(cache):
    if (cache / "node_modules" / "@20minutes").is_dir():
        return
    cache.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", cache, PACKAGE],
            check=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        skip("there is no npm")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        skip("the npm registry cannot be reached")


def main():
    i4, i4_s3 = (os.path.realpath(path) for path in sys.argv[1:3])
    cache = Path(sys.argv[3])
    install(cache)

    with tempfile.TemporaryDirectory(prefix="i4-s3-") as directory:
        data = Path(directory, "data")
        data.mkdir()
        server = subprocess.Popen(  # pylint: disable=consider-using-with
            ["node", "-e", SERVER, data], cwd=cache, stdout=subprocess.PIPE, text=True
        )
        try:
            check(i4, i4_s3, Path(directory), data, int(server.stdout.readline()))
        finally:
            server.kill()
            server.wait()


def run(i4, i4_s3, directory, port, secret, node):
    environment = {
        **os.environ,
        "I4_LIBEXEC": os.path.dirname(i4_s3),
        "AWS_ACCESS_KEY_ID": "S3RVER",
        "AWS_SECRET_ACCESS_KEY": secret,
        "S3": "yes",
        "S3_BUCKET": "test-bucket",
        "S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "EDGE_NODE_ID": node,
        "OUTPUT_DIR": str(directory / "spool"),
        "BATCH_SIZE": "100",
    }
    lines = "".join(
        json.dumps({"sensor_id": f"a{n}", "timestamp": "2026-11-23T10:49:43Z", "type": "pressure", "value": n}) + "\n"
        for n in range(250)
    )
    return subprocess.run(
        [i4, "batch", "--input-file", "-"], env=environment, input=lines, capture_output=True, text=True, timeout=60
    )


def objects(data):
    return sorted(data.glob("test-bucket/**/*_object"))


def check(i4, i4_s3, directory, data, port):
    result = run(i4, i4_s3, directory, port, "wrong", "edge")
    assert result.returncode == 1, result.stderr
    assert "403 SignatureDoesNotMatch" in result.stderr, result.stderr
    assert not objects(data)

    # The three that waited, and three more, whose names need escaping.
    result = run(i4, i4_s3, directory, port, "S3RVER", "edge 1+ü")
    assert result.returncode == 0, result.stderr
    assert len(objects(data)) == 6, objects(data)
    n_records = 0
    for path in objects(data):
        assert re.search(r"/sensor-data/\d{4}/\d\d/\d\d/edge 1\+ü_\d{19}\.json\.", str(path)), path
        n_records += json.loads(path.read_bytes())["batch_meta"]["record_count"]
    assert n_records == 500, n_records


main()
