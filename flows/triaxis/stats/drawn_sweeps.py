"""The sweep of a router in production's mix, and the intervals of what is read off it.

Whole clusters are resampled. A draw is kept as sums over at most `BINS` steps of the curve, so that it costs the same
whatever the number of cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent, Estimate
from triaxis.stats.bootstrap import expanded_percentiles
from triaxis.stats.clusters import MIN_CLUSTERS, Codes, Floats, Labels, cluster_codes, gateable, kish
from triaxis.stats.pareto import groups_of
from triaxis.stats.resampling import DRAWS, drawn_units
from triaxis.stats.routing import Sweep, apgr, call_performance_threshold, sweep

BINS = 100
"""Steps of a curve within which draws take it to run straight; a curve of fewer steps is drawn as it is."""


Figures: TypeAlias = Callable[["_Curves"], Floats]
"""One figure of each of many curves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepEstimates:
    """What a sweep says, with intervals."""

    curve: Sweep
    apgr: Estimate | Absent
    cpt: Mapping[float, Estimate | Absent]
    """By the share of the gap that is recovered."""


def sweep_estimates(
    scores: ArrayLike,
    weak: ArrayLike,
    strong: ArrayLike,
    *,
    clusters: Labels,
    gaps: tuple[float, ...],
    level: float,
    rng: np.random.Generator,
    weights: ArrayLike | None = None,
    draws: int = DRAWS,
) -> SweepEstimates:
    """The curve over at least one case, with APGR and CPT and percentiles of their cluster bootstrap.

    Args:
        scores: How much each case wants the strong arm.
        weak: The weak arm's quality on each case.
        strong: The strong arm's.
        clusters: What each case depends on, such as its session.
        gaps: The shares of the gap of which the CPT is asked.
        level: Two-sided coverage of the intervals.
        rng: Seeded by the caller for this sweep alone.
        weights: Production's share over the sample's share, one a case; 0 leaves it out.
        draws: Resamples.

    Returns:
        Estimates are absent under 10 clusters, where the strong arm is no better, and where it is not in some draws: a
        share of a gap of which nobody knows that there is one has no interval.
    """
    counts = np.ones(len(np.asarray(scores))) if weights is None else np.asarray(weights, dtype=np.float64)
    kept = np.flatnonzero(counts > 0)
    wanted, low, high = (np.asarray(values, dtype=np.float64)[kept] for values in (scores, weak, strong))
    codes = cluster_codes(np.asarray(clusters)[kept], len(kept))
    cases = _Cases(steps=_steps(wanted, counts[kept]), codes=codes, low=low, high=high, counts=counts[kept])
    curve = sweep(wanted, low, high, weights=cases.counts)
    drawn = cases.drawn(draws, rng)
    units: Floats = np.bincount(codes, weights=cases.counts).astype(np.float64)

    def estimate(value: float | Absent, figures: Figures) -> Estimate | Absent:
        moves = figures(drawn) - figures(_curves_of(cases.stepped()))
        return _estimate(value, moves, drawn.gaps, units, level)

    return SweepEstimates(
        curve=curve,
        apgr=estimate(apgr(curve), _apgrs),
        cpt={gap: estimate(call_performance_threshold(curve, gap), partial(_thresholds, gap=gap)) for gap in gaps},
    )


