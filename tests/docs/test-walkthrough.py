#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
docs/index.html in a real browser

    test-walkthrough.py I4 SENSOR-GEN SOURCE-DIRECTORY CHROMIUM
"""

import html.parser
import os
import re
import subprocess
import sys
import tempfile
import unittest

I4, SENSOR_GEN, SOURCE, CHROMIUM = (os.path.abspath(path) for path in sys.argv[1:5])
PAGE = os.path.join(SOURCE, "docs", "index.html")

# What is not i4's; each is explained where it stands on the page.
OTHERS = {"sudo", "tail", "jq", "journalctl", "apt", "adduser"}


def read_page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def browse(page, width):
    """The page as it is after its scripts have run, and what the browser had to say."""
    with tempfile.TemporaryDirectory(prefix="i4-browser-") as profile:
        result = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + profile,
             "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=4000",
             f"--window-size={width},1200", "--dump-dom", "file://" + page],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100, check=True)
    return result.stdout.decode(), result.stderr.decode()


class Reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def find(self, tag, **wanted):
        return [attrs for name, attrs in self.tags
                if name == tag and all(attrs.get(key.rstrip("_")) == value for key, value in wanted.items())]


class Walkthrough(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = read_page()
        cls.dom, cls.said = browse(PAGE, 1440)
        cls.page = Reader(cls.dom)

    def test_ready(self):
        self.assertEqual(re.findall(r".*CONSOLE.*", self.said), [])
        self.assertEqual(self.page.find("html")[0].get("data-ready"), "yes")
        self.assertEqual(len(self.page.find("div", class_="step")), 8)
        self.assertEqual(self.dom.count('aria-label="Copy the commands: '), 8)
        self.assertEqual(len(re.findall(r'aria-label="\w+ over a day', self.dom)), 8)
        self.assertGreaterEqual(self.dom.count('aria-pressed="false">"'), 10, "fields of a record")
        self.assertGreater(self.dom.count("<polyline"), 10)
        self.assertRegex(self.dom, r"[\d,]+ barrels an hour less behind the leak")

    def test_alone(self):
        """It asks nobody for anything."""
        for attribute in ("src", "href"):
            for _, attrs in self.page.tags:
                self.assertNotRegex(attrs.get(attribute) or "", r"^(https?:)?//", attrs)
        self.assertNotRegex(self.text, r"@import|url\(|fetch\(|XMLHttpRequest")
        self.assertLess(len(self.text), 400 * 1024)

    def test_links(self):
        ids = {attrs["id"] for _, attrs in self.page.tags if "id" in attrs}
        for attrs in self.page.find("a"):
            where = attrs["href"]
            if where.startswith("#"):
                self.assertIn(where[1:], ids)
            else:
                self.assertTrue(os.path.exists(os.path.join(SOURCE, "docs", where)), where)

    def test_heard(self):
        """Who cannot see it has names for everything, and who has no mouse reaches it."""
        self.assertEqual(self.page.find("html")[0]["lang"], "en")
        labels = {attrs["for"] for attrs in self.page.find("label")}
        for attrs in self.page.find("input"):
            self.assertIn(attrs["id"], labels)
        for attrs in self.page.find("svg", role="img"):
            self.assertTrue(attrs.get("aria-label") or attrs.get("aria-labelledby"), attrs)
        self.assertTrue(all(attrs.get("type") == "button" for attrs in self.page.find("button")))
        self.assertEqual(self.page.find("a")[0]["class"], "skip")
        self.assertNotIn("outline: none", self.text)
        self.assertIn("prefers-reduced-motion", self.text)

    def test_commands(self):
        """Every command can be typed: programs, verbs and flags exist."""
        blocks = re.findall(r'<div class="code"><pre>(.*?)</pre>', self.text, re.DOTALL)
        self.assertEqual(len(blocks), 8)
        for line in "\n".join(blocks).splitlines():
            for command in line.split("|"):
                self.check_command(command.split())

    def check_command(self, words):
        if words[0] == "sudo":
            words = words[1:]
        program = words[0]
        if program == "i4":
            self.check_flags([I4, words[1]], words[2:])
        elif program == "sensor-gen":
            self.check_flags([SENSOR_GEN], words[1:])
        elif program.startswith("tools/"):
            self.assertTrue(os.access(os.path.join(SOURCE, program), os.X_OK), program)
        else:
            self.assertIn(program, OTHERS)

    def check_flags(self, command, words):
        text = subprocess.run([*command, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                              env={**os.environ, "I4_LIBEXEC": os.environ.get("I4_LIBEXEC", "")}).stdout.decode()
        for word in words:
            if word.startswith("-"):
                self.assertRegex(text, r"(^|[\s,])" + re.escape(word) + r"\b", " ".join(command))

    def test_contrast(self):
        """Text on its ground: 4.5 to 1 at least, in both themes."""
        themes = re.findall(r":root(?:\[data-theme=dark\])? \{([^}]*--paper[^}]*)\}", self.text)
        self.assertEqual(len(themes), 2)
        for theme in themes:
            colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", theme))
            for text, ground in (("ink", "paper"), ("soft", "paper"), ("accent", "paper"), ("ink", "card"),
                                 ("soft", "card"), ("ink", "code"), ("warm", "card"), ("paper", "accent")):
                self.assertGreaterEqual(contrast(colors[text], colors[ground]), 4.5, f"{text} on {ground}")

    def test_phone(self):
        _, said = browse(PAGE, 390)
        self.assertEqual(re.findall(r".*CONSOLE.*", said), [])


def contrast(one, other):
    """WCAG 2.1, 1.4.3"""
    def luminance(color):
        digits = color[1:] if len(color) == 7 else "".join(c * 2 for c in color[1:])
        parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
