"""The front and the weights as a page shows them: planes of points, a triangle of regions, and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from triaxis.domain.frontier import Coordinate, Front, FrontPoint, Weighing, Winners, WinRegion
from triaxis.domain.scorecard import Scorecard
from triaxis.domain.slo import Axis, Weights
from triaxis.rules.sheets.plane_names import Spot, spots
from triaxis.rules.sheets.plots import Scale, spanning
from triaxis.rules.sheets.sheet import ordered
from triaxis.rules.words import listed, percent, quantity

HEIGHT = round(50 * sqrt(3), 1)
"""Of the triangle whose sides are 100 long."""
_LABELLED = 0.06
"""A region smaller than this share of the triangle is named in the legend only."""
_LONGEST = 18
"""Characters of a name that stand within a region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanePoint:
    """One variant on a plane, in percent of its width and height from the lower left."""

    variant: str
    on_front: bool
    x: float
    y: float
    x_low: float
    x_width: float
    y_low: float
    y_height: float
    label: Spot | None
    """Where its name stands; None where it would lie on another one, and the table has it."""
    hue: int
    """Which of the page's colours is the variant's."""
    words: str
    """Both values, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Precision over one other measure; better is up and to the left."""

    title: str
    measure: str
    left: str
    right: str
    low: str
    high: str
    points: tuple[PlanePoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontRow:
    """One variant's line: where it stands, and whether others beat it there."""

    variant: str
    held: bool
    on_front: bool
    share: str
    """Of draws in which it is on the front; empty where none were made."""
    cells: tuple[tuple[str, str], ...]
    """Precision, latency and cost, each with its interval."""
    beaten_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TernaryRegion:
    """One polygon of the triangle."""

    name: str
    share: str
    points: str
    """As SVG has them."""
    hue: int
    label: str
    """Empty where it would not fit."""
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ternary:
    """All weighings of the axes: at a corner one axis is everything, on the far side it is nothing."""

    regions: tuple[TernaryRegion, ...]
    mark: tuple[float, float] | None
    """Where the SLO's own weights are."""
    height: float = HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontSheet:
    """The section of a page; empty parts are not shown."""

    sentence: str
    rows: tuple[FrontRow, ...]
    planes: tuple[Plane, ...]
    outside: tuple[str, ...]
    ternary: Ternary | None
    sentences: tuple[str, ...]
    outside_weights: tuple[str, ...]
    held: tuple[str, ...]
    """Variants that win somewhere and are held back."""


def front_sheet(card: Scorecard) -> FrontSheet | None:
    """The section of a scorecard; None for one of a release that made none."""
    front, winners = card.front, card.winners
    if front is None or winners is None:
        return None
    held = {name for name, variant in card.variants.items() if variant.verdict == "hold"}
    hues = {name: place for place, name in enumerate(ordered(card))}
    winning = {name for region in winners.regions for name in region.variants}
    return FrontSheet(
        sentence=_sentence(front),
        rows=tuple(_row(name, front, held=name in held) for name in _in_order(front)),
        planes=tuple(_plane(front, axis, hues) for axis in ("latency", "cost")) if front.points else (),
        outside=tuple(f"{name} is not placed: {why}." for name, why in sorted(front.outside.items())),
        ternary=_ternary(winners, card.weights, hues) if winners.regions else None,
        sentences=winners.sentences,
        outside_weights=tuple(f"{name} takes no part: {why}." for name, why in sorted(winners.outside.items())),
        held=tuple(sorted(held & winning)),
    )


def _in_order(front: Front) -> list[str]:
    """Those on the front first."""
    return sorted(front.points, key=lambda name: (name in front.dominated, name))


def _sentence(front: Front) -> str:
    names = front.names
    if not names:
        return "No variant has all three measures."
    verb = "is" if len(names) == 1 else "are"
    beaten = len(front.dominated)
    rest = "" if not beaten else f"; {beaten} of {len(front.points)} variants {'is' if beaten == 1 else 'are'} beaten"
    return f"{listed(names)} {verb} on the front{rest}."


def _row(name: str, front: Front, *, held: bool) -> FrontRow:
    point, others = front.points[name], front.dominated.get(name, ())
    return FrontRow(
        variant=name,
        held=held,
        on_front=not others,
        share=percent(front.share[name]).replace(".0%", "%") if name in front.share else "",
        cells=tuple((quantity(axis, at.value), _interval(axis, at)) for axis, at in _places(point)),
        beaten_by=", ".join(others),
    )


def _places(point: FrontPoint) -> tuple[tuple[Axis, Coordinate], ...]:
    return ("precision", point.precision), ("latency", point.latency), ("cost", point.cost)


def _words(axis: Axis, at: Coordinate) -> str:
    interval = _interval(axis, at)
    return f"{quantity(axis, at.value)} ({interval})" if interval else quantity(axis, at.value)


def _interval(axis: Axis, at: Coordinate) -> str:
    return "" if at.low is None or at.high is None else f"{quantity(axis, at.low)} to {quantity(axis, at.high)}"


def _plane(front: Front, axis: Axis, hues: Mapping[str, int]) -> Plane:
    across = spanning(v for point in front.points.values() for v in _ends(_on(point, axis)))
    up = spanning((v for p in front.points.values() for v in _ends(p.precision)), within=(0.0, 1.0))
    return Plane(
        title="Precision and latency" if axis == "latency" else "Precision and cost",
        measure="p95 of the whole answer" if axis == "latency" else "dollars a request",
        left=quantity(axis, max(0.0, across.low)),
        right=quantity(axis, across.high),
        low=quantity("precision", up.low),
        high=quantity("precision", up.high),
        points=_named([_plane_point(name, front, axis, hues[name], across=across, up=up) for name in front.points]),
    )


def _on(point: FrontPoint, axis: Axis) -> Coordinate:
    return point.latency if axis == "latency" else point.cost


def _ends(at: Coordinate) -> tuple[float, ...]:
    return tuple(v for v in (at.low, at.value, at.high) if v is not None)


def _plane_point(name: str, front: Front, axis: Axis, hue: int, *, across: Scale, up: Scale) -> PlanePoint:
    point = front.points[name]
    at = _on(point, axis)
    xs, ys = [across.at(v) for v in _ends(at)], [up.at(v) for v in _ends(point.precision)]
    return PlanePoint(
        variant=name,
        on_front=name not in front.dominated,
        x=across.at(at.value),
        y=up.at(point.precision.value),
        x_low=min(xs),
        x_width=round(max(xs) - min(xs), 1),
        y_low=min(ys),
        y_height=round(max(ys) - min(ys), 1),
        label=None,
        hue=hue,
        words=f"{name}: precision {_words('precision', point.precision)}, {axis} {_words(axis, at)}",
    )


def _named(points: Sequence[PlanePoint]) -> tuple[PlanePoint, ...]:
    """The points with places for their names, in which those on the front go first."""
    order = sorted(range(len(points)), key=lambda i: not points[i].on_front)
    found = spots([(points[i].variant, points[i].x, points[i].y) for i in order])
    labels = dict(zip(order, found, strict=True))
    return tuple(replace(point, label=labels[i]) for i, point in enumerate(points))


def _ternary(winners: Winners, weights: Weights | None, hues: Mapping[str, int]) -> Ternary:
    return Ternary(
        regions=tuple(_region(region, hues[region.variants[0]]) for region in winners.regions),
        mark=None if weights is None or not winners.now else _at(_normalised(weights)),
    )


def _normalised(weights: Weights) -> Weighing:
    whole = weights.latency + weights.cost + weights.precision
    return Weighing(latency=weights.latency / whole, cost=weights.cost / whole, precision=weights.precision / whole)


def _region(region: WinRegion, hue: int) -> TernaryRegion:
    places = [_at(corner) for corner in region.corners]
    name = ", ".join(region.variants)
    x, y = _centre(places)
    return TernaryRegion(
        name=name,
        share=percent(region.share),
        points=" ".join(f"{x:g},{y:g}" for x, y in places),
        hue=hue,
        label=(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…") if region.share >= _LABELLED else "",
        x=x,
        y=y,
    )


def _at(weighing: Weighing) -> tuple[float, float]:
    """Latency is everything in the lower left corner, cost in the lower right, precision at the top."""
    return round(100 * weighing.cost + 50 * weighing.precision, 1), round(HEIGHT * (1 - weighing.precision), 1)


def _centre(places: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The mean of a convex polygon's corners, which lies within it."""
    return round(sum(x for x, _ in places) / len(places), 1), round(sum(y for _, y in places) / len(places), 1)
