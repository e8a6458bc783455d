"""What a run would call at most, before anything is spent."""

from __future__ import annotations

from typing import cast

from build_imports import an_import
from build_measures import MemoryEvidence, some_cases, some_inputs
from build_store import MemoryRowStore

from triaxis.domain.evaluation import Operations
from triaxis.domain.rubric import Dimension, Judged, JudgeModel, Similarity
from triaxis.domain.variant import Limits, Variant
from triaxis.ports.workspace import Templates
from triaxis.steps import generate
from triaxis.steps.plan import Forecast, Planner

CASES = some_cases(8)
NOBODY = cast("Templates", None)
"""Renders nothing: an import asks nothing."""


def judging(*variants: Variant, longest_response: int = 0) -> Forecast:
    """What a judge would be asked, where nothing is there yet."""
    judge = JudgeModel(name="cheap", model="openai/small", params={"max_tokens": 10})
    tone = Dimension(name="tone", evaluator=Judged(path="t.md", template="Be fair.", judges=(judge,)))
    return scoring(tone, *variants, longest_response=longest_response)


def scoring(dimension: Dimension, *variants: Variant, longest_response: int = 0) -> Forecast:
    """What judging would call for one dimension, where nothing is there yet; of the other stages nothing."""
    inputs = some_inputs(*variants, cases=CASES, dimensions=(dimension,))
    planner = Planner(
        operations=Operations(targets={}, limits=Limits()),
        store=MemoryRowStore(),
        evidence=MemoryEvidence(given=inputs),
        templates=NOBODY,
        longest_response=longest_response,
    )
    asked, probed, judged = planner.forecast(generate.plan(inputs, templates=NOBODY), answered=False)
    assert (asked.calls, probed.calls) == (0, 0)
    return judged


def test_imported_answers_are_judged_like_any() -> None:
    """8 cases, one answer each of one variant and up to three of another."""
    assert judging(an_import("base"), an_import("past", samples=3)).calls == 8 * (1 + 3)


def test_a_long_imported_answer_is_in_the_upper_estimate() -> None:
    """4,000 bytes more in each of 8 prompts; no more tokens than bytes, at $1e-6 a token."""
    short, long = judging(an_import("base")), judging(an_import("base"), longest_response=4000)
    assert 0.008 <= float(long.most.usd - short.most.usd) <= 8 * 4000 * 1e-6


def test_texts_to_be_compared_are_counted_before_any_answer_is_known() -> None:
    """8 cases with one expected text each, and a short answer of two variants: 8 x (2 + 1), each a prompt alone."""
    alike = Dimension(name="alike", evaluator=Similarity(model="openai/small"))
    asked = scoring(alike, an_import("base"), an_import("other"), longest_response=4000)
    assert (asked.calls, asked.tokens.output) == (8 * 3, 0)
    assert 24 * 4000 * 1e-6 <= float(asked.most.usd) <= 24 * 4100 * 1e-6
