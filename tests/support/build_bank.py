"""A bank's questions with imported answers of a big and a small model, on which routers are judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from build_imports import lines

SIMPLE, DISPUTES, COMPLEX = 120, 40, 40
QUESTIONS: Mapping[str, str] = {
    "simple": "What is the fee for my card number {i}?",
    "dispute": "I dispute a fee on my statement, entry {i}.",
    "complex": "How do I combine mortgage {i} with a loan abroad?",
}
"""Every dispute speaks of a fee as well, which is what a careless rule trips over."""
BIG_USD, SMALL_USD = 0.010, 0.001
BIG_MS, SMALL_MS = 900.0, 300.0

EVALUATION: Mapping[str, Any] = {
    "schema_version": 1,
    "name": "bank",
    "dataset": "cases.jsonl",
    "rubric": "rubric.yaml",
    "slo": "slo.yaml",
    "baseline": "big",
    "variants": {
        "big": {"transport": "import", "responses": {"path": "past.jsonl", "where": {"model": "big"}}},
        "small": {"transport": "import", "responses": {"path": "past.jsonl", "where": {"model": "small"}}},
    },
}
ARMS = {"simple": "small", "dispute": "big", "complex": "big"}
RUBRIC: Mapping[str, Any] = {
    "schema_version": 1,
    "dimensions": {
        "resolution": {"evaluator": "exact"},
        "brief": {"evaluator": "length", "max_chars": 3, "weight": 0},
    },
}
SLO: Mapping[str, Any] = {
    "schema_version": 1,
    "owner": "payments",
    "review_by": "2099-12-31",
    "traffic": {"sessions_per_day": 1000, "requests_per_session": 2},
    "latency": [{"measure": "full", "statistic": "p95", "max_ms": 2000}],
    "cost": [{"per": "request", "max_usd": 0.02}],
    "precision": [{"dimension": "resolution", "min": 0.85}],
}


def questions() -> Iterator[tuple[str, str, int]]:
    """Id, route and number within the route of every case."""
    number = 0
    for route, count in (("simple", SIMPLE), ("dispute", DISPUTES), ("complex", COMPLEX)):
        for i in range(count):
            yield f"case-{number:03d}", route, i
            number += 1


def right(model: str, route: str, i: int) -> bool:
    """The big model is wrong on 12 simple questions, the small one on 12 disputes and half of what is complex."""
    if model == "big":
        return route != "simple" or i % 10 != 0
    return route == "simple" or (route == "dispute" and i % 10 > 2) or (route == "complex" and i % 2 == 0)


def bank_cases() -> list[dict[str, Any]]:
    """200 questions: 120 simple, 40 disputes, 40 complex."""
    return [
        {"id": case, "input": QUESTIONS[route].format(i=i), "expected": "yes", "route": route}
        for case, route, i in questions()
    ]


def bank_answers() -> list[dict[str, Any]]:
    """What both models said: `yes` is right, anything else is wrong and longer."""
    return [
        {
            "id": case,
            "model": model,
            "response": "yes" if right(model, route, i) else "sorry",
            "latency_ms": ms + place,
            "cost_usd": usd,
        }
        for model, ms, usd in (("big", BIG_MS, BIG_USD), ("small", SMALL_MS, SMALL_USD))
        for place, (case, route, i) in enumerate(questions())
    ]


def write_bank(root: Path, variants: Mapping[str, Any], **files: str) -> Path:
    """A workspace whose evaluation compares these views with `big`; further files by path."""
    evaluation = {**EVALUATION, "variants": {**EVALUATION["variants"], **variants}}
    texts = {
        "evaluation.yaml": json.dumps(evaluation, indent=2),
        "rubric.yaml": json.dumps(RUBRIC, indent=2),
        "slo.yaml": json.dumps(SLO, indent=2),
        "cases.jsonl": lines(bank_cases()),
        "past.jsonl": lines(bank_answers()),
        **files,
    }
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root
