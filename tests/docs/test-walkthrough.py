#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
docs/index.html in a real browser: looked at, listened to, and used without a mouse

    test-walkthrough.py I4 SENSOR-GEN SOURCE-DIRECTORY CHROMIUM [CASE…]
"""

import html.parser
import os
import re
import subprocess
import sys
import unittest

from browser import Browser

I4, SENSOR_GEN, SOURCE, CHROMIUM = (os.path.abspath(path) for path in sys.argv[1:5])
PAGE = os.path.join(SOURCE, "docs", "index.html")

# What is not i4's; each is explained where it stands on the page.
OTHERS = {"sudo", "tail", "jq", "journalctl", "apt", "adduser", "expanso-edge", "expanso-cli"}


def read_page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


# Elements that stick out of the window, and are not in a box that can be scrolled.
STICKING_OUT = """[...document.querySelectorAll("main *, header *")].filter(element => {
    for (let box = element; box !== document.body; box = box.parentElement)
        if (box.matches(".skip") || ["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
    const {left, right} = element.getBoundingClientRect();
    return left < -1 || right > innerWidth + 1;
}).map(element => element.outerHTML.slice(0, 80))"""

# Text that is drawn on less than 4.5 to 1 of contrast with its ground, WCAG 2.1, 1.4.3. Plots lie on cards.
PALE = """(() => {
    const rgb = text => text.match(/[\\d.]+/g).map(Number);
    const ground = element => {
        for (; element; element = element.parentElement) {
            const color = rgb(getComputedStyle(element).backgroundColor);
            if (color.length === 3 || color[3] > 0) return color;
        }
        return [255, 255, 255];
    };
    const luminance = color => color.slice(0, 3).map(c => c / 255)
        .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    let n = 0;
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement, style = getComputedStyle(element);
        if (!walker.currentNode.data.trim() || !element.getClientRects().length || style.display === "none" ||
            element.closest("script, title")) continue;
        const ink = element instanceof SVGElement ? style.fill : style.color;
        const [light, dark] = [luminance(rgb(ink)), luminance(ground(element))].sort((a, b) => b - a);
        n++;
        if ((light + 0.05) / (dark + 0.05) < 4.5) found.push(walker.currentNode.data.trim() + ": " + ink);
    }
    return { n, found };
})()"""


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
        cls.browser = cls.enterClassContext(Browser(CHROMIUM, PAGE))
        cls.dom = cls.browser.evaluate("document.documentElement.outerHTML")
        cls.page = Reader(cls.dom)

    def setUp(self):
        """Each begins with the page as it is opened, where nothing moves by itself."""
        self.browser.resize(1440)
        self.browser.prefer(reduced_motion="reduce")
        self.browser.load()

    def tearDown(self):
        self.assertEqual(self.browser.said, [])

    def test_ready(self):
        self.assertEqual(self.page.find("html")[0].get("data-ready"), "yes")
        self.assertEqual(len(self.page.find("div", class_="step")), 9)
        self.assertEqual(self.dom.count('aria-label="Copy the commands: '), 9)
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
        self.assertEqual(len(blocks), 9)
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
        elif "/" in program:
            self.assertTrue(os.access(os.path.join(SOURCE, program), os.X_OK), program)
        else:
            self.assertIn(program, OTHERS)
        for word in words:
            if word.endswith(".yaml"):
                self.assertTrue(os.path.exists(os.path.join(SOURCE, word)), word)

    def check_flags(self, command, words):
        text = subprocess.run([*command, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                              env={**os.environ, "I4_LIBEXEC": os.environ.get("I4_LIBEXEC", "")}).stdout.decode()
        for word in words:
            if word.startswith("-"):
                self.assertRegex(text, r"(^|[\s,])" + re.escape(word) + r"\b", " ".join(command))

    def test_themes(self):
        """Every text can be read, as the system has it and the other way round."""
        for scheme in ("light", "dark"):
            self.browser.prefer(color_scheme=scheme, reduced_motion="reduce")
            for _ in range(2):
                pale = self.browser.evaluate(PALE)
                self.assertEqual(pale["found"], [], scheme)
                self.assertGreater(pale["n"], 100)
                self.browser.evaluate("document.getElementById('theme').click()")
        paper = self.browser.evaluate("getComputedStyle(document.body).backgroundColor")
        self.browser.evaluate("document.getElementById('theme').click()")
        self.assertNotEqual(self.browser.evaluate("getComputedStyle(document.body).backgroundColor"), paper)

    def test_widths(self):
        """From the smallest phone to a wall: nothing sticks out."""
        for width in (320, 390, 768, 1280, 2560):
            self.browser.resize(width)
            self.assertEqual(self.browser.evaluate("innerWidth"), width)
            self.assertEqual(self.browser.evaluate(STICKING_OUT), [], width)
            self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), width)

    def test_names(self):
        """What a screen reader is told: landmarks, headings in order, a name for whatever can be used."""
        tree = self.browser.get_accessibility_tree()
        landmarks = {(role, name) for role, name, _ in tree if role in ("banner", "navigation", "main")}
        self.assertEqual(landmarks, {("banner", ""), ("navigation", "On this page"), ("main", "")})
        levels = [properties["level"] for role, _, properties in tree if role == "heading"]
        self.assertEqual(levels[0], 1)
        self.assertEqual(levels.count(1), 1)
        for above, level in zip(levels, levels[1:]):
            self.assertLessEqual(level, above + 1)
        usable = [(role, name) for role, name, _ in tree if role in ("button", "link", "slider", "image", "img")]
        self.assertEqual([role for role, name in usable if not name.strip()], [])
        self.assertEqual(len([name for role, name in usable if role == "slider"]), 2)
        self.assertGreaterEqual(len([name for role, name in usable if role in ("image", "img")]), 11)

    def focused(self, what="outerHTML.slice(0, 90)"):
        return self.browser.evaluate("document.activeElement." + what)

    def tab_to(self, condition):
        for _ in range(100):
            self.browser.press("Tab")
            if self.browser.evaluate(f"document.activeElement.matches('{condition}')"):
                return
        self.fail(f"the key Tab does not reach {condition}")

    def test_keyboard(self):
        """All that a mouse can do a key does, and who sees it sees where it is."""
        self.browser.press("Tab")
        self.assertEqual(self.focused("className"), "skip")
        self.assertGreaterEqual(self.browser.evaluate("document.activeElement.getBoundingClientRect().left"), 0)
        self.browser.press("Enter")
        self.assertEqual(self.browser.evaluate("location.hash"), "#main")
        self.browser.evaluate("document.activeElement.blur(); history.replaceState(null, '', ' '); scrollTo(0, 0)")

        self.tab_to("#theme")
        before = self.focused("textContent")
        self.browser.press(" ")
        self.assertNotEqual(self.focused("textContent"), before)

        self.tab_to(".code button")
        self.browser.press("Enter")
        self.browser.wait_for("document.activeElement.textContent == 'Copied'")

        self.tab_to("#ring-play")
        self.browser.press("Enter")
        self.browser.wait_for("document.getElementById('ring-time').value > 2")
        self.assertEqual(self.focused("textContent"), "Pause")
        self.browser.press(" ")
        self.assertEqual(self.focused("textContent"), "Play")
        self.tab_to("#ring-time")
        self.browser.press("End")
        self.browser.wait_for("document.getElementById('ring-story').textContent.startsWith('Resumed')")
        self.assertRegex(self.focused("getAttribute('aria-valuetext')"), r"^\d+\.\d seconds$")

        self.tab_to('#record-line [aria-pressed="false"]')
        self.browser.press("Enter")
        self.assertEqual(self.focused("getAttribute('aria-pressed')"), "true")
        self.assertEqual(self.browser.evaluate("document.querySelector('#record-text b').textContent"), "timestamp")

        self.tab_to("#profile-time")
        self.browser.press("Home")
        self.browser.wait_for("document.getElementById('profile-out').textContent == '00:00'")
        self.browser.press("ArrowRight")
        self.browser.wait_for("document.getElementById('profile-out').textContent != '00:00'")

    def test_focus_is_seen(self):
        n = self.browser.evaluate("document.querySelectorAll('a, button, input, .plot').length")
        for _ in range(n):
            self.browser.press("Tab")
            self.assertEqual(self.focused("matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle"),
                             "solid", self.focused())

    def test_motion(self):
        """What moves by itself does so only for those who have not asked for rest, and once it is seen."""
        seen = "document.getElementById('ring').scrollIntoView({ behavior: 'instant' })"
        self.browser.evaluate(seen)
        self.browser.evaluate("document.getElementById('profile-time').focus()")
        self.assertEqual(self.browser.evaluate("document.getElementById('ring-play').textContent"), "Play")
        self.browser.prefer(reduced_motion="no-preference")
        self.browser.load()
        # More than once: the browser puts a page that is loaded anew where it was.
        self.browser.wait_for(f"({seen}, document.getElementById('ring-time').value > 2)")

    def test_record(self):
        """The line that is explained is one of i4's, to the last zero."""
        line = self.browser.evaluate("document.getElementById('record-line').textContent")
        self.assertRegex(line, r'"value":\d+\.\d\d,"unit".*"lat":-?\d+\.\d{6},"lon":-?\d+\.\d{6},"mile_post":\d+\.\d\d\}'
                               r',.*"quality_score":[01]\.\d{4},')


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[5:])
