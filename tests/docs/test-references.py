#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What documents lead to is there: links, files of this tree, tests and cases, pages of the manual

    test-references.py SOURCE-DIRECTORY
"""

import glob
import os
import re
import sys
import unittest

SOURCE = os.path.abspath(sys.argv[1])
DIRECTORIES = "completions|docs|etc|include|jobs|man|packaging|pipelines|src|tests|tools|units"
# What stands for any other of its kind, and what is made by building.
EXAMPLES = {"tests/unit/test-foo.c", "tests/fuzz/fuzz-ring", "tests/fuzz/replay-ring"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def find_documents():
    return [os.path.join(SOURCE, name) for name in ("README.md", "CONTRIBUTING.md")] + sorted(
        glob.glob(os.path.join(SOURCE, "docs/*.md")))


def find_sources():
    """Of tests, by path."""
    return {path: read(path) for pattern in ("tests/*/*", "units/meson.build")
            for path in glob.glob(os.path.join(SOURCE, pattern)) if os.path.isfile(path)}


def get_anchors(path):
    """As they are made of headings: lower case, blanks as dashes, no punctuation."""
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", read(path), re.MULTILINE)}


class References(unittest.TestCase):
    def check(self, find):
        """@find gives what is missing in a document's text, and how many there were of its kind."""
        missing, total = [], 0
        for path in find_documents():
            found, n = find(path, read(path))
            missing += [f"{os.path.relpath(path, SOURCE)}: {name}" for name in found]
            total += n
        self.assertEqual(missing, [])
        self.assertGreater(total, 10)

    def test_links(self):
        def find(path, text):
            missing, links = [], re.findall(r"\]\(([^):]+)\)", text)
            for link in links:
                name, _, anchor = link.partition("#")
                target = os.path.join(os.path.dirname(path), name) if name else path
                if not os.path.exists(target) or anchor and anchor not in get_anchors(target):
                    missing.append(link)
            return missing, len(links)
        self.check(find)

    def test_files(self):
        def find(_, text):
            names = set(re.findall(rf"(?<![\w/.-])((?:{DIRECTORIES})/[\w./@-]*\w)(?![\w*-]*\*)", text)) - EXAMPLES
            return [name for name in names if not os.path.exists(os.path.join(SOURCE, name))], len(names)
        self.check(find)

    def test_tests(self):
        """Binaries, scripts, cases, and functions; "test_full…" is all that begin like that."""
        files = {os.path.basename(path) for path in find_sources()}
        stems = {name.rpartition(".")[0] for name in files} | files
        text_of_all = "\n".join(find_sources().values())

        def find(_, text):
            names = re.findall(r"`((?:test|fuzz|stress|bench)-[\w.-]+|\d\d-[\w-]+\.sh|test_\w+…?)`", text)
            return [name for name in names if name not in stems and
                    not (name.startswith("test_") and
                         re.search(r"\b" + name.rstrip("…") + ("" if name.endswith("…") else r"\b"), text_of_all))], len(names)
        self.check(find)

    def test_pages(self):
        pages = {os.path.basename(path) for path in glob.glob(os.path.join(SOURCE, "man/*.[1-8]"))}

        def find(_, text):
            names = re.findall(r"\b((?:i4[\w.-]*|libi4|sensor-gen)\(\d\))", text)
            return [name for name in names if name.replace("(", ".").rstrip(")") not in pages], len(names)
        self.check(find)

    def test_fuzzers(self):
        """docs/security.md says of each what it found."""
        text = read(os.path.join(SOURCE, "docs/security.md"))
        targets = glob.glob(os.path.join(SOURCE, "tests/fuzz/fuzz-*.c"))
        self.assertGreater(len(targets), 5)
        names = [os.path.basename(path)[:-2] for path in targets]
        self.assertEqual([name for name in names if f"| `{name}` |" not in text], [])

    def test_index(self):
        """README lists each document and each page."""
        text = read(os.path.join(SOURCE, "README.md"))
        documents = [f"(docs/{os.path.basename(path)})" for path in glob.glob(os.path.join(SOURCE, "docs/*.md"))]
        self.assertEqual([name for name in documents if name not in text], [])
        pages = [re.sub(r"\.(\d)$", r"(\1)", os.path.basename(path)) for path in glob.glob(os.path.join(SOURCE, "man/*.[1-8]"))]
        self.assertEqual([page for page in pages if f" {page}" not in text.split("| man pages |")[1]], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
