"""A small valid workspace, written into a folder; parts of it can be replaced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import yaml

from triaxis.domain.canonical import JsonValue

Override: TypeAlias = str | Mapping[str, JsonValue] | Sequence[JsonValue]
"""Text replaces a file, a mapping is laid over what it holds (null removes), a list is the rows of a JSONL file."""

EVALUATION = """\
schema_version: 1
name: tiny
dataset: datasets/tiny/cases.jsonl
human: datasets/tiny/human.jsonl
expectations: datasets/tiny/expectations.json
rubric: rubrics/tiny/rubric.yaml
slo: rubrics/tiny/slo.yaml
prices: prices.yaml
baseline: big
limits:
  max_usd: 5.0
  concurrency: 8
variants:
  big:
    model: openai/big
    api_base: http://127.0.0.1:9/v1
    endpoint: bench
    prompt: prompts/answer.md
    params:
      temperature: 0
      max_tokens: 600
  small:
    extends: big
    model: openai/small
    levers: [tiering]
  capped:
    extends: big
    levers: [max_tokens]
    params:
      max_tokens: 20
  routed:
    router:
      by: field
      field: route
      arms:
        simple: small
        complex: big
      oracle: route
"""

RUBRIC = """\
schema_version: 1
dimensions:
  resolution:
    evaluator: exact
    weight: 0.5
  mentions:
    evaluator: contains
    where:
      kind: policy
  finished:
    evaluator: finished
  faithfulness:
    evaluator: judge
    prompt: prompts/faithfulness.md
    judges: [strong]
judges:
  strong: {}
"""

SLO = """\
schema_version: 1
owner: payments
review_by: 2099-12-31
traffic:
  sessions_per_day: 1000
  requests_per_session: 2
  mix:
    route:
      simple: 0.75
      complex: 0.25
cost:
  - per: session
    max_usd: 0.04
    tolerance_usd: 0.02
precision:
  - dimension: resolution
    min: 0.5
  - dimension: mentions
    min: 0.4
    where:
      kind: policy
errors:
  max_rate: 0.01
weights:
  latency: 0.4
  cost: 0.2
  precision: 0.4
  because: a person is waiting
"""

PRICES = """\
schema_version: 1
models:
  openai/big:
    input_cost_per_token: 1.0e-5
    output_cost_per_token: 3.0e-5
  openai/small:
    input_cost_per_token: 1.0e-6
    output_cost_per_token: 2.0e-6
"""

PROMPT = """\
--- system
Answer in one word.
--- user
{{ context }}
{{ input }}
"""

JUDGE_PROMPT = """\
Does the answer follow from the context? Answer as JSON with reason and score.
Context: {{ context }}
Question: {{ input }}
Answer: {{ answer }}
"""

EXPECTATIONS = """\
{
  "name": "tiny",
  "expectations": [
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "expected"}}
  ]
}
"""

HUMAN = (
    json.dumps(
        {
            "id": "case-01",
            "variant": "big",
            "response_sha256": "a" * 64,
            "dimension": "resolution",
            "score": 1,
            "rater": "ann",
            "rated_at": "2027-01-31T09:00:00Z",
        }
    )
    + "\n"
)

PATHS: Mapping[str, str] = {
    "evaluation": "evaluation.yaml",
    "rubric": "rubrics/tiny/rubric.yaml",
    "judge_prompt": "rubrics/tiny/prompts/faithfulness.md",
    "slo": "rubrics/tiny/slo.yaml",
    "prices": "prices.yaml",
    "prompt": "prompts/answer.md",
    "cases": "datasets/tiny/cases.jsonl",
    "human": "datasets/tiny/human.jsonl",
    "expectations": "datasets/tiny/expectations.json",
}
"""Where each file of the workspace stands, by the name of its override."""


def cases(count: int = 12) -> list[JsonValue]:
    """Rows of ground truth: two kinds, two routes, sessions of two."""
    return [
        {
            "id": f"case-{i:02d}",
            "input": f"What is word {i}?",
            "expected": f"word{i}",
            "context": f"Word {i} is: w-o-r-d, then the number.",
            "slice": {"kind": "policy" if i % 3 else "status"},
            "session": f"session-{i // 2:02d}",
            "route": "complex" if i % 4 == 0 else "simple",
        }
        for i in range(1, count + 1)
    ]


def jsonl(rows: Sequence[JsonValue]) -> str:
    """The rows as a JSONL file has them."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


DEFAULTS: Mapping[str, str] = {
    "evaluation": EVALUATION,
    "rubric": RUBRIC,
    "judge_prompt": JUDGE_PROMPT,
    "slo": SLO,
    "prices": PRICES,
    "prompt": PROMPT,
    "cases": jsonl(cases()),
    "human": HUMAN,
    "expectations": EXPECTATIONS,
}


def write_workspace(root: Path, *, api_base: str | None = None, **overrides: Override) -> Path:
    """Writes the workspace and returns its folder.

    Args:
        root: Made if it is not there.
        api_base: Where every variant's model is reached, such as the address of a test provider.
        overrides: By name of `PATHS`, or by path for further files.
    """
    texts = {PATHS[name]: text for name, text in DEFAULTS.items()}
    for name, override in overrides.items():
        path = PATHS.get(name, name)
        texts[path] = _overridden(texts.get(path, ""), override)
    if api_base is not None:
        texts["evaluation.yaml"] = texts["evaluation.yaml"].replace("http://127.0.0.1:9/v1", api_base)
    for path, text in texts.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def _overridden(text: str, override: Override) -> str:
    if isinstance(override, str):
        return override
    if isinstance(override, Mapping):
        base: JsonValue = cast("JsonValue", yaml.safe_load(text or "{}"))
        return json.dumps(_laid_over(base, override), indent=2, default=str)
    return jsonl(override)


def _laid_over(base: JsonValue, over: JsonValue) -> JsonValue:
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _laid_over(merged.get(key), value)
    return merged
