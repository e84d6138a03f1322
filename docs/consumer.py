#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Follow i4d's ring without libi4: the socket, one mapping, and the protocol of i4-ring(7).

Prints one line a reading: sequence, sensor number, value. Python's loads are ordered as x86 orders them; on other
machines use libi4.
"""
import json
import mmap
import os
import socket
import struct
import sys
import time

RECORD = struct.Struct("<QQIIiiiIHHBBBB16x")
VERSION, LAYOUT = 8, 2
PUBLISHED, CLAIMED, GEOMETRY = 256, 264, 64


def attach(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(path)
    connection.send(json.dumps({"hello": {"name": "consumer.py", "version": "1"}}).encode())
    answer, descriptors, _, _ = socket.recv_fds(connection, 1024, 1)
    if "welcome" not in json.loads(answer):
        sys.exit(f"refused: {answer.decode()}")
    ring = mmap.mmap(descriptors[0], os.fstat(descriptors[0]).st_size, prot=mmap.PROT_READ)
    version = int.from_bytes(ring[VERSION : VERSION + 4], "little")
    if version != LAYOUT:
        sys.exit(f"the ring has layout {version}, this program knows {LAYOUT}")
    return connection, ring


def word(ring, offset):
    return int.from_bytes(ring[offset : offset + 8], "little")


def follow(connection, ring, limit):
    n_records, records_offset = struct.unpack_from("<QQ", ring, GEOMETRY)
    cursor, lost, reported = word(ring, PUBLISHED), 0, 0.0
    while limit > 0:
        published = word(ring, PUBLISHED)
        if published == cursor:
            time.sleep(0.01)
            continue
        n = min(published - cursor, 1024, n_records - cursor % n_records, limit)
        start = records_offset + cursor % n_records * RECORD.size
        copy = ring[start : start + n * RECORD.size]
        oldest = max(word(ring, CLAIMED) - n_records, 0)
        if cursor < oldest:
            lost, cursor = lost + oldest - cursor, oldest
            print(f"lost {lost}", file=sys.stderr)
            continue
        for sequence, _, sensor, _, value, *_ in RECORD.iter_unpack(copy):
            print(sequence, sensor, value / 100)
        cursor, limit = cursor + n, limit - n
        if time.monotonic() - reported >= 1:
            reported = time.monotonic()
            report = {"cursor": cursor, "lag": published - cursor, "lost": lost}
            connection.send(json.dumps({"report": report}).encode())


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 62
    try:
        follow(*attach(os.environ.get("I4_SOCKET", "/run/i4/ring.sock")), count)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
