"""The command line on malformed input: exit 2, every fault with its place and advice, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from malformed import Edit, written

KEY = "sk-made-up-0123456789abcdef"
EDITS: dict[str, Edit] = {
    "evaluation": [("levers: [tiering]", "levers: [teiring]"), ("endpoint: bench", f"endpoint: {KEY}")],
    "rubric": ("evaluator: exact", "evaluator: exakt"),
    "slo": ("dimension: resolution", "dimension: resolutoin"),
    "cases": ('{"id": "case-02", ', '{"id": 2, '),
}
EXPECTED = [
    "datasets/tiny/cases.jsonl:2 id: should be text, not the number 2",
    "evaluation.yaml:17 variants.big.endpoint: holds what looks like a key or a password",
    "evaluation.yaml:25 variants.small.levers.0: 'teiring' is not known here. Did you mean 'tiering'?",
    "rubrics/tiny/rubric.yaml:4 dimensions.resolution.evaluator: there is no evaluator 'exakt'. Did you mean 'exact'?",
    "rubrics/tiny/slo.yaml:16 precision.0.dimension: the rubric has no dimension 'resolutoin'. Did you mean",
]


def triaxis(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("triaxis")), *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=dict(os.environ))


@pytest.mark.parametrize("verb", ["check", "plan", "run", "prepare"])
def test_every_verb_that_reads_tells_of_every_fault(tmp_path: Path, verb: str) -> None:
    ended = triaxis(written(tmp_path, EDITS), verb)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 2, said
    assert "Traceback" not in said
    assert KEY not in said
    assert [line for line in EXPECTED if line not in said] == []
    assert not (tmp_path / "reports").exists()


def test_check_as_json(tmp_path: Path) -> None:
    ended = triaxis(written(tmp_path, EDITS), "check", "--json")
    assert ended.returncode == 2
    faults = json.loads(ended.stdout)["faults"]
    first = faults[0]
    assert (first["file"], first["line"], first["case"], first["field"]) == ("datasets/tiny/cases.jsonl", 2, "", "id")
    assert all(fault["advice"] for fault in faults)


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_verb_that_fails_prints_one_object_as_well(tmp_path: Path, verb: str) -> None:
    ended = triaxis(written(tmp_path, EDITS), verb, "--json")
    said = json.loads(ended.stdout)
    assert (ended.returncode, KEY in ended.stdout) == (2, False)
    assert said["error"].endswith("nothing was called")
    assert said["faults"][0]["file"] == "datasets/tiny/cases.jsonl"


def test_what_is_no_fault_of_a_file_is_an_object_too(tmp_path: Path) -> None:
    ended = triaxis(written(tmp_path, {}), "gate", "--json")
    assert ended.returncode == 2
    assert "no scorecard" in json.loads(ended.stdout)["faults"][0]["problem"]


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ({"evaluation": None}, "evaluation.yaml: there is no file 'evaluation.yaml'"),
        ({"evaluation": b"\xff\xfe\x00"}, "is UTF-16"),
        ({"evaluation": "a: [" * 3000}, "is nested more than"),
        ({"cases": "[" * 100_000}, "is nested too deeply"),
        ({"cases": b"\x00" * 100}, "is binary"),
    ],
)
def test_what_is_no_text_at_all(tmp_path: Path, edits: dict[str, Edit], says: str) -> None:
    ended = triaxis(written(tmp_path, edits), "check")
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False), ended.stderr
    assert says in ended.stdout + ended.stderr
