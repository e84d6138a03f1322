# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that is told what to do, over a pipe, and has no network."""

import contextlib
import json
import os
import select
import subprocess
import tempfile
import time

WAIT_S = 60


class Browser(contextlib.AbstractContextManager):
    """One page in one browser; what its console said is in self.said."""

    def __init__(self, chromium, path):
        self.said, self.n, self.n_loaded, self.rest, self.session = [], 0, 0, b"", None
        self.profile = tempfile.TemporaryDirectory(prefix="i4-browser-", ignore_cleanup_errors=True)
        theirs_in, self.to = os.pipe()
        self.answers, theirs_out = os.pipe()
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "chromium", chromium, "--headless", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe", "--user-data-dir=" + self.profile.name,
             "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        page = next(target for target in self.call("Target.getTargets")["targetInfos"] if target["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.call(domain + ".enable")
        self.load("Page.navigate", url="file://" + path)

    def __exit__(self, *_):
        os.close(self.to)
        self.process.kill()
        self.process.wait()
        os.close(self.answers)
        self.profile.cleanup()

    def call(self, method, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self.read()).get("id") != self.n:
            pass
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def load(self, method="Page.reload", **params):
        """Until the new page is there with all that its scripts do at once; the old one would look the same."""
        n = self.n_loaded
        self.call(method, **params)
        while self.n_loaded == n:
            self.read()

    def read(self):
        while b"\0" not in self.rest:
            assert select.select([self.answers], [], [], WAIT_S)[0], "the browser does not answer"
            part = os.read(self.answers, 1 << 20)
            assert part, "the browser has ended"
            self.rest += part
        line, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(line)
        if message.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.said.append(message["params"])
        self.n_loaded += message.get("method") == "Page.loadEventFired"
        return message

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression):
        deadline = time.monotonic() + WAIT_S
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"waited in vain: {expression}"
            time.sleep(0.02)

    def resize(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, **features):
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()])

    def press(self, key):
        code, text = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "ArrowRight": (39, ""), "End": (35, ""),
                      "Home": (36, "")}[key]
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def get_accessibility_tree(self):
        """What a screen reader is told: (role, name, properties) of all that is not ignored."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""),
                 {p["name"]: p["value"].get("value") for p in node.get("properties", [])})
                for node in nodes if not node["ignored"]]
