#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The one operation of S3 that i4 uses, checked as S3 checks it: signature and digest, by the letter of Amazon's
documentation and with nothing of libcurl's

    s3_service.py DIRECTORY [PORT]

As a program it prints its port and keeps objects as files in DIRECTORY; as a module it keeps them in memory, and
can be told to misbehave.
"""

import calendar
import hashlib
import hmac
import http.server
import os
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse

WAIT_S = 30
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def check_request(method, target, headers, body):
    """None, or S3's word for what is wrong."""
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/s3/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if not match:
        return "AccessDenied"
    key, date, region, signed, signature = match.groups()
    if key != KEY:
        return "InvalidAccessKeyId"

    digest = headers.get("x-amz-content-sha256", "")
    if digest != hashlib.sha256(body).hexdigest():
        return "XAmzContentSHA256Mismatch"
    names = signed.split(";")
    needed = {name.lower() for name in headers if name.lower().startswith("x-amz-")} | {"host"}
    if names != sorted(names) or not needed <= set(names):
        return "AccessDenied"

    path, _, query = target.partition("?")
    if query or urllib.parse.quote(urllib.parse.unquote(path), safe="/~") != path:
        return "SignatureDoesNotMatch"
    canonical = [method, path, ""]
    canonical += [f"{name}:{' '.join(headers[name].split())}" for name in names] + ["", signed, digest]
    scope = f"{date}/{region}/s3/aws4_request"
    moment = headers["x-amz-date"]
    if abs(time.time() - calendar.timegm(time.strptime(moment, "%Y%m%dT%H%M%SZ"))) > 900:
        return "RequestTimeTooSkewed"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256("\n".join(canonical).encode()).hexdigest()]
    )
    secret = f"AWS4{SECRET}".encode()
    for part in (date, region, "s3", "aws4_request"):
        secret = sign(secret, part)
    return None if sign(secret, text).hex() == signature else "SignatureDoesNotMatch"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, code=None):
        text = f"<Error><Code>{code}</Code><Message>It is so.</Message></Error>".encode() if code else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def do_PUT(self):
        service = self.server
        fault = service.faults.pop(0) if service.faults else service.fault
        size = int(self.headers["Content-Length"])
        if fault == "cut":
            self.rfile.read(size // 2)
            service.n_cut += 1
            return self.reset()
        if fault == "hold":
            self.rfile.read(size // 2)
            service.held.set()
            service.released.wait(WAIT_S)
            return self.reset()
        body = b""
        while len(body) < size:
            part = self.rfile.read(min(size - len(body), 16384 if fault == "slow" else size))
            if not part:
                return None
            body += part
            if fault == "slow":
                time.sleep(0.02)

        code = check_request("PUT", self.path, self.headers, body)
        bucket, _, key = urllib.parse.unquote(self.path)[1:].partition("/")
        if code:
            return self.answer(403, code)
        if bucket != "bucket":
            return self.answer(404, "NoSuchBucket")
        if fault == "503":
            return self.answer(503, "SlowDown")
        with service.lock:
            service.objects.setdefault(key, []).append(body)
            service.meta[key] = dict(self.headers)
        if fault == "lost":  # stored, but nobody is told
            return self.reset()
        return self.answer(200)


class Service(http.server.ThreadingHTTPServer):
    def __init__(self, port=0, tls=None):
        self.objects, self.meta, self.faults, self.fault = {}, {}, [], None
        self.n_cut, self.lock = 0, threading.Lock()
        self.held, self.released = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    def handle_error(self, request, client_address):
        pass

    @property
    def port(self):
        return self.server_address[1]

    def close(self):
        self.released.set()
        self.shutdown()
        self.thread.join()
        self.server_close()


class Objects(dict):
    """Kept as files, too: one that is sent again must be the same."""

    def __init__(self, directory):
        super().__init__()
        self.directory = directory

    def setdefault(self, key, default=None):
        objects = self

        class Bodies(list):
            def append(self, body):
                path = os.path.join(objects.directory, key.replace("/", "_"))
                with open(path + ".new", "wb") as file:
                    file.write(body)
                os.rename(path + ".new", path)

        return Bodies()


def main():
    service = Service(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    service.objects = Objects(sys.argv[1])
    print(service.port, flush=True)
    service.thread.join()


if __name__ == "__main__":
    main()
