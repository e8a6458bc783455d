"""Stored evidence under other objectives: every term of every kind of objective counts, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from build_measures import (
    MemoryEvidence,
    a_generation,
    a_model,
    a_probe_row,
    an_slo,
    evidence_of,
    some_cases,
    some_inputs,
)

from triaxis.domain.scorecard import JudgedObjective
from triaxis.domain.slo import (
    CostObjective,
    ErrorsObjective,
    LatencyObjective,
    Objective,
    PrecisionObjective,
    Terms,
)
from triaxis.quantities import Estimate, Tokens
from triaxis.steps.assess import assess
from triaxis.steps.decide import decide
from triaxis.steps.reconsider import under, under_slo

CASES = some_cases(200)
FAQ = {"kind": ("faq",)}
POLICY = {"kind": ("policy",)}
P50 = LatencyObjective(measure="full", statistic="p50", max_ms=500)
REQUEST = CostObjective(per="request", max_usd=Decimal("0.0005"))
RIGHT = PrecisionObjective(dimension="resolution", min=0.8)
ERRORS = ErrorsObjective(max_rate=0.1)
KINDS: list[Objective] = [P50, REQUEST, RIGHT, ERRORS]
NAMES = ["latency.full.p50", "cost.per_request", "precision.resolution", "errors.rate"]


def evidence() -> MemoryEvidence:
    """Policy cases are slower, dearer, more often wrong and more often refused than faq ones."""
    inputs = some_inputs(a_model(), cases=CASES)
    made = evidence_of(inputs, lambda _, place: float(place % 2 == 0 or place % 3 != 0))
    made.made = [
        a_generation(
            "base",
            case.id,
            usage=Tokens(input=100, output=800 if place % 2 else 10),
            terminal="content_filter" if place % 2 and place % 5 == 0 else None,
        )
        for place, case in enumerate(CASES)
    ]
    return made


def probed(made: MemoryEvidence) -> MemoryEvidence:
    """The same with a probe of five blocks, whose times vary from request to request."""
    made.probed = [
        a_probe_row(
            "base",
            case.id,
            block=place // 40,
            index=place % 40,
            full_ms=(900.0 if place % 2 else 300.0) + place * 37 % 100,
        )
        for place, case in enumerate(CASES)
    ]
    return made


def judged(objective: Objective) -> JudgedObjective:
    """The verdict on one objective; latency needs the probe, which would otherwise supply the error rate."""
    stored = probed(evidence()) if isinstance(objective, LatencyObjective) else evidence()
    return under_slo(an_slo(objective), stored).variants["base"].objectives[0]


def with_terms(objective: Objective, **terms: object) -> Objective:
    return replace(objective, terms=replace(Terms(), **terms))  # pyright: ignore[reportArgumentType] (a test's terms)


@pytest.mark.parametrize(("objective", "name"), list(zip(KINDS, NAMES, strict=True)))
def test_where_is_legal_on_every_kind(objective: Objective, name: str) -> None:
    """Each target stands between the slices: the one meets it, the other does not."""
    faq, policy = (judged(with_terms(objective, where=where, decide="point")) for where in (FAQ, POLICY))
    assert (faq.name, policy.name) == (f"{name}[kind=faq]", f"{name}[kind=policy]")
    assert (faq.verdict, policy.verdict) == ("pass", "fail")


def test_alternatives_and_tags_of_a_slice_on_every_kind() -> None:
    """Values of a tag are alternatives, so that both kinds are everything."""
    for objective in KINDS:
        both = judged(with_terms(objective, where={"kind": ("faq", "policy")}))
        everywhere = judged(with_terms(objective))
        assert both.estimate == everywhere.estimate
        none = judged(with_terms(objective, where={"kind": ("faq",), "route": ("complex",)}))
        assert none.verdict == "inconclusive"


@pytest.mark.parametrize("objective", KINDS)
def test_confidence_is_that_of_the_bound_on_every_kind(objective: Objective) -> None:
    narrow, wide = (judged(with_terms(objective, where=POLICY, confidence=c)).estimate for c in (0.8, 0.99))
    assert isinstance(narrow, Estimate)
    assert isinstance(wide, Estimate)
    assert (narrow.level, wide.level) == (pytest.approx(0.6), pytest.approx(0.98))
    assert narrow.value == wide.value
    assert (narrow.low >= wide.low, narrow.high <= wide.high) == (True, True)
    assert narrow != wide


@pytest.mark.parametrize("objective", KINDS)
def test_guard_and_decide_part_a_pass_from_an_open_verdict_on_every_kind(objective: Objective) -> None:
    """With the target at the value itself the bound lies beyond it: only a guard, or ignoring bounds, lets it pass."""
    value = judged(with_terms(objective)).estimate
    assert isinstance(value, Estimate)
    at = at_value(objective, value.value)
    assert judged(with_terms(at, guard=0.0)).verdict == "inconclusive"
    assert judged(with_terms(at, guard=5.0)).verdict == "pass"
    assert judged(with_terms(at, guard=0.0, decide="point")).verdict == "pass"


def at_value(objective: Objective, value: float) -> Objective:
    match objective:
        case LatencyObjective():
            return replace(objective, max_ms=value)
        case CostObjective():
            return replace(objective, max_usd=Decimal(str(value)))
        case PrecisionObjective():
            return replace(objective, min=value)
        case ErrorsObjective():
            return replace(objective, max_rate=value)


def test_other_objectives_make_the_scorecard_that_a_run_under_them_makes() -> None:
    slo = an_slo(RIGHT, ERRORS)
    stored = evidence()
    card = under_slo(slo, stored)
    assert (stored.measured, stored.files) == (None, {})
    decided = MemoryEvidence(given=replace(stored.given, slo=slo))
    decided.made, decided.judged = stored.made, stored.judged
    assess(evidence=decided)
    anew = decide(evidence=decided)
    assert card.variants["base"].verdict == anew.variants["base"].verdict
    assert {o.name for o in card.variants["base"].objectives} == {"precision.resolution", "errors.rate"}


def test_other_cases_count_alone() -> None:
    stored = evidence()
    card = under(replace(stored.given, cases=CASES[:50]), stored)
    assert card.variants["base"].measures.n.cases == 50
    assert card.created_from.dataset_sha256 != stored.hashes()["dataset_sha256"]
