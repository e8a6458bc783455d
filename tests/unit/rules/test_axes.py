from dataclasses import replace
from decimal import Decimal
from math import inf

import pytest
from build_card import an_estimate, some_measures
from build_measures import an_slo

from triaxis.domain.measures import DimensionMeasures, ObjectiveMeasure, VariantMeasures
from triaxis.domain.slo import CostObjective, ErrorsObjective, LatencyObjective, Objective, PrecisionObjective, Weights
from triaxis.quantities import Above, Absent, Measure
from triaxis.rules.measures.axes import axes, headroom, precision_composite

P95 = LatencyObjective(measure="full", statistic="p95", max_ms=1500, tolerance_ms=500)
TTFT = LatencyObjective(measure="ttft", statistic="p50", max_ms=400, tolerance_ms=200)
SESSION = CostObjective(per="session", max_usd=Decimal("0.04"), tolerance_usd=Decimal("0.02"))
MONTH = CostObjective(per="month", max_usd=Decimal(60000))
TONE = PrecisionObjective(dimension="format", min=0.8)


def measured(*values: Measure, precision: Measure | None = None) -> VariantMeasures:
    given = some_measures(precision=precision or an_estimate(0.9))
    return replace(given, objectives=tuple(ObjectiveMeasure(estimate=value) for value in values))


def test_an_axis_is_full_up_to_its_target_and_empty_a_tolerance_beyond() -> None:
    """1 - (1750 - 1500) / 500 = 0.5; 1 - (0.05 - 0.04) / 0.02 = 0.5; 0.4 * 0.5 + 0.2 * 0.5 + 0.4 * 0.9 = 0.66."""
    slo = an_slo(P95, SESSION, TONE)
    found = axes(measured(an_estimate(1750), an_estimate(0.05), an_estimate(0.9)), slo, {"format": 1.0})
    assert found.latency == pytest.approx(0.5)
    assert found.cost == pytest.approx(0.5)
    assert found.precision == 0.9
    assert found.composite == pytest.approx(0.66)


@pytest.mark.parametrize(("p95", "score"), [(100.0, 1.0), (1500.0, 1.0), (2000.0, 0.0), (9000.0, 0.0)])
def test_an_axis_is_clipped(p95: float, score: float) -> None:
    assert axes(measured(an_estimate(p95)), an_slo(P95), {"format": 1.0}).latency == score


def test_the_worst_objective_with_a_tolerance_makes_the_axis() -> None:
    """Full is at its target (1.0), the first token half a tolerance beyond (0.5); a month has no tolerance."""
    slo = an_slo(P95, TTFT, SESSION, MONTH)
    values = (an_estimate(1500), an_estimate(500), an_estimate(0.04), an_estimate(90000))
    found = axes(measured(*values), slo, {"format": 1.0})
    assert (found.latency, found.cost) == (0.5, 1.0)


def test_a_quantile_on_a_failure_scores_nothing() -> None:
    found = axes(measured(Above(60_000)), an_slo(P95), {"format": 1.0})
    assert (found.latency, found.binding) == (0.0, "latency")


@pytest.mark.parametrize(
    ("objectives", "values", "why"),
    [
        ((SESSION,), (an_estimate(0.04),), "latency is missing: no latency objective has a tolerance"),
        ((P95,), (an_estimate(900),), "cost is missing: no cost objective has a tolerance"),
        ((P95, SESSION), (Absent("no probe was made"), an_estimate(0.04)), "latency is missing: no probe was made"),
    ],
)
def test_a_missing_axis_makes_the_composite_absent(
    objectives: tuple[Objective, ...], values: tuple[Measure, ...], why: str
) -> None:
    assert axes(measured(*values), an_slo(*objectives), {"format": 1.0}).composite == Absent(why)


def test_no_composite_without_precision_or_weights() -> None:
    slo = an_slo(P95, SESSION)
    values = (an_estimate(900), an_estimate(0.04))
    blind = measured(*values, precision=Absent("no score could be read"))
    assert axes(blind, slo, {"format": 1.0}).composite == Absent("precision is missing: format has no estimate")
    given = measured(*values)
    assert axes(given, replace(slo, weights=None), {"format": 1.0}).composite == Absent("the SLO has no weights")
    nothing = Weights(latency=0, cost=0, precision=0, because="")
    weightless = axes(given, replace(slo, weights=nothing), {"format": 1.0})
    assert weightless.composite == Absent("the weights of the axes are all 0")


def test_precision_is_the_weighted_mean_of_the_dimensions() -> None:
    """(3 * 0.9 + 1 * 0.5) / 4 = 0.8."""
    given = some_measures(precision=an_estimate(0.9))
    tone: DimensionMeasures = replace(given.precision["format"], overall=an_estimate(0.5))
    both = replace(given, precision={**given.precision, "tone": tone})
    assert precision_composite(both, {"format": 3.0, "tone": 1.0}) == pytest.approx(0.8)
    assert precision_composite(both, {"format": 0.0, "tone": 0.0}) == Absent("the weights of the dimensions are all 0")
    assert precision_composite(replace(given, precision={}), {}) == Absent("no dimension scores")


def test_the_binding_axis_has_the_least_headroom() -> None:
    """Of the limit, latency leaves 40%, cost 25%, precision 12.5%; errors were not measured."""
    slo = an_slo(P95, SESSION, TONE, ErrorsObjective(max_rate=0.01))
    values = (an_estimate(900), an_estimate(0.03), an_estimate(0.9), Absent("no call was made"))
    assert axes(measured(*values), slo, {"format": 1.0}).binding == "precision"


def test_nothing_binds_where_nothing_was_estimated() -> None:
    assert axes(measured(Absent("no probe was made")), an_slo(P95), {"format": 1.0}).binding is None


@pytest.mark.parametrize(
    ("objective", "value", "room"),
    [
        (P95, 900, 0.4),
        (P95, 3000, -1.0),
        (TONE, 0.9, 0.125),
        (ErrorsObjective(max_rate=0), 0.0, 0.0),
        (ErrorsObjective(max_rate=0), 0.1, -inf),
        (PrecisionObjective(dimension="format", min=0), 0.4, 0.4),
    ],
)
def test_headroom_is_a_share_of_the_limit(objective: Objective, value: float, room: float) -> None:
    assert headroom(objective, an_estimate(value)) == pytest.approx(room)
