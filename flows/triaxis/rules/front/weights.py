"""Which variant has the highest composite, for every way to weigh the axes: polygons on the simplex, and thresholds.

The composite is linear in the weights, so the weighings under which one variant wins are the triangle of all weighings,
cut by one straight line for each other variant. All of it is done in exact fractions of the axes' scores: corners do
not drift, and what is equal is equal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import TypeAlias

from triaxis.domain.frontier import Stretch, Weighing, Winners, WinRegion
from triaxis.domain.scorecard import Axes, VariantCard
from triaxis.domain.slo import Weights
from triaxis.quantities import Absent

AXES = ("latency", "cost", "precision")
_DIGITS = 12
Point: TypeAlias = tuple[Fraction, Fraction, Fraction]
"""A weighing, or a variant's scores, in the order of `AXES`."""
_TRIANGLE: tuple[Point, ...] = (
    (Fraction(1), Fraction(0), Fraction(0)),
    (Fraction(0), Fraction(1), Fraction(0)),
    (Fraction(0), Fraction(0), Fraction(1)),
)


def winner_by_weights(variants: Mapping[str, VariantCard], weights: Weights | None) -> Winners:
    """The regions of the weight simplex, and where the winner changes as one axis weighs more or less.

    Args:
        variants: The cards; only those with a score on all three axes take part.
        weights: The SLO's, from which the ratio of the other two is kept as one weight changes.
    """
    scores = {name: _scores(card.axes) for name, card in sorted(variants.items())}
    outside = {name: said.why for name, said in scores.items() if isinstance(said, Absent)}
    groups = _grouped({name: said for name, said in scores.items() if not isinstance(said, Absent)})
    given = None if weights is None else _normalised(weights)
    if not groups or given is None:
        return Winners(regions=tuple(_regions(groups)), outside=outside)
    along = {axis: tuple(_stretches(groups, given, place)) for place, axis in enumerate(AXES)}
    held = {name for name, card in variants.items() if card.verdict == "hold"}
    now = _highest({names: (height := _composite(s, given), height) for s, names in groups.items()}, Fraction(0))
    return Winners(
        regions=tuple(_regions(groups)),
        outside=outside,
        now=now,
        along=along,
        sentences=tuple(_sentences(along, given, now, held)),
    )


def _scores(axes: Axes) -> Point | Absent:
    found: list[Fraction] = []
    for axis, score in zip(AXES, (axes.latency, axes.cost, axes.precision), strict=True):
        if isinstance(score, Absent):
            return Absent(f"it has no score for {axis}: {score.why}")
        found.append(_exact(score))
    return found[0], found[1], found[2]


def _exact(value: float) -> Fraction:
    """The number as files have it: its last bits are a processor's rounding, and would make equals differ."""
    return Fraction(f"{value:.{_DIGITS}g}")


def _grouped(scores: Mapping[str, Point]) -> dict[Point, tuple[str, ...]]:
    """Variants with equal scores win together or not at all."""
    return {point: tuple(name for name, own in scores.items() if own == point) for point in scores.values()}


def _normalised(weights: Weights) -> Point | None:
    given = [_exact(weight) for weight in (weights.latency, weights.cost, weights.precision)]
    whole = sum(given)
    return (given[0] / whole, given[1] / whole, given[2] / whole) if whole > 0 else None


def _composite(scores: Point, weighing: Point) -> Fraction:
    return scores[0] * weighing[0] + scores[1] * weighing[1] + scores[2] * weighing[2]


def _regions(groups: Mapping[Point, tuple[str, ...]]) -> Iterator[WinRegion]:
    """The polygon of each that wins somewhere, in the order of the names; one of no area is none."""
    for scores, names in sorted(groups.items(), key=lambda group: group[1]):
        corners: Sequence[Point] = _TRIANGLE
        for other in groups:
            line = (scores[0] - other[0], scores[1] - other[1], scores[2] - other[2])
            corners = _cut(corners, line)
        area = _area(corners)
        if area > 0:
            polygon = tuple(_weighing(corner) for corner in corners)
            yield WinRegion(variants=names, share=float(area), corners=polygon)


def _cut(corners: Sequence[Point], line: Point) -> Sequence[Point]:
    """The part of a convex polygon on the side of the line where the composite's lead is not negative."""
    kept: list[Point] = []
    for corner, following in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        lead, later = _composite(line, corner), _composite(line, following)
        if lead >= 0:
            kept.append(corner)
        if lead * later < 0:
            share = lead / (lead - later)
            kept.append(_between(corner, following, share))
    return kept