def _steps(wanted: Floats, counts: Floats) -> Codes:
    """Each case's step from 0, those first that want the strong arm most; equal scores share one."""
    scores, places = np.unique(-wanted, return_inverse=True)
    if len(scores) <= BINS:
        return places.astype(np.intp)
    before = np.cumsum(np.bincount(places, weights=counts)) - np.bincount(places, weights=counts)
    binned = (before / counts.sum() * BINS).astype(np.intp)
    return np.unique(binned, return_inverse=True)[1][places].astype(np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cases:
    """The cases that count."""

    steps: Codes
    codes: Codes
    """Of their clusters."""
    low: Floats
    high: Floats
    counts: Floats

    def stepped(self) -> Sweep:
        """The curve in steps."""
        return sweep(-self.steps.astype(np.float64), self.low, self.high, weights=self.counts)

    def drawn(self, draws: int, rng: np.random.Generator) -> _Curves:
        """The curve of each draw; a step of which a draw holds nothing has no width."""
        table, width = self._table(rng), int(self.steps.max()) + 1
        totals = drawn_units(table, draws=draws, rng=rng).reshape(draws, 2, width).cumsum(axis=2)
        whole = totals[:, 0, -1:]
        return _Curves(shares=_from_none(totals[:, 0] / whole), gains=_from_none(totals[:, 1] / whole))

    def _table(self, rng: np.random.Generator) -> Floats:
        """Per unit of drawing, what it holds of each step, then what it gains there."""
        units = groups_of(int(self.codes.max()) + 1, rng)[self.codes]
        width, rows = int(self.steps.max()) + 1, int(units.max()) + 1
        cell, cells = units * width + self.steps, rows * width
        held = np.bincount(cell, weights=self.counts, minlength=cells).reshape(rows, width)
        gains = np.bincount(cell, weights=self.counts * (self.high - self.low), minlength=cells).reshape(rows, width)
        return np.column_stack([held, gains]).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curves:
    """Many curves, one a row."""

    shares: Floats
    gains: Floats
    """Quality less the weak arm's."""

    @property
    def gaps(self) -> Floats:
        """What the strong arm is better by in each."""
        return self.gains[:, -1]

    def recovered(self) -> Floats:
        """The share of the gap at each point; NaN where there is no gap."""
        gaps = self.gaps[:, np.newaxis]
        return np.divide(self.gains, gaps, out=np.full_like(self.gains, np.nan), where=gaps > 0)


def _curves_of(curve: Sweep) -> _Curves:
    return _Curves(shares=curve.shares[np.newaxis], gains=(curve.quality - curve.quality[0])[np.newaxis])


def _from_none(curves: Floats) -> Floats:
    return np.column_stack([np.zeros(len(curves)), curves])


def _apgrs(curves: _Curves) -> Floats:
    """`routing.apgr` of each curve."""
    return np.asarray(np.trapezoid(curves.recovered(), curves.shares, axis=1), dtype=np.float64)


def _thresholds(curves: _Curves, gap: float) -> Floats:
    """`routing.call_performance_threshold` of each curve, for a gap above 0."""
    recovered, rows = curves.recovered(), np.arange(len(curves.shares))
    after = np.maximum(np.argmax(recovered >= gap, axis=1), 1)
    below, above = recovered[rows, after - 1], recovered[rows, after]
    left, right = curves.shares[rows, after - 1], curves.shares[rows, after]
    return np.asarray(left + (right - left) * (gap - below) / (above - below), dtype=np.float64)


def _estimate(value: float | Absent, moves: Floats, gaps: Floats, units: Floats, level: float) -> Estimate | Absent:
    """A figure with the percentiles of its draws.

    Args:
        value: Of the curve itself.
        moves: How far each draw has moved the figure, both of them of a curve in steps.
        gaps: What the strong arm is better by in each draw.
        units: What each cluster weighs.
        level: Two-sided.
    """
    if isinstance(value, Absent):
        return value
    if not gateable(len(units)):
        return Absent(f"only {len(units)} independent cases; {MIN_CLUSTERS} are needed")
    if lacking := int((gaps <= 0).sum()):
        return Absent(f"in {lacking:,} of {len(gaps):,} draws the better arm is no better, so that no gap is sure")
    low, high = expanded_percentiles(value + moves, level, max(1.0, kish(units) - 1))
    if low == high:
        return Absent("all draws say the same, which says nothing about how others would")
    low, high = min(low, value), max(high, value)
    return Estimate(value=value, low=low, high=high, level=level, n=len(units), method="cluster bootstrap")
