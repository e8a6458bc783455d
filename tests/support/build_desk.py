"""A workspace whose answers are all imported, so that nothing is ever called: a help desk of made-up answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from build_imports import lines

CASES = 120
EVALUATION = """\
schema_version: 1
name: desk
dataset: datasets/desk/cases.jsonl
rubric: rubrics/desk/rubric.yaml
slo: rubrics/desk/slo.yaml
baseline: big
variants:
  big: {transport: import, responses: datasets/desk/big.jsonl}
  capped: {transport: import, levers: [max_tokens], responses: datasets/desk/capped.jsonl}
  small: {transport: import, levers: [tiering], responses: datasets/desk/small.jsonl}
"""
RUBRIC = """\
schema_version: 1
dimensions:
  resolution: {evaluator: exact}
"""
SLO = """\
schema_version: 1
owner: desk-team
review_by: 2099-12-31
latency:
  - {measure: full, statistic: p95, max_ms: 2500, tolerance_ms: 1000}
cost:
  - {per: request, max_usd: 0.015, tolerance_usd: 0.01}
precision:
  - {dimension: resolution, min: 0.90}
  - {dimension: resolution, min: 0.80, where: {kind: policy}}
weights: {latency: 0.4, cost: 0.2, precision: 0.4, because: "a person is waiting"}
"""
WRONG_EVERY = {"big": 40, "capped": 30, "small": 5}
"""Each variant is wrong on one case in so many, so that `small` misses both targets of precision."""
SPEED_MS = {"big": 2400, "capped": 1300, "small": 700}
DOLLARS = {"big": 0.02, "capped": 0.012, "small": 0.002}


def some_cases(count: int = CASES, **changed: str) -> list[dict[str, Any]]:
    """Questions whose answer is yes, of two kinds; `changed` gives others by id."""
    return [
        {
            "id": f"c{i:03}",
            "input": f"Is it {i}?",
            "expected": changed.get(f"c{i:03}", "yes"),
            "slice": {"kind": "policy" if i % 2 else "faq"},
        }
        for i in range(count)
    ]


def answers(variant: str, count: int = CASES, *, wrong_every: int | None = None) -> list[dict[str, Any]]:
    """One answer a case, with its time and its dollars spread by a fixed pattern."""
    every = wrong_every or WRONG_EVERY[variant]
    return [
        {
            "id": f"c{i:03}",
            "response": "no" if i % every == every - 1 else "Yes" if i % 9 == 0 else "yes",
            "latency_ms": SPEED_MS[variant] * (0.8 + (i * 37 % 100) / 250),
            "ttft_ms": 100.0 + i * 13 % 40,
            "cost_usd": DOLLARS[variant] * (0.9 + (i * 53 % 100) / 500),
        }
        for i in range(count)
    ]


def write_desk(root: Path, **files: str) -> Path:
    """Writes the workspace; `files` replace texts by the name of a file without its ending."""
    texts = {
        "evaluation": ("evaluation.yaml", EVALUATION),
        "rubric": ("rubrics/desk/rubric.yaml", RUBRIC.replace("exact", "exact, normalize: casefold")),
        "slo": ("rubrics/desk/slo.yaml", SLO),
        "cases": ("datasets/desk/cases.jsonl", lines(some_cases())),
        **{name: (f"datasets/desk/{name}.jsonl", lines(answers(name))) for name in WRONG_EVERY},
    }
    for name, (path, text) in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files.get(name, text), encoding="utf-8")
    return root


def rewritten(root: Path, path: str, *swaps: tuple[str, str]) -> None:
    """Replaces texts in a file, which must be there."""
    text = (root / path).read_text(encoding="utf-8")
    for old, new in swaps:
        assert old in text, f"{path} has no {old!r}"
        text = text.replace(old, new)
    (root / path).write_text(text, encoding="utf-8")


def responses(root: Path, variant: str, rows: Sequence[dict[str, Any]]) -> None:
    """Other answers of a variant."""
    (root / f"datasets/desk/{variant}.jsonl").write_text(lines(rows), encoding="utf-8")
