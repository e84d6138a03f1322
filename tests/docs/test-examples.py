#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The programs that README, manual, header and docs show, as they stand there, beside a real i4d

    test-examples.py I4D SENSOR-GEN SOURCE-DIRECTORY DIRECTORY-OF-LIBI4 COMPILER… [-- CASE…]
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import waiting  # pylint: disable=wrong-import-position

WAIT_S = 30
wait_for = functools.partial(waiting.wait_for, WAIT_S)
I4D, SENSOR_GEN, SOURCE, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:5])
REST = sys.argv[5:] + ["--"]
COMPILER, CASES = REST[:REST.index("--")], REST[REST.index("--") + 1:-1]

# Much goes wrong, so that there is something to see.
SETTINGS = """
[Generator]
Rate=20000
Anomalies=100%
Model=uniform
BatchSec=10ms

[Storage]
Sequence=yes
FlushSec=10ms
MaxUse=infinity
KeepFree=0
"""


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def find_example(text, begin, end):
    """What stands between the only two lines that are these."""
    found = re.findall(rf"^{begin}$\n(.*?)^{end}$", text, re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        raise AssertionError(f"{len(found)} examples between {begin} and {end}")
    return found[0]


def get_number(reading):
    return int(reading["sensor_id"].rpartition("-")[2])


class Examples(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        self.live = os.path.join(self.directory, "readings", "readings.jsonl")
        self.environment = {**os.environ, "I4_SOCKET": os.path.join(self.directory, "ring.sock"),
                            "LD_LIBRARY_PATH": LIBRARY}

    def path(self, name, text=None):
        path = os.path.join(self.directory, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def compile(self, name, text):
        source, program = self.path(name + ".c", text), self.path(name)
        subprocess.run([*COMPILER, "-Wall", "-Wextra", "-Werror", source, f"-I{SOURCE}/include", f"-L{LIBRARY}", "-li4",
                        "-o", program], check=True)
        return program

    def start_daemon(self):
        log = open(self.path("log"), "w", encoding="utf-8")
        self.addCleanup(log.close)
        daemon = subprocess.Popen(
            [I4D, "--config", self.path("i4d.conf", SETTINGS), "--socket", self.environment["I4_SOCKET"],
             "--directory", os.path.dirname(self.live)], stdout=log, stderr=log)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        wait_for("i4d is ready", lambda: "Ready:" in read(log.name))

    def run_lines(self, command, n):
        """The first so many lines that it prints."""
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=self.environment, text=True) as process:
            lines = [process.stdout.readline().rstrip("\n") for _ in range(n)]
            process.kill()
        self.assertNotIn("", lines)
        return lines

    def stored(self):
        lines = read(self.live).splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_stored(self, lines, render):
        """Until the lines are a stretch, without a gap, of what @render makes of the stored readings it wants."""
        def look():
            stored = [render(reading) for reading in self.stored()]
            stored = [line for line in stored if line]
            return any(stored[i:i + len(lines)] == lines for i, line in enumerate(stored) if line == lines[0])
        wait_for(f"stored: {lines[0]}, …", look)

    def test_readme(self):
        """In C: a stretch of what is stored, without a gap."""
        program = self.compile("consumer", find_example(read("README.md"), "```c", "```"))
        self.start_daemon()
        self.wait_stored(self.run_lines([program], 2000),
                         lambda reading: f"{get_number(reading)} {reading['value']:.2f}")

    def test_readme_alone(self):
        """Where there is no daemon it says so."""
        program = self.compile("consumer", find_example(read("README.md"), "```c", "```"))
        done = subprocess.run([program], env=self.environment, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, "consumer: No such file or directory\n"))

    def test_manual(self):
        text = find_example(read("man/libi4.3").split(".SH EXAMPLE")[1], r"\.EX", r"\.EE")
        program = self.compile("high-alerts", text.replace("\\-", "-").replace("\\e", "\\"))
        self.start_daemon()
        self.wait_stored(self.run_lines([program], 100),
                         lambda reading: f"{reading['sensor_id']} {reading['value']:.2f}"
                         if reading.get("alert_level") == "high" and reading["pipeline_id"] == "PIPE-TX-001" else None)

    def test_header(self):
        """The example at its top compiles, as part of a program."""
        comment = re.search(r"/\*\n \* libi4:.*?\*/", read("include/i4.h"), re.DOTALL).group()
        code = "\n".join(re.findall(r"^ \* {8,}(.*)$", comment, re.MULTILINE))
        self.assertIn("i4_reader_open", code)
        self.compile("header", f"""
#include <errno.h>
#include <i4.h>
#include <stdio.h>

static void consume(const struct i4_record *record) {{
        printf("%u\\n", record->sensor);
}}

int main(void) {{
{code}
        return 0;
}}
""")

    def test_python(self):
        """Without libi4, and with the numbers."""
        self.start_daemon()
        lines = self.run_lines([sys.executable, "-u", os.path.join(SOURCE, "docs/consumer.py"), "5000"], 5000)
        self.wait_stored(lines, lambda reading: f"{reading['seq']} {get_number(reading)} {float(reading['value'])}")

    def test_plots(self):
        """What docs/plots.md lets its reader type draws the leak that it says."""
        text = read("docs/plots.md").split("## Your own")[1]
        script = "".join(re.findall(r"^ {4}(.*\n)", text, re.MULTILINE))
        self.assertIn("sensor-gen", script)
        path = os.path.dirname(SENSOR_GEN) + ":" + os.environ["PATH"]
        said = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.directory, check=True, text=True,
                              env={**os.environ, "PATH": path}, stdout=subprocess.PIPE).stdout
        rows = [line.split("\t") for line in said.splitlines() if "\t" in line]
        begin = "2026-06-15T09:00:00Z"
        self.assertEqual({label for time, _, _, label in rows if time < begin}, {"none"})
        self.assertEqual({label for time, _, _, label in rows if time > begin}, {"none", "leak"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + CASES)
