"""The three axes on one scale, and the one that binds. For reading: nothing is gated on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import assert_never

from triaxis.domain.measures import ObjectiveMeasure, VariantMeasures, estimated
from triaxis.domain.scorecard import Axes
from triaxis.domain.slo import Axis, CostObjective, LatencyObjective, Objective, Slo, Weights
from triaxis.quantities import Above, Absent, Estimate, Measure
from triaxis.rules.gating.compare import better_is_more
from triaxis.rules.names import objective_axis, objective_target


def axes(measures: VariantMeasures, slo: Slo, weights: Mapping[str, float]) -> Axes:
    """Each axis from 0 to 1, their composite, and the binding axis.

    Args:
        measures: One variant's.
        slo: The objectives, of which those with a tolerance make the latency and cost axes.
        weights: Of the dimensions that score, by name.
    """
    pairs = tuple(zip(slo.objectives, measures.objectives, strict=True))
    latency = _axis("latency", [(_tolerance(o), o, m) for o, m in pairs if isinstance(o, LatencyObjective)])
    cost = _axis("cost", [(_tolerance(o), o, m) for o, m in pairs if isinstance(o, CostObjective)])
    precision = precision_composite(measures, weights)
    return Axes(
        latency=latency,
        cost=cost,
        precision=precision,
        composite=_composite(latency, cost, precision, slo.weights),
        binding=_binding(pairs),
    )


def precision_composite(measures: VariantMeasures, weights: Mapping[str, float]) -> float | Absent:
    """The weighted mean of the dimensions' overall values; absent where one of them is."""
    if not measures.precision:
        return Absent("no dimension scores")
    missing = [name for name, d in sorted(measures.precision.items()) if estimated(d.overall) is None]
    if missing:
        return Absent(f"{', '.join(missing)} has no estimate")
    scale = sum(weights[name] for name in measures.precision)
    if scale <= 0:
        return Absent("the weights of the dimensions are all 0")
    return sum(weights[n] * (estimated(d.overall) or 0.0) for n, d in sorted(measures.precision.items())) / scale


_Rated = tuple[float | None, Objective, ObjectiveMeasure]


def _axis(axis: Axis, rated: Sequence[_Rated]) -> float | Absent:
    """The worst score of the axis's objectives that have a tolerance."""
    scores = [_score(m.estimate, objective_target(o), tolerance) for tolerance, o, m in rated if tolerance is not None]
    if not scores:
        return Absent(f"no {axis} objective has a tolerance")
    return next((s for s in scores if isinstance(s, Absent)), None) or min(s for s in scores if isinstance(s, float))


def _score(estimate: Measure, target: float, tolerance: float) -> float | Absent:
    """clip(1 - (value - target) / tolerance, 0, 1); a quantile that fell on a failure is worse than any tolerance."""
    match estimate:
        case Absent():
            return estimate
        case Above():
            return 0.0
        case Estimate(value=value):
            return min(max(1.0 - (value - target) / tolerance, 0.0), 1.0)
        case _:
            assert_never(estimate)


def _tolerance(objective: LatencyObjective | CostObjective) -> float | None:
    if isinstance(objective, LatencyObjective):
        return objective.tolerance_ms
    return None if objective.tolerance_usd is None else float(objective.tolerance_usd)


def _composite(
    latency: float | Absent, cost: float | Absent, precision: float | Absent, weights: Weights | None
) -> float | Absent:
    if weights is None:
        return Absent("the SLO has no weights")
    if isinstance(latency, Absent):
        return Absent(f"latency is missing: {latency.why}")
    if isinstance(cost, Absent):
        return Absent(f"cost is missing: {cost.why}")
    if isinstance(precision, Absent):
        return Absent(f"precision is missing: {precision.why}")
    scale = weights.latency + weights.cost + weights.precision
    if scale <= 0:
        return Absent("the weights of the axes are all 0")
    return (weights.latency * latency + weights.cost * cost + weights.precision * precision) / scale


def _binding(pairs: Sequence[tuple[Objective, ObjectiveMeasure]]) -> Axis | None:
    """The axis of the objective with the least headroom, as a share of its limit; None where nothing was estimated."""
    rooms: list[tuple[float, Axis]] = [
        (room, objective_axis(o)) for o, m in pairs if (room := headroom(o, m.estimate)) is not None
    ]
    return min(rooms)[1] if rooms else None


def headroom(objective: Objective, estimate: Measure) -> float | None:
    """How far the value is on the right side of the limit, as a share of the limit; negative beyond it.

    A limit of 0 has no shares: there it is the distance itself, and minus infinity beyond it.
    """
    if isinstance(estimate, Absent):
        return None
    if isinstance(estimate, Above):
        return -inf
    limit = objective_target(objective)
    room = estimate.value - limit if better_is_more(objective_axis(objective)) else limit - estimate.value
    if limit == 0:
        return room if room >= 0 else -inf
    return room / limit
