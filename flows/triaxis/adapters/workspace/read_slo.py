"""slo.yaml: the objectives, each with the terms on which it is decided."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.folder import Folder
from triaxis.adapters.workspace.secrets import without_keys
from triaxis.adapters.workspace.traffic_profiles import read_profiles
from triaxis.adapters.workspace.tree import Path
from triaxis.adapters.workspace.wire import read
from triaxis.adapters.workspace.wire_slo import WireAxes, WireSlo, WireTerms
from triaxis.domain.slo import (
    AXES,
    Axis,
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
from triaxis.rules.names import objective_name

GUARDS: Mapping[Axis, float] = {"precision": 0.03, "errors": 0.02, "latency": 0.10, "cost": 0.05}
"""How far beyond a target a bound may lie where the file does not say; relative for latency and cost."""
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class SloFile:
    """The objectives, with where each stands in the file."""

    place: Place
    slo: Slo
    paths: tuple[Path, ...]
    """Of each objective, in the order of `slo.objectives`."""


def read_slo(found: Place, dimensions: Collection[str] | None, today: date, folder: Folder) -> SloFile | None:
    """The objectives; None after adding faults. `dimensions` are the rubric's, None where it could not be read."""
    place = without_keys(found)
    wire = read(WireSlo, place, place.root)
    _check_dimensions(place, dimensions)
    if wire is None:
        return None
    placed = [*_latency(wire), *_cost(wire), *_precision(wire), *_errors(wire)]
    _check_objectives(place, placed)
    _check_traffic(place, wire)
    _check_review(place, wire.review_by, today)
    slo = Slo(
        owner=wire.owner,
        review_by=wire.review_by,
        objectives=tuple(objective for _, objective in placed),
        traffic=_traffic(wire),
        confidence=wire.confidence,
        regression=_regression(wire),
        weights=_weights(place, wire),
        profiles=read_profiles(wire.traffic, place, folder),
    )
    return SloFile(place, slo, tuple(path for path, _ in placed))


def _terms(wire: WireSlo, axis: Axis, own: WireTerms, expected: float | None) -> Terms:
    guards = _stated(wire.guard)
    return Terms(
        where=dict(own.where),
        confidence=own.confidence if own.confidence is not None else wire.confidence,
        guard=own.guard if own.guard is not None else guards.get(axis, GUARDS[axis]),
        decide=own.decide,
        expected=expected,
    )


def _stated(axes: WireAxes | None) -> dict[Axis, float]:
    """The axes for which the file gives a number."""
    if axes is None:
        return {}
    given: dict[Axis, float | None] = {
        "latency": axes.latency,
        "cost": axes.cost,
        "precision": axes.precision,
        "errors": axes.errors,
    }
    return {axis: value for axis in AXES if (value := given[axis]) is not None}


def _dollars(amount: float) -> Decimal:
    """The amount as it is written: a float's shortest decimal text is what stood in the file."""
    return Decimal(str(amount)).normalize()


def _latency(wire: WireSlo) -> Iterator[tuple[Path, Objective]]:
    for i, entry in enumerate(wire.latency):
        yield (
            ("latency", i),
            LatencyObjective(
                measure=entry.measure,
                statistic=entry.statistic,
                max_ms=entry.max_ms,
                tolerance_ms=entry.tolerance_ms,
                terms=_terms(wire, "latency", entry, entry.expected),
            ),
        )


def _cost(wire: WireSlo) -> Iterator[tuple[Path, Objective]]:
    for i, entry in enumerate(wire.cost):
        yield (
            ("cost", i),
            CostObjective(
                per=entry.per,
                max_usd=_dollars(entry.max_usd),
                tolerance_usd=None if entry.tolerance_usd is None else _dollars(entry.tolerance_usd),
                terms=_terms(wire, "cost", entry, entry.expected),
            ),
        )


def _precision(wire: WireSlo) -> Iterator[tuple[Path, Objective]]:
    for i, entry in enumerate(wire.precision):
        terms = _terms(wire, "precision", entry, entry.expected)
        yield ("precision", i), PrecisionObjective(dimension=entry.dimension, min=entry.min, terms=terms)


def _errors(wire: WireSlo) -> Iterator[tuple[Path, Objective]]:
    if wire.errors is not None:
        terms = _terms(wire, "errors", wire.errors, wire.errors.expected)
        yield ("errors",), ErrorsObjective(max_rate=wire.errors.max_rate, terms=terms)


def _check_dimensions(place: Place, dimensions: Collection[str] | None) -> None:
    """Every dimension named must be in the rubric; looked up in the tree, so that other faults do not hide it."""
    objectives = place.root.child("precision")
    items = objectives.value if objectives is not None and isinstance(objectives.value, tuple) else ()
    for i, item in enumerate(items):
        node = item.child("dimension")
        name = node.value if node is not None else None
        if dimensions is not None and isinstance(name, str) and name not in dimensions:
            path = ("precision", i, "dimension")
            place.fault(path, f"the rubric has no dimension {name[:60]!r}", near(name, dimensions))


def _check_objectives(place: Place, placed: list[tuple[Path, Objective]]) -> None:
    if not placed:
        advice = "Add at least one under latency, cost, precision or errors."
        place.fault((), "holds no objective", advice)
    seen: set[str] = set()
    for path, objective in placed:
        name = objective_name(objective)
        if name in seen:
            place.fault(path, f"{name} has an objective already", "Keep one of them.")
        seen.add(name)


def _check_traffic(place: Place, wire: WireSlo) -> None:
    for tag, shares in wire.traffic.mix.items():
        total = sum(shares.values())
        if abs(total - 1) > _SUM_TOLERANCE:
            advice = "Give every value its share of production's traffic, so that they sum to 1."
            place.fault(("traffic", "mix", tag), f"the shares sum to {total:g}, not to 1", advice)
    monthly = any(entry.per == "month" for entry in wire.cost)
    if monthly and wire.traffic.sessions_per_day is None and not wire.traffic.profiles:
        place.findings.note(
            f"{place.file}: cost per month needs traffic.sessions_per_day; without it its objectives are inconclusive."
        )


def _check_review(place: Place, written: str, today: date) -> None:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        place.fault(("review_by",), f"{written!r} is no date", "Write a day that exists, as YYYY-MM-DD.")
        return
    if day < today:
        place.findings.note(f"{place.file}: review_by {written} has passed; somebody should look at the objectives.")


def _traffic(wire: WireSlo) -> Traffic:
    return Traffic(
        sessions_per_day=wire.traffic.sessions_per_day,
        requests_per_session=wire.traffic.requests_per_session,
        mix={tag: dict(shares) for tag, shares in wire.traffic.mix.items()},
    )


def _regression(wire: WireSlo) -> Regression:
    if wire.regression.margin is None:
        return Regression(require=wire.regression.require)
    return Regression(margin=_stated(wire.regression.margin), require=wire.regression.require)


def _weights(place: Place, wire: WireSlo) -> Weights | None:
    given = wire.weights
    if given is None:
        return None
    if given.latency + given.cost + given.precision == 0:
        place.fault(("weights",), "every weight is 0", "Give at least one axis a weight above 0.")
    return Weights(latency=given.latency, cost=given.cost, precision=given.precision, because=given.because)
