"""From one variant to another, lever by lever: how each step moves a measure, as floating bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from triaxis.domain.measures import estimated
from triaxis.domain.scorecard import Scorecard, VariantCard
from triaxis.domain.slo import Axis
from triaxis.quantities import Absent
from triaxis.rules.gating.compare import better_is_more
from triaxis.rules.names import COST_PER_REQUEST, latency_name
from triaxis.rules.sheets.plots import Scale
from triaxis.rules.words import quantity

_LEAST = 2
"""Steps of a chain that is worth a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One bar: a variant's own value, or the change that a lever makes."""

    label: str
    left: float
    """In percent of the track."""
    width: float
    text: str
    tone: str
    """`total` for a variant's own value; `pass` and `fail` for changes for the better and the worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """One measure along one chain of levers."""

    title: str
    measure: str
    steps: tuple[Step, ...]


_Bar = tuple[str, float, float, bool]
"""Label, start, end, and whether it is a variant's own value."""


def waterfalls(card: Scorecard) -> tuple[Waterfall, ...]:
    """For each chain of variants that extend one another, and for the levers of a factorial, on each axis.

    An axis on which some variant of a chain has no value has no picture. The axes of one chain follow each other.
    """
    found = (_waterfall(title, bars, axis, measure) for title, bars, axis, measure in _every(card))
    return tuple(sorted(found, key=lambda waterfall: waterfall.title))


def _every(card: Scorecard) -> Iterator[tuple[str, list[_Bar], Axis, str]]:
    readings: tuple[tuple[Axis, str, Callable[[VariantCard], float | None]], ...] = (
        ("precision", "precision, weighted over the dimensions", _precision),
        ("latency", latency_name("full", "p50"), _latency),
        ("cost", COST_PER_REQUEST, lambda v: estimated(v.measures.cost.per_request)),
    )
    for axis, measure, reading in readings:
        values = {name: value for name, v in card.variants.items() if (value := reading(v)) is not None}
        for names in _chains(card):
            if all(name in values for name in names):
                yield f"{names[0]} to {names[-1]}", _chained(names, values), axis, measure
        for base, levers, joined in _joined(card):
            if all(name in values for name in (base, *levers, joined)):
                yield f"{base} to {joined}", _added(base, levers, joined, values), axis, measure


def _precision(variant: VariantCard) -> float | None:
    return None if isinstance(variant.axes.precision, Absent) else variant.axes.precision


def _latency(variant: VariantCard) -> float | None:
    p50 = variant.measures.latency.quantiles.get("full", {}).get("p50")
    return None if p50 is None else estimated(p50)


def _chains(card: Scorecard) -> Iterator[tuple[str, ...]]:
    """Paths of `extends`, from the variant that extends nothing to one that nothing extends."""
    parents = {name: v.lever.of for name, v in card.variants.items() if v.lever is not None}
    joined = {name for _, levers, name in _joined(card) for name in (*levers, name)}
    for leaf in sorted(parents.keys() - set(parents.values()) - joined):
        path = [leaf]
        while (above := parents.get(path[0])) is not None and above in card.variants:
            path.insert(0, above)
        if len(path) > _LEAST:
            yield tuple(path)


def _joined(card: Scorecard) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The base, the levers and the variant that joins all of them, of the largest combination."""
    told = {(j.interaction.of, j.interaction.levers) for j in card.interactions}
    for base, levers in sorted(told, key=lambda each: -len(each[1]))[:1]:
        yield base, levers, "+".join(levers)


def _chained(names: Sequence[str], values: Mapping[str, float]) -> list[_Bar]:
    changes = [(b, values[a], values[b], False) for a, b in pairwise(names)]
    return [(names[0], 0.0, values[names[0]], True), *changes, (names[-1], 0.0, values[names[-1]], True)]


def _added(base: str, levers: Sequence[str], joined: str, values: Mapping[str, float]) -> list[_Bar]:
    """What each lever does alone, one on the other, and what they do to each other on top."""
    bars: list[_Bar] = [(base, 0.0, values[base], True)]
    at = values[base]
    for lever in levers:
        bars.append((lever, at, at + values[lever] - values[base], False))
        at = bars[-1][2]
    return [*bars, ("together", at, values[joined], False), (joined, 0.0, values[joined], True)]


def _waterfall(title: str, bars: Sequence[_Bar], axis: Axis, measure: str) -> Waterfall:
    ends = [end for _, *both, _ in bars for end in both]
    scale = Scale(low=min(ends), high=max(ends) or 1.0)  # values start at 0, which is among them
    return Waterfall(title=title, measure=measure, steps=tuple(_step(bar, axis, scale) for bar in bars))


def _step(bar: _Bar, axis: Axis, scale: Scale) -> Step:
    label, start, end, total = bar
    left, right = sorted((scale.at(start), scale.at(end)))
    good = (end > start) is better_is_more(axis) or end == start
    change = f"{'+' if end > start else ''}{quantity(axis, end - start)}"
    return Step(
        label=label,
        left=left,
        width=round(right - left, 1),
        text=quantity(axis, end) if total else change,
        tone="total" if total else "pass" if good else "fail",
    )
