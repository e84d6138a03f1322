#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is done to readings on purpose, i4 verify tells to the line."""

import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

I4, SENSOR_GEN = sys.argv[1:3]
FIRST = 1767225600  # 2026-01-01T00:00:00Z


def generate(path, *flags, duration="2s", rate="10000"):
    subprocess.run(
        [SENSOR_GEN, "-seed", "7", "-from", "2026-01-01T00:00:00Z", "-d", duration, "-rate", rate, "-o", path, *flags],
        check=True, stdout=subprocess.DEVNULL)
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


class Case(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.TemporaryDirectory()
        self.addCleanup(self.tree.cleanup)
        self.truth = self.path("truth.jsonl")

    def path(self, name):
        return os.path.join(self.tree.name, name)

    def write(self, name, lines, end="\n"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + (end if lines else ""))
        return self.path(name)

    def run_verify(self, *arguments, stdin=None):
        return subprocess.run([I4, "verify", *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, "TMPDIR": self.tree.name})

    def verify(self, *arguments, status=0, stdin=None):
        done = self.run_verify("--json", *arguments, stdin=stdin)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, status, done.stdout)
        result = json.loads(done.stdout)
        self.assertEqual(result["passed"], status == 0)
        return result

    def assert_refused(self, text, *arguments, stdin=""):
        done = self.run_verify(*arguments, stdin=stdin)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertIn(text, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def assert_clean(self, result):
        self.assertEqual(result["exceeded"], [])
        self.assertEqual(result["loss"]["readings"], 0)
        self.assertEqual(result["duplicates"]["lines"], 0)
        self.assertEqual(result["disorder"]["readings"], 0)
        self.assertEqual(result["damage"], {"lines": 0, "malformed_lines": 0, "unidentified_lines": 0, "fields": {}})
        self.assertEqual(result["unknown"]["lines"], 0)


def spoil(lines):
    """3 lost in 2 gaps, 2 doubled, 2 late ones, 1 damaged."""
    spoilt = list(lines)
    spoilt[500] = spoilt[500].replace('"status":"normal"', '"status":"warning"')
    assert spoilt[500] != lines[500]
    spoilt[300], spoilt[301] = spoilt[301], spoilt[300]
    spoilt.insert(410, spoilt.pop(400))
    spoilt.insert(2000, spoilt[1000])
    spoilt.insert(7000, spoilt[6990])
    del spoilt[9000:9002]
    del spoilt[100]
    return spoilt


class Delivery(Case):
    def check_spoilt(self, *flags):
        lines = generate(self.truth, *flags)
        result = self.verify("-t", self.truth, self.write("out.jsonl", spoil(lines)), status=1)
        self.assertEqual(result["exceeded"], ["loss", "duplicates", "disorder", "damage"])
        self.assertEqual(result["truth"]["readings"], 20000)
        self.assertEqual(result["delivered"], {"files": 1, "lines": 19999, "readings": 19997})
        self.assertEqual(result["loss"], {"readings": 3, "share": 3 / 20000, "gaps": 2, "longest_gap_readings": 2,
                                          "at_end_readings": 0})
        self.assertEqual(result["duplicates"], {"lines": 2})
        self.assertEqual(result["disorder"], {"readings": 2, "same_sensor_readings": 0, "latest_seconds": 0.001})
        self.assertEqual(result["damage"], {"lines": 1, "malformed_lines": 0, "unidentified_lines": 0,
                                            "fields": {"status": {"lines": 1, "missing_lines": 0}}})
        self.assertEqual(result["unknown"], {"lines": 0})
        self.assertEqual(result["extra"], {"lines": 0, "keys": {}})
        return result

    def test_known_by_sequence(self):
        self.assertTrue(self.check_spoilt("-sequence")["truth"]["has_sequence"])

    def test_known_by_sensor(self):
        self.assertFalse(self.check_spoilt()["truth"]["has_sequence"])

    def test_labels(self):
        self.check_spoilt("-sequence", "-labels", "inline")

    def test_many_at_random(self):
        """As many of each as were done, for whatever is done."""
        lines = generate(self.truth, "-sequence")
        draw = random.Random(7)
        kept = [line for line in lines if draw.random() > 0.1]
        doubled = [line for line in kept for _ in range(1 + (draw.random() < 0.05))]
        out = []
        n_malformed = 0
        for line in doubled:
            if draw.random() < 0.05:
                line = line[:draw.randrange(1, len(line))]
                n_malformed += 1
            out.append(line)
        whole = [int(line.rsplit('"seq":', 1)[1][:-1]) for line in out if line.endswith("}") and '"seq":' in line]
        result = self.verify("-t", self.truth, self.write("out.jsonl", out), status=1)
        self.assertEqual(result["damage"]["malformed_lines"], n_malformed)
        self.assertEqual(result["loss"]["readings"], len(lines) - len(set(whole)))
        self.assertEqual(result["duplicates"]["lines"], len(whole) - len(set(whole)))
        self.assertEqual(result["disorder"]["readings"], 0)

    def test_dirty(self):
        """sensor-gen counts what it spoils, and the two agree to the line."""
        flags = ("-sequence", "-labels", "inline")
        generate(self.truth, *flags, duration="1h", rate="10")
        delivered, log = self.path("dirty.jsonl"), self.path("log.jsonl")
        generate(delivered, *flags, "-dirty", "9%", "-dirty-log", log, duration="1h", rate="10")
        counters = collections.Counter()
        with open(log, encoding="utf-8") as file:
            counters.update(json.loads(line)["defect"] for line in file)

        result = self.verify("--truth", self.truth, delivered, status=1)
        unreadable = counters["malformed"] + counters["truncated"]
        self.assertEqual(result["damage"]["malformed_lines"], unreadable)
        self.assertEqual(result["loss"]["readings"], unreadable)
        self.assertEqual(result["duplicates"]["lines"], counters["duplicate"])
        self.assertEqual(result["disorder"]["readings"], counters["late"] + counters["disorder"])
        self.assertEqual(result["damage"]["lines"], unreadable + sum(
            counters[kind] for kind in ("missing", "null", "type", "unit")))
        self.assertEqual(len(counters), 9)

    def test_shuffled(self):
        lines = generate(self.truth, "-sequence", duration="200ms")
        random.Random(7).shuffle(lines)
        latest = -1
        n_late = 0
        for line in lines:
            number = json.loads(line)["seq"]
            n_late += number < latest
            latest = max(latest, number)
        result = self.verify("-t", self.truth, "--max-disorder", "any", stdin="\n".join(lines))
        self.assertEqual(result["disorder"]["readings"], n_late)
        self.assertEqual(result["loss"]["readings"], 0)

    def test_written_anew(self):
        """Other spelling is no damage, other keys are told, and a label need not be handed on."""
        lines = generate(self.truth, "-sequence", "-labels", "inline")
        out = []
        for line in lines:
            record = json.loads(line)
            record["pipeline"] = {"name": "x"}
            for key in ("label", "event"):
                record.pop(key, None)
            out.append(json.dumps(record, sort_keys=True))
        result = self.verify("-t", self.truth, self.write("out.jsonl", out))
        self.assert_clean(result)
        self.assertEqual(result["extra"], {"lines": 20000, "keys": {"pipeline": 20000}})

    def test_fields(self):
        lines = generate(self.truth)
        records = [json.loads(line) for line in lines]
        records[7]["value"] += 1
        del records[8]["location"]["lat"]
        records[9]["value"] = str(records[9]["value"])
        del records[10]["timestamp"]
        records[11]["timestamp"] = "2027-01-01T00:00:00Z"
        out = self.write("out.jsonl", [json.dumps(record) for record in records] + ["", "[]", "x" * 100000])
        findings = self.path("findings.jsonl")
        result = self.verify("-t", self.truth, out, "--findings", findings, status=1)
        self.assertEqual(result["damage"], {
            "lines": 6, "malformed_lines": 2, "unidentified_lines": 1,
            "fields": {"value": {"lines": 2, "missing_lines": 0}, "location.lat": {"lines": 1, "missing_lines": 1}}})
        self.assertEqual(result["unknown"]["lines"], 1)
        self.assertEqual(result["loss"]["readings"], 2)
        with open(findings, encoding="utf-8") as file:
            found = [json.loads(line) for line in file]
        self.assertEqual([finding["finding"] for finding in found],
                         ["damage"] * 4 + ["unknown"] + ["damage"] * 2 + ["lost"] * 2)
        self.assertEqual(found[0]["field"], "value")
        self.assertEqual(found[0]["expected"], records[7]["value"] - 1)
        self.assertEqual(found[0]["found"], records[7]["value"])
        self.assertEqual((found[0]["file"], found[0]["line"]), (out, 8))
        self.assertIsNone(found[1]["found"])
        self.assertEqual(found[6]["line"], 20003)
        self.assertEqual(found[7]["sensor_id"], records[10]["sensor_id"])

        ignored = self.verify("-t", self.truth, out, "--ignore", "value,location.lat", status=1)
        self.assertEqual(ignored["damage"]["lines"], 3)

    def test_limits(self):
        lines = generate(self.truth)
        out = self.write("out.jsonl", spoil(lines))
        fitting = ["--max-loss", "3", "--max-duplicates", "0.01%", "--max-disorder", "any", "--max-damage", "1"]
        self.verify("-t", self.truth, out, *fitting)
        self.assertEqual(self.verify("-t", self.truth, out, *fitting, "--max-loss", "0.01%", status=1)["exceeded"],
                         ["loss"])
        self.assertEqual(self.verify("-t", self.truth, out, *fitting, "--max-damage", "0", status=1)["exceeded"],
                         ["damage"])

    def test_table(self):
        lines = generate(self.truth)
        done = self.run_verify("-t", self.truth, stdin="\n".join(spoil(lines)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("loss                   3  0.015 %, in 2 gaps, the longest of 2; 0 at the end\n", done.stdout)
        self.assertIn("1  status\n", done.stdout)
        self.assertIn("\nfailed by loss, duplicates, disorder, damage\n", done.stdout)
        self.assertNotIn("\033", done.stdout)
        self.assertIn("\npassed\n", self.run_verify("-t", self.truth, self.truth).stdout)


class Truth(Case):
    def test_made_again(self):
        """A pipe is as good as a file, for what has to be read twice too."""
        lines = generate(self.truth, "-labels", "inline")
        with open(self.truth, encoding="utf-8") as file:
            text = file.read()
        out = self.write("out.jsonl", spoil(lines))
        by_pipe = self.verify("-t", "-", out, status=1, stdin=text)
        self.assertEqual(by_pipe, self.verify("-t", self.truth, out, status=1))
        self.assertEqual(os.listdir(self.tree.name).count("out.jsonl"), 1)
        self.assertEqual([name for name in os.listdir(self.tree.name) if name.startswith("i4-verify")], [])

    def test_directory(self):
        """Sealed files by their numbers, whatever the clock did, then the live one without the line being written."""
        lines = generate(self.truth)
        os.mkdir(self.path("sealed"))
        self.write("sealed/readings-00000000000000005000-20251231T235959Z.jsonl", lines[5000:15000])
        self.write("sealed/readings-00000000000000000000-20260101T000000Z.jsonl", lines[:5000])
        self.write("sealed/.readings-x.jsonl", ["no truth"])
        self.write("readings.jsonl", lines[15000:] + ['{"sensor_id":"SNS-'], end="")
        result = self.verify("-t", self.tree.name, self.truth)
        self.assert_clean(result)
        self.assertEqual(result["truth"]["files"], 3)

    def test_shards(self):
        generate(self.truth, "-sequence", duration="500ms")
        parts = [self.path("0.jsonl"), self.path("1.jsonl")]
        for i, part in enumerate(parts):
            generate(part, "-sequence", "-shard", f"{i}/2", duration="500ms")
        result = self.verify("-t", parts[0], "-t", parts[1], self.truth, "--max-disorder", "any")
        self.assertEqual(result["loss"]["readings"], 0)

    def test_sequence_on_one_side(self):
        generate(self.truth)
        numbered = self.path("numbered.jsonl")
        generate(numbered, "-sequence")
        self.assert_clean(self.verify("-t", self.truth, numbered))
        self.assert_clean(self.verify("-t", numbered, self.truth))
        self.assert_clean(self.verify("-t", numbered, numbered, "--ignore", "seq"))

    def test_ambiguous(self):
        lines = generate(self.truth, duration="10ms")
        twice = self.write("twice.jsonl", lines + lines[3:4])
        self.assert_refused("cannot be told apart", "-t", twice, self.truth)
        lines = generate(self.truth, "-sequence", duration="10ms")
        twice = self.write("twice.jsonl", lines + lines[3:4])
        self.assert_refused("two readings have the number 3", "-t", twice, self.truth)

    def test_refused(self):
        lines = generate(self.truth, duration="10ms")
        torn = self.write("torn.jsonl", lines[:2] + [lines[2][:-9]])
        self.assert_refused(torn + ":3: no JSON", "-t", torn, self.truth)
        self.assert_refused("it needs sensor_id and timestamp", "-t", self.write("x.jsonl", ["{}"]), self.truth)
        self.assert_refused("there are no readings in it", "-t", self.write("empty.jsonl", []), self.truth)
        self.assert_refused("neither readings.jsonl nor sealed", "-t", self.tree.name, self.truth)
        self.assert_refused("No such file", "-t", self.path("none"), self.truth)
        self.assert_refused("No such file", "-t", self.truth, self.path("none"))
        self.assert_refused("Is a directory", "-t", self.truth, self.tree.name)
        self.assert_refused("what is the truth?", self.truth)
        self.assert_refused("standard input is only one", "-t", "-")
        self.assert_refused("--max-loss takes a number", "-t", self.truth, "--max-loss", "few")
        self.assert_refused("--ignore takes names", "-t", self.truth, "--ignore", "colour")
        self.assert_refused("--min-... is about detections", "-t", self.truth, "--min-recall", "0.5")
        self.assert_refused("it does not say what is wrong", "-t", self.truth, "--detected-by", "x", self.truth)
        self.assert_refused("No such file", "-t", self.truth, "--findings", self.path("no/where"), self.truth)


class Detection(Case):
    def setUp(self):
        super().setUp()
        self.lines = generate(self.truth, "-sequence", "-labels", "inline", "-sensors", "200", duration="10m",
                              rate="100")
        self.records = [json.loads(line) for line in self.lines]
        self.wrong = [record for record in self.records if record["label"] != "none"]
        self.assertGreater(len(self.wrong), 100)

    def detections(self, records):
        return self.write("detections.jsonl", [json.dumps(record) for record in records])

    def score(self, *arguments, status=0):
        return self.verify("-t", self.truth, self.truth, *arguments, status=status)["detection"]

    def test_perfect(self):
        detections = self.detections({"seq": r["seq"], "kind": r["label"]} for r in self.wrong)
        score = self.score("--detections", detections, "--min-precision", "1", "--min-recall", "100%",
                           "--min-events", "1")
        self.assertEqual((score["precision"], score["recall"], score["event_recall"]), (1, 1, 1))
        self.assertEqual((score["median_delay_seconds"], score["longest_delay_seconds"]), (0, 0))
        self.assertEqual(score["readings"], len(self.wrong))
        kinds = {record["label"] for record in self.wrong}
        self.assertEqual(set(score["kinds"]), kinds)
        for kind in kinds:
            self.assertEqual(score["kinds"][kind]["detections"],
                             sum(record["label"] == kind for record in self.wrong))
            self.assertEqual(score["kinds"][kind]["precision"], 1)

    def test_counts(self):
        """Every other one, as many wrong ones, one again, one of another kind, one from nowhere."""
        well = [record for record in self.records if record["label"] == "none"]
        right = self.wrong[::2]
        named = [{"sensor_id": r["sensor_id"], "timestamp": r["timestamp"]} for r in right + well[:len(right)]]
        named += named[:1]
        named.append({"seq": 10**9})
        named.append({"seq": well[-1]["seq"], "kind": "leak"})
        named.append({"seq": well[-2]["seq"], "kind": "none"})
        named.append({"seq": well[-3]["seq"], "label": "none"})
        score = self.score("--detections", self.detections(named))
        self.assertEqual(score["detections"], 2 * len(right) + 2)
        self.assertEqual(score["right_detections"], len(right))
        self.assertEqual(score["recall"], len(right) / len(self.wrong))
        self.assertEqual(score["repeated_detections"], 1)
        self.assertEqual(score["unknown_detections"], 1)
        self.assertEqual(score["kinds"]["leak"]["detections"], 1)
        self.assertEqual(score["kinds"]["leak"]["precision"], 0)

    def test_delay(self):
        """From the first reading in which an event shows to the first one that is detected."""
        first, detected = {}, {}
        for record in self.wrong:
            event = record["event"], record["label"]
            first.setdefault(event, record)
            if record["seq"] > first[event]["seq"] + 1000:
                detected.setdefault(event, record)
        self.assertGreater(len(detected), 3)

        def seconds(record):
            return FIRST + int(record["seq"]) / 100

        delays = sorted(round(seconds(detected[event]) - seconds(first[event]), 6) for event in detected)
        score = self.score("--detections", self.detections(detected.values()))
        self.assertEqual(score["events"], len(first))
        self.assertEqual(score["detected_events"], len(detected))
        self.assertAlmostEqual(score["longest_delay_seconds"], delays[-1], 5)
        self.assertAlmostEqual(score["median_delay_seconds"], delays[(len(delays) - 1) // 2], 5)

    def test_in_lines(self):
        """The detector's verdict stands in what it hands on."""
        out = []
        for record in self.records:
            verdict = {"quality": {"is_odd": record["label"] in ("stuck", "leak", "drift")}, **record}
            del verdict["label"]
            out.append(json.dumps(verdict))
        result = self.verify("-t", self.truth, self.write("out.jsonl", out), "--detected-by", "quality.is_odd")
        self.assert_clean(result)
        self.assertEqual(result["detection"]["precision"], 1)
        for kind, score in result["detection"]["kinds"].items():
            self.assertEqual(score["recall"], 1 if kind in ("stuck", "leak", "drift") else 0)
        self.assertEqual(result["extra"]["lines"], 0)

        failed = self.verify("-t", self.truth, self.path("out.jsonl"), "--detected-by", "quality.is_odd",
                             "--min-recall", "0.99", "--min-events", "0.99", "--min-precision", "0.99", status=1)
        self.assertEqual(failed["exceeded"], ["recall", "events"])

    def test_own_label(self):
        """What a detector calls label is its opinion and no damage."""
        out = [json.dumps({**record, "label": "leak"}) for record in self.records]
        result = self.verify("-t", self.truth, self.write("out.jsonl", out), "--detected-by", "label")
        self.assertEqual(result["damage"]["lines"], 0)
        self.assertEqual(result["detection"]["recall"], 1)
        self.assertEqual(result["detection"]["precision"], len(self.wrong) / len(self.records))

    def test_sidecar(self):
        """With labels the list tells starts; without, all readings between start and end count."""
        plain = self.path("plain.jsonl")
        generate(plain, "-sequence", "-labels", "sidecar", "-sensors", "200", duration="10m", rate="100")
        events = self.path("plain.events.jsonl")
        with open(events, encoding="utf-8") as file:
            listed = [json.loads(line) for line in file]
        intervals = {}
        for event in listed:
            for sensor in event["sensors"]:
                intervals.setdefault(sensor, []).append((event["start"], event["end"]))
        touched = [record for record in self.records
                   if any(start <= record["timestamp"][:-1] + "000Z" < end
                          for start, end in intervals.get(record["sensor_id"], []))]
        detections = self.detections({"seq": record["seq"]} for record in touched)
        arguments = "--events", events, "--detections", detections
        score = self.verify("-t", plain, plain, *arguments, "--min-recall", "1", "--min-precision", "1")["detection"]
        self.assertEqual(score["readings"], len(touched))
        self.assertEqual(score["events"], len(listed))

        both = self.score(*arguments)
        self.assertEqual(both["readings"], len(self.wrong))
        self.assertEqual(both["recall"], 1)
        self.assertEqual(both["events"], len(listed))

    def test_refused(self):
        self.assert_refused("this names no reading", "-t", self.truth, self.truth, "--detections",
                            self.write("d.jsonl", ['{"seq":1}', '{"sensor":"x"}']))
        self.assert_refused("d.jsonl:2: no JSON", "-t", self.truth, self.truth, "--detections",
                            self.write("d.jsonl", ['{"seq":1}', "seq 1"]))
        self.assert_refused("e.jsonl:1: this is no incident", "-t", self.truth, self.truth, "--events",
                            self.write("e.jsonl", ['{"event":1,"kind":"party"}']))
        self.assert_refused("the label is not the kind", "-t",
                            self.write("l.jsonl", [self.lines[0].replace('"none"', '"party"')]), self.truth)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
