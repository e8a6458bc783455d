"""What differs between two versions of the objectives."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from build_measures import an_slo

from triaxis.domain.slo import (
    CostObjective,
    ErrorsObjective,
    LatencyObjective,
    Objective,
    PrecisionObjective,
    Regression,
    Slo,
    Terms,
    Traffic,
    Weights,
)
from triaxis.rules.gating.slo_changes import slo_changes

P95 = LatencyObjective(measure="full", statistic="p95", max_ms=1000, tolerance_ms=200, terms=Terms(guard=0.1))
SESSION = CostObjective(per="session", max_usd=Decimal("0.04"), tolerance_usd=Decimal("0.01"), terms=Terms(guard=0.05))
TONE = PrecisionObjective(dimension="tone", min=0.95, terms=Terms(guard=0.03, where={"kind": ("policy",)}))
ERRORS = ErrorsObjective(max_rate=0.01, terms=Terms(guard=0.02))


def changes(old: Slo, new: Slo) -> list[tuple[str, str, str]]:
    return [(change.kind, change.what, change.words) for change in slo_changes(old, new)]


def of_one(old: Objective, new: Objective) -> list[tuple[str, str, str]]:
    return changes(an_slo(old), an_slo(new))


@pytest.mark.parametrize(
    ("old", "new", "kind", "what", "words"),
    [
        (P95, replace(P95, max_ms=1500), "loosened", "latency.full.p95", "target from 1,000 ms to 1,500 ms"),
        (P95, replace(P95, max_ms=900), "tightened", "latency.full.p95", "target from 1,000 ms to 900 ms"),
        (
            SESSION,
            replace(SESSION, max_usd=Decimal("0.05")),
            "loosened",
            "cost.per_session",
            "target from $0.0400 to $0.0500",
        ),
        (TONE, replace(TONE, min=0.9), "loosened", "precision.tone[kind=policy]", "target from 0.950 to 0.900"),
        (TONE, replace(TONE, min=0.97), "tightened", "precision.tone[kind=policy]", "target from 0.950 to 0.970"),
        (ERRORS, replace(ERRORS, max_rate=0.02), "loosened", "errors.rate", "target from 1.0% to 2.0%"),
        (
            P95,
            replace(P95, terms=replace(P95.terms, guard=0.2)),
            "loosened",
            "latency.full.p95",
            "guard from 10.0% to 20.0%",
        ),
        (
            TONE,
            replace(TONE, terms=replace(TONE.terms, guard=0.0)),
            "tightened",
            "precision.tone[kind=policy]",
            "guard from 0.030 to 0.000",
        ),
        (
            ERRORS,
            replace(ERRORS, terms=replace(ERRORS.terms, confidence=0.9)),
            "loosened",
            "errors.rate",
            "confidence from 0.95 to 0.9",
        ),
        (
            ERRORS,
            replace(ERRORS, terms=replace(ERRORS.terms, decide="point")),
            "loosened",
            "errors.rate",
            "decide from bounds to point",
        ),
        (P95, replace(P95, tolerance_ms=None), "changed", "latency.full.p95", "tolerance from 200 ms to none"),
        (
            SESSION,
            replace(SESSION, tolerance_usd=Decimal("0.02")),
            "changed",
            "cost.per_session",
            "tolerance from $0.01 to $0.02",
        ),
        (
            TONE,
            replace(TONE, terms=replace(TONE.terms, expected=0.97)),
            "changed",
            "precision.tone[kind=policy]",
            "expected from none to 0.97",
        ),
    ],
)
def test_what_changed_of_an_objective(old: Objective, new: Objective, kind: str, what: str, words: str) -> None:
    assert of_one(old, new) == [(kind, what, words)]


def test_a_change_too_small_to_read_is_told_to_the_last_digit() -> None:
    assert of_one(TONE, replace(TONE, min=0.9499)) == [
        ("loosened", "precision.tone[kind=policy]", "target from 0.95 to 0.9499")
    ]


def test_another_slice_is_another_objective() -> None:
    everywhere = replace(TONE, terms=Terms(guard=0.03))
    assert of_one(TONE, everywhere) == [
        ("added", "precision.tone", "at least 0.950"),
        ("removed", "precision.tone[kind=policy]", "it was at least 0.950"),
    ]


def test_the_order_of_objectives_is_no_difference() -> None:
    assert changes(an_slo(P95, TONE, ERRORS), an_slo(ERRORS, P95, TONE)) == []


def test_margins_and_what_they_require() -> None:
    old = an_slo(P95, regression=Regression(margin={"precision": 0.02, "cost": 0.1}))
    new = an_slo(P95, regression=Regression(margin={"precision": 0.01, "latency": 0.2}, require="noninferior"))
    assert changes(old, new) == [
        ("tightened", "regression.margin.latency", "margin from none, which gates nothing, to 20.0%"),
        ("loosened", "regression.margin.cost", "margin from 10.0% to none, which gates nothing,"),
        ("tightened", "regression.margin.precision", "margin from 0.020 to 0.010"),
        ("tightened", "regression.require", "it is from no_regression to noninferior"),
    ]
    assert [kind for kind, _, _ in changes(new, old)] == ["loosened", "tightened", "loosened", "loosened"]


def test_weights_traffic_owner_and_dates() -> None:
    old = an_slo(P95, traffic=Traffic(sessions_per_day=1000, mix={"route": {"a": 1.0}}))
    weights = Weights(latency=0.5, cost=0.2, precision=0.3, because="nobody waits")
    new = replace(old, weights=weights, traffic=Traffic(), owner="others", review_by="2028-01-01", confidence=0.9)
    assert changes(old, new) == [
        (
            "changed",
            "weights",
            (
                "they are from latency 0.4, cost 0.2, precision 0.4 (because a person is waiting) "
                "to latency 0.5, cost 0.2, precision 0.3 (because nobody waits)"
            ),
        ),
        ("changed", "confidence", "of figures and comparisons from 0.95 to 0.9"),
        ("changed", "traffic.sessions_per_day", "it is from 1000 to none"),
        ("changed", "traffic.mix", "it is from route a 1 to none"),
        ("changed", "owner", "it is from support-ml to others"),
        ("changed", "review_by", "it is from 2027-06-30 to 2028-01-01"),
    ]
    assert changes(new, replace(new, weights=None))[0][2].endswith("to none")


@pytest.mark.parametrize("kind", ["loosened", "removed"])
def test_what_lets_more_through_loosens(kind: str) -> None:
    new = replace(P95, max_ms=1500)
    found = {c.kind: c.loosens for c in slo_changes(an_slo(P95, TONE), an_slo(new, ERRORS))}
    assert found == {"loosened": True, "removed": True, "added": False}
    assert found[kind]  # pyright: ignore[reportArgumentType] (a kind by name)
