"""Scorecards for tests of what is shown of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triaxis.domain.difference import Difference
from triaxis.domain.measures import (
    CostMeasures,
    Counts,
    DimensionMeasures,
    LatencyMeasures,
    ObjectiveMeasure,
    ProbeFacts,
    VariantMeasures,
)
from triaxis.domain.scorecard import (
    Axes,
    Compared,
    CreatedFrom,
    JudgedObjective,
    ObjectiveVerdict,
    Scorecard,
    VariantCard,
    Verdict,
)
from triaxis.domain.slo import Axis
from triaxis.quantities import Absent, Estimate, Measure, Money


def an_estimate(value: float, half: float = 0.05, n: float = 80) -> Estimate:
    """An estimate with a symmetric interval."""
    return Estimate(value=value, low=value - half, high=value + half, level=0.9, n=n, method="wilson")


def some_facts(slowest_ms: float = 800.0) -> ProbeFacts:
    """A probe whose answers took evenly spread times up to `slowest_ms`."""
    return ProbeFacts(
        client="aiohttp",
        blocks=5,
        requests=40,
        warmup=15,
        errors=0,
        lag_p99_ms=1.25,
        autocorrelated=False,
        cached_share=0.9,
        histogram_ms={"full": tuple(slowest_ms * i / 100 for i in range(101)), "ttft": (10.0, 20.0, 30.0)},
    )


def some_measures(
    name: str = "few", *, precision: Measure | None = None, p95_ms: float | None = 700.0, levers: tuple[str, ...] = ()
) -> VariantMeasures:
    """One variant's measures, with one dimension `format` sliced by kind."""
    latency: Measure = Absent("not probed") if p95_ms is None else an_estimate(p95_ms, 50)
    scored = precision or an_estimate(0.9)
    dimension = DimensionMeasures(
        overall=scored,
        answered_only=scored,
        scored=80,
        abstained=0,
        failed=0,
        unvalidated=False,
        slices={"kind": {"policy": an_estimate(0.8)}},
    )
    return VariantMeasures(
        name=name,
        levers=levers,
        route_arms={},
        n=Counts(cases=80, generated=79, failed=1, probed=0 if p95_ms is None else 40),
        error_rate=an_estimate(0.01, 0.01),
        latency=LatencyMeasures(
            quantiles={} if p95_ms is None else {"full": {"p95": latency}, "ttft": {"p50": an_estimate(90.0, 5)}},
            successes={},
            facts=None if p95_ms is None else some_facts(),
        ),
        cost=CostMeasures(
            per_request=an_estimate(0.002, 0.0001),
            per_session=an_estimate(0.003, 0.0002),
            per_month=Absent("the SLO states no traffic"),
            parts={"input": 0.0015, "output": 0.0005, "reasoning": 0.0},
            cached_share=0.25,
            cached_share_source="measured",
            judge_usd=Money.of(0),
            spent_usd=Money.of("0.16"),
            possible_usd=Money.of(0),
        ),
        precision={"format": dimension},
        objectives=(ObjectiveMeasure(estimate=scored),),
    )


def an_objective(
    verdict: ObjectiveVerdict = "pass",
    *,
    axis: Axis = "precision",
    name: str = "precision.format",
    target: float = 0.85,
    estimate: Measure | None = None,
) -> JudgedObjective:
    """One judged objective."""
    return JudgedObjective(
        axis=axis,
        name=name,
        target=target,
        estimate=estimate or an_estimate(0.9),
        verdict=verdict,
        why="because it is so",
        bound=0.85,
        guard=0.03,
    )


def a_variant_card(
    verdict: Verdict = "promote",
    *,
    measures: VariantMeasures | None = None,
    objectives: tuple[JudgedObjective, ...] | None = None,
    compared: Mapping[str, Compared] | None = None,
) -> VariantCard:
    """One variant's part of a scorecard."""
    return VariantCard(
        measures=measures or some_measures(),
        axes=Axes(latency=0.8, cost=1.0, precision=0.9, composite=0.88, binding="latency"),
        objectives=objectives or (an_objective(),),
        against_baseline=compared or {},
        verdict=verdict,
        reasons=("every objective holds",),
    )


def a_scorecard(**variants: VariantCard) -> Scorecard:
    """A scorecard whose baseline `base` is made up where it is not given."""
    base = a_variant_card("hold", measures=some_measures("base"))
    return Scorecard(
        name="support",
        baseline="base",
        created_from=CreatedFrom(
            dataset_sha256="d" * 64,
            rubric_sha256="r" * 64,
            slo_sha256="s" * 64,
            variants_sha256="v" * 64,
            prices_sha256="p" * 64,
            evidence_sha256="e" * 64,
        ),
        variants={
            "base": base,
            **{name: replace(card, measures=replace(card.measures, name=name)) for name, card in variants.items()},
        },
        id="0123456789abcdef",
        owner="support-ml",
        review_by="2027-06-30",
    )


def a_difference(value: float = 0.05) -> Difference:
    """Variant minus baseline, with an interval of 0.02 to both sides."""
    return Difference(
        difference=value, low=value - 0.02, high=value + 0.02, level=0.9, n=60, method="bootstrap", baseline=0.9
    )
