#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
docs/ring.md and i4-ring(7) say where each field of the ring lies, and each has the size that the compiler gives it

    test-layout.py SOURCE-DIRECTORY COMPILER…
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE, COMPILER = os.path.abspath(sys.argv[1]), sys.argv[2:]

# The tables of docs/ring.md, in their order.
TABLES = ["ring_identity", "ring_geometry", "ring_statistics", "ring_consumer", "catalog_header", "catalog_type",
          "catalog_pipeline"]


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def find_members(struct):
    """By name; what is reserved has no row."""
    text = read("include/i4.h" if struct == "i4_record" else "src/ring/layout.h")
    body = re.search(rf"^struct {struct} {{$(.*?)^}};$", text, re.MULTILINE | re.DOTALL).group(1)
    names = re.findall(r"(\w+)(?:\[\w+\])?;", re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL))
    return [name for name in names if "reserved" not in name]


def measure(structs):
    """Offset and size of each member, as the compiler sees them."""
    lines = [f'printf("{struct} %zu %zu\\n", offsetof(struct {struct}, {name}), sizeof(((struct {struct} *) 0)->{name}));'
             for struct in structs for name in find_members(struct)]
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "layout")
        code = '#include "ring/layout.h"\n#include <stdio.h>\nint main(void) {\n' + "\n".join(lines) + "\n}\n"
        subprocess.run([*COMPILER, f"-I{SOURCE}/include", f"-I{SOURCE}/src", "-x", "c", "-", "-o", program],
                       input=code, text=True, check=True)
        said = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = {struct: [] for struct in structs}
    for line in said.splitlines():
        struct, offset, size = line.split()
        found[struct].append((int(offset), int(size)))
    return found


class Layout(unittest.TestCase):
    maxDiff = None

    def test_document(self):
        text = read("docs/ring.md").split("## The protocol")[0]
        tables = [[(int(offset), int(size)) for offset, size in re.findall(r"^\| (\d+) \| (\d+) \|", table, re.MULTILINE)]
                  for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
        measured = measure(TABLES)
        # Of the header these two are written from the memory's beginning.
        measured["ring_geometry"] = [(64 + offset, size) for offset, size in measured["ring_geometry"]]
        self.assertEqual(dict(zip(TABLES, tables)), measured)
        self.assertEqual(len(tables), len(TABLES))

    def test_manual(self):
        rows = re.findall(r"^\.It (\d+) Ta (\d+) Ta (.*)", read("man/i4-ring.7"), re.MULTILINE)
        rows = [(int(offset), int(size)) for offset, size, what in rows if "reserved" not in what]
        self.assertEqual(rows, measure(["i4_record"])["i4_record"])

    def test_names(self):
        """The manual has each number of an enumeration with its name."""
        page, header = read("man/i4-ring.7"), read("include/i4.h")
        for name in ("status", "alert", "fault"):
            body = re.search(rf"^enum i4_{name} {{$(.*?)^}};$", header, re.MULTILINE | re.DOTALL).group(1)
            values = re.findall(rf"I4_{name.upper()}_(\w+),", body)
            said = re.search(rf"Ta {name}[^:\n]*: ((?:.|\n)*?)(?=\n\.)", page).group(1).replace("\n", " ")
            self.assertEqual(said, ", ".join(f"{i} {value.lower().replace('_', ' ')}" for i, value in enumerate(values)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