def _between(start: Point, end: Point, share: Fraction) -> Point:
    first, second, third = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    return first, second, third


def _area(corners: Sequence[Point]) -> Fraction:
    """As a share of the triangle: in the plane of the first two weights, where the triangle's area is a half."""
    pairs = zip(corners, [*corners[1:], *corners[:1]], strict=True)
    return abs(sum((a[0] * b[1] - b[0] * a[1] for a, b in pairs), Fraction(0)))


def _weighing(point: Point) -> Weighing:
    return Weighing(latency=float(point[0]), cost=float(point[1]), precision=float(point[2]))


def _stretches(groups: Mapping[Point, tuple[str, ...]], given: Point, axis: int) -> Iterator[Stretch]:
    """Who wins from weight 0 to 1 of one axis, over which every composite is a straight line."""
    without, alone = _along(given, axis), _TRIANGLE[axis]
    lines = {names: (_composite(s, without), _composite(s, alone)) for s, names in groups.items()}
    found: list[tuple[Fraction, Fraction, tuple[str, ...]]] = []
    for start, end in pairwise(_crossings(tuple(lines.values()))):
        winners = _highest(lines, (start + end) / 2)
        if found and found[-1][2] == winners:
            found[-1] = (found[-1][0], end, winners)
        else:
            found.append((start, end, winners))
    return (Stretch(start=float(a), end=float(b), variants=names) for a, b, names in found)


def _crossings(lines: Sequence[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """The weights at which two lines cross, and both ends."""
    found = {Fraction(0), Fraction(1)}
    for (low, high), (low2, high2) in combinations(lines, 2):
        apart, turned = low - low2, (low - low2) - (high - high2)
        if turned and 0 < apart / turned < 1:
            found.add(apart / turned)
    return sorted(found)


def _highest(lines: Mapping[tuple[str, ...], tuple[Fraction, Fraction]], weight: Fraction) -> tuple[str, ...]:
    heights = {names: low + weight * (high - low) for names, (low, high) in lines.items()}
    most = max(heights.values())
    return tuple(sorted(name for names, height in heights.items() if height == most for name in names))


def _along(given: Point, axis: int) -> Point:
    """The weighing without one axis, in which the others keep the ratio that the SLO gives them; even if both are 0."""
    parts = [Fraction(0) if place == axis else weight for place, weight in enumerate(given)]
    rest = sum(parts, Fraction(0))
    even = Fraction(1, len(AXES) - 1)
    first, second, third = (p / rest if rest else Fraction(0) if i == axis else even for i, p in enumerate(parts))
    return first, second, third


def _sentences(
    along: Mapping[str, Sequence[Stretch]], given: Point, now: tuple[str, ...], held: Collection[str]
) -> Iterator[str]:
    """Who wins now, and every weight of one axis at which another takes over."""
    yield f"{_subject(now, held)} under the weights of the SLO."
    if all(len(stretches) == 1 for stretches in along.values()):
        yield "No other weight of a single axis changes that."
        return
    for place, axis in enumerate(AXES):
        own, others = float(given[place]), [s for s in along[axis] if s.variants != now]
        for stretch in reversed([s for s in others if s.end <= own]):
            start = "" if stretch.start == 0 else f", down to {_shown(stretch.start)}"
            yield f"{_subject(stretch.variants, held)} once {axis} weighs less than {_shown(stretch.end)}{start}."
        for stretch in (s for s in others if s.end > own):
            end = "" if stretch.end == 1 else f", up to {_shown(stretch.end)}"
            yield f"{_subject(stretch.variants, held)} once {axis} weighs more than {_shown(stretch.start)}{end}."


def _subject(names: Sequence[str], held: Collection[str]) -> str:
    """`small wins`, with a mark on what is held back: a composite ships nothing."""
    said = [f"{name} (held back)" if name in held else name for name in names]
    return f"{said[0]} wins" if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]} win alike"


def _shown(weight: float) -> str:
    """Two decimals; more where they would read as no weight at all, or as all of it."""
    for decimals in (2, 3, 4):
        text = f"{weight:.{decimals}f}"
        if 0 < float(text) < 1:
            return text
    return f"{weight:.6g}"
