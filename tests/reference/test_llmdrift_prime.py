"""The drift of GPT-4 between March and June 2023, decided as a release would have been.

Chen, Zaharia, Zou 2023 (arXiv 2307.09009): 1,000 questions whether a number is prime, asked of four model versions.
GPT-4 of June was far cheaper and faster than that of March, and far less often right.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from build_measures import a_model, an_slo

from triaxis.domain.case import Case
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.rubric import Dimension, Label, Rubric
from triaxis.domain.slo import CostObjective, LatencyObjective, PrecisionObjective, Regression, Slo, Terms
from triaxis.quantities import NO_MONEY, Estimate, Measure
from triaxis.rules.gating.compare import compare
from triaxis.rules.gating.gate import judge_objective, judge_variant
from triaxis.rules.measures.cost import CostRows
from triaxis.rules.measures.latency import ProbeRows
from triaxis.rules.measures.precision import Scores
from triaxis.rules.measures.tally import case_frame
from triaxis.rules.measures.variant import Plan, Spent, VariantRows, differences, measure_variant
from triaxis.stats.seeds import generator

FOLDER = Path(os.environ.get("TRIAXIS_PUBLIC_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "llmdrift"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no public data at {FOLDER}")
MARCH, JUNE = "openaichat/gpt-4-0314", "openaichat/gpt-4-0613"
QUESTIONS = 1000
SPENT = Spent(judge=NO_MONEY, known=NO_MONEY, possible=NO_MONEY)


@cache
def rows(model: str) -> list[dict[str, Any]]:
    """The model's answers, in an order that tells nothing: the file has no schedule, and its primes come first."""
    table = pq.read_table(FOLDER / "prime_full_eval.parquet").to_pylist()  # pyright: ignore[reportUnknownMemberType] half typed
    return sorted(
        (row for row in table if row["model"] == model), key=lambda row: sha256(str(row["id"]).encode()).digest()
    )


def said(text: str) -> str | None:
    """What an answer says by the authors' own rule (src/analysis/utils.py, format_answer_yesno).

    A word that is yes or [yes] anywhere counts as yes, else one that is no or [no] as no, with commas and full stops
    taken out.
    """
    words = " ".join(f"[{word}]" for word in text.lower().replace(",", " ").replace(".", " ").split())
    return next((word for word in ("yes", "no") if f"[{word}]" in words), None)


def variant_rows(model: str) -> VariantRows:
    """The published rows as arrays: latency as of one client, dollars as billed."""
    given = rows(model)
    place, nothing = np.arange(QUESTIONS), np.zeros(QUESTIONS)
    fine = np.zeros(QUESTIONS, dtype=np.bool_)
    right = np.array([said(row["answer"]) == row["ref_answer"].lower() for row in given], dtype=np.float64)
    ended = np.array([row["latency"] for row in given], dtype=np.float64) * 1e9
    return VariantRows(
        cases=place,
        terminal=fine,
        scores={"prime": Scores(cases=place, values=right, failed=fine, abstained=fine)},
        costs=CostRows(
            cases=place,
            usd=np.array([row["cost"] for row in given], dtype=np.float64),
            parts={},
            why="",
            sources=(),
            cached_share=None,
        ),
        probe=ProbeRows(
            cases=place,
            blocks=np.zeros(QUESTIONS, dtype=np.int64),
            index=place,
            scheduled=nothing,
            sent=nothing,
            first=ended,
            last=ended,
            failed=fine,
            clients=("imported",),
            timed="imported",
        ),
    )


def plan() -> Plan:
    cases = tuple(Case(id=f"{i:04}", input="") for i in range(QUESTIONS))
    rubric = Rubric(dimensions=(Dimension(name="prime", evaluator=Label(labels=("yes", "no"))),))
    return Plan(frame=case_frame(cases), rubric=rubric, slo=an_objective_on_each_axis())


def an_objective_on_each_axis() -> Slo:
    return an_slo(
        LatencyObjective(measure="full", statistic="p95", max_ms=20_000, terms=Terms(guard=0.1)),
        CostObjective(per="request", max_usd=Decimal("0.005"), terms=Terms(guard=0.05)),
        PrecisionObjective(dimension="prime", min=0.80, terms=Terms(guard=0.03)),
        regression=Regression(margin={"precision": 0.02, "latency": 0.1, "cost": 0.1}),
    )


def measured(model: str) -> VariantMeasures:
    return measure_variant(a_model(model), variant_rows(model), plan(), SPENT, {})


def value(measure: Measure) -> float:
    assert isinstance(measure, Estimate)
    return measure.value


def published() -> dict[str, float]:
    return json.loads((FOLDER / "published.json").read_text())["prime_accuracy_percent"] if FOLDER.is_dir() else {}


@pytest.mark.parametrize(("model", "percent"), sorted(published().items()))
def test_accuracies_are_as_published(model: str, percent: float) -> None:
    overall = measured(model).precision["prime"].overall
    assert value(overall) == percent / 100
    assert isinstance(overall, Estimate)
    assert (overall.method, overall.n) == ("wilson", QUESTIONS)


def test_june_is_faster_and_cheaper() -> None:
    """p95 21.5 s to 12.4 s, and $13.83 to $1.07 per 1,000 questions."""
    march, june = measured(MARCH), measured(JUNE)
    p95 = [value(m.latency.quantiles["full"]["p95"]) / 1000 for m in (march, june)]
    dollars = [value(m.cost.per_request) * 1000 for m in (march, june)]
    assert [round(s, 1) for s in p95] == [21.5, 12.4]
    assert [round(usd, 2) for usd in dollars] == [13.83, 1.07]


def test_june_is_held_back_for_precision_alone() -> None:
    ours, theirs = variant_rows(JUNE), variant_rows(MARCH)
    found = differences(ours, theirs, plan(), partial(generator, "llmdrift", JUNE))
    slo = an_objective_on_each_axis()
    against = compare(found, slo.regression)
    objectives = [judge_objective(o, m) for o, m in zip(slo.objectives, measured(JUNE).objectives, strict=True)]
    assert [o.verdict for o in objectives] == ["pass", "pass", "fail"]
    labels = {name: against[name].verdict for name in ("latency.full.p95", "cost.per_request", "precision.prime")}
    assert labels == {"latency.full.p95": "better", "cost.per_request": "better", "precision.prime": "worse"}
    verdict, reasons = judge_variant(objectives, against, slo.regression)
    assert verdict == "hold"
    assert reasons[0].startswith("precision.prime: 0.511 misses the target of at least 0.800, and with 95% confidence")
    assert reasons[1].startswith("precision.prime is 0.329 lower than the baseline's 0.840")
    assert len(reasons) == 2
