"""The Pareto front: which variants no other one beats on precision, p95 and dollars at once, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.frontier import Coordinate, Front, FrontPoint
from triaxis.domain.measures import VariantMeasures
from triaxis.quantities import Above, Absent, Estimate, Measure
from triaxis.rules.front.draws import FrontDraws, front_draws
from triaxis.rules.measures.axes import precision_composite
from triaxis.rules.measures.pairing import share_arrivals
from triaxis.rules.measures.tally import Floats
from triaxis.rules.measures.variant import Plan, SeededBy, VariantRows
from triaxis.stats.pareto import dominance, undominated

_NO_PROBE = Absent("no probe was made")


def front(
    rows: Mapping[str, VariantRows],
    measures: Mapping[str, VariantMeasures],
    plan: Plan,
    *,
    baseline: str,
    seeded: SeededBy,
) -> Front:
    """The front over all variants that have all three measures, with the share of draws in which each is on it.

    Args:
        rows: Of every variant.
        measures: Made of those rows.
        plan: By which they were made.
        baseline: Whose latency others' must be comparable with to stand beside it.
        seeded: The generator of one measure of the front.
    """
    weights = {d.name: d.weight for d in plan.rubric.active}
    placed = {name: _place(measures[name], weights) for name in sorted(measures)}
    outside = {name: place.why for name, place in placed.items() if isinstance(place, Absent)}
    points = {name: place for name, place in placed.items() if isinstance(place, FrontPoint)}
    outside |= _incomparable({name: rows[name] for name in points}, baseline)
    points = {name: point for name, point in points.items() if name not in outside}
    if not points:
        return Front(outside=dict(sorted(outside.items())))
    drawn = front_draws({name: rows[name] for name in points}, plan.frame, weights, seeded)
    return Front(
        points=points if drawn is None else _with_bands(points, drawn, plan.level),
        dominated=_dominated(points),
        share={} if drawn is None else _shares(points, drawn),
        outside=dict(sorted(outside.items())),
    )


def _place(measures: VariantMeasures, weights: Mapping[str, float]) -> FrontPoint | Absent:
    """The variant's place, or which measure it lacks."""
    precision = precision_composite(measures, weights)
    if isinstance(precision, Absent):
        return Absent(f"it has no precision: {precision.why}")
    latency = _coordinate("latency", measures.latency.quantiles.get("full", {}).get("p95", _NO_PROBE))
    if isinstance(latency, Absent):
        return latency
    cost = _coordinate("cost", measures.cost.per_request)
    if isinstance(cost, Absent):
        return cost
    return FrontPoint(precision=_of_one(measures) or Coordinate(value=precision), latency=latency, cost=cost)


def _of_one(measures: VariantMeasures) -> Coordinate | None:
    """Where one dimension is all of precision, its own estimate."""
    only = next(iter(measures.precision.values())).overall if len(measures.precision) == 1 else None
    return Coordinate(value=only.value, low=only.low, high=only.high) if isinstance(only, Estimate) else None


def _coordinate(axis: str, measure: Measure) -> Coordinate | Absent:
    if isinstance(measure, Absent):
        return Absent(f"it has no {axis}: {measure.why}")
    if isinstance(measure, Above):
        return Absent(f"so many requests failed that its p95 is one of them, above {measure.limit:g} ms")
    return Coordinate(value=measure.value, low=measure.low, high=measure.high)


def _incomparable(rows: Mapping[str, VariantRows], baseline: str) -> dict[str, str]:
    """Variants whose latency was not taken under the load of the baseline's, or of the first variant's without it."""
    if not rows:
        return {}
    first = baseline if baseline in rows else next(iter(rows))
    theirs, found = rows[first].probe, dict[str, str]()
    for name, mine in rows.items():
        if mine.probe.timed != theirs.timed:
            found[name] = f"its latency is {mine.probe.timed}, and that of {first} is {theirs.timed}"
        elif mine.probe.timed == "probed" and not share_arrivals(mine.probe, theirs):
            found[name] = f"its probe and that of {first} did not share one arrival schedule"
    return found


def _lower_is_better(points: Mapping[str, FrontPoint]) -> Floats:
    return np.array([[-p.precision.value, p.latency.value, p.cost.value] for p in points.values()])


def _dominated(points: Mapping[str, FrontPoint]) -> dict[str, tuple[str, ...]]:
    names, beats = list(points), dominance(_lower_is_better(points))
    by = {name: tuple(names[i] for i in np.flatnonzero(beats[:, place])) for place, name in enumerate(names)}
    return {name: others for name, others in by.items() if others}


def _shares(points: Mapping[str, FrontPoint], drawn: FrontDraws) -> dict[str, float]:
    """In what share of draws each variant is on the front."""
    shares: NDArray[np.float64] = undominated(drawn.lower_is_better).mean(axis=0)
    return dict(zip(points, shares.tolist(), strict=True))


def _with_bands(points: Mapping[str, FrontPoint], drawn: FrontDraws, level: float) -> dict[str, FrontPoint]:
    """The points whose composite of several dimensions has the interval of its draws."""
    banded = dict(points)
    for place, (name, point) in enumerate(points.items()):
        band = drawn.precision_band(place, level)
        if point.precision.low is None and band is not None:
            low, high = (min(band[0], point.precision.value), max(band[1], point.precision.value))
            banded[name] = replace(point, precision=replace(point.precision, low=low, high=high))
    return banded
