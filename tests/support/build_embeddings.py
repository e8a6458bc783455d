"""The bank's questions, routed by a classifier of embeddings and scored by likeness; all of them at one provider."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from build_bank import ARMS, EVALUATION, QUESTIONS, RUBRIC, questions, write_bank
from build_calls import an_embedding_request
from build_store import a_store
from purchases import Books
from workspace_run import ADDRESS

from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Request
from triaxis.quantities import Money

NIL = Decimal(0)
PRICE = 2.0e-6
"""Dollars a token of a text."""
AT = {"api_base": f"${{{ADDRESS}}}", "endpoint": "bench"}
LEARNED: Mapping[str, Any] = {
    "router": {
        "by": "classifier",
        "embedding": "openai/embed",
        **AT,
        "arms": ARMS,
        "default": "big",
        "oracle": "route",
    }
}
ALIKE: Mapping[str, Any] = {"evaluator": "similarity", "model": "openai/embed", "weight": 0, **AT}
LIMITS: Mapping[str, Any] = {"max_usd": 5, "concurrency": 6, "first_token_timeout_s": 0.5, "max_attempts": 8}


def write_embedded(root: Path) -> Path:
    """A workspace whose answers are imported, so that embeddings are all that is bought."""
    evaluation = {
        **EVALUATION,
        "prices": "prices.yaml",
        "limits": LIMITS,
        "variants": {**EVALUATION["variants"], "learned": LEARNED},
    }
    prices = {"openai/embed": {"input_cost_per_token": PRICE, "output_cost_per_token": 0}}
    files: dict[str, Any] = {
        "evaluation.yaml": evaluation,
        "rubric.yaml": {**RUBRIC, "dimensions": {**RUBRIC["dimensions"], "alike": ALIKE}},
        "prices.yaml": {"schema_version": 1, "models": prices},
    }
    return write_bank(root, {}, **{name: json.dumps(content) for name, content in files.items()})


def texts() -> Iterator[str]:
    """Every text whose vector the workspace needs: 200 questions, and the two answers of which one is expected."""
    yield from (QUESTIONS[route].format(i=i) for _, route, i in questions())
    yield from ("yes", "sorry")


def requests() -> list[Request]:
    """What is asked for each of them."""
    return [replace(an_embedding_request(text), endpoint="bench") for text in texts()]


def books_of(root: Path) -> Books:
    """What was bought in a workspace, to be held against the provider's ledger."""
    price = PriceRow(
        model="openai/embed", source="prices.yaml", input_cost_per_token=Money.of(PRICE).usd, output_cost_per_token=NIL
    )
    return Books(
        requests={request.key: request for request in requests()},
        store=a_store(root / ".triaxis"),
        prices={price.model: price},
        concurrency=LIMITS["concurrency"],
    )
