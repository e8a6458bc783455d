"""Draws of the three measures of every variant at once, for the share of draws in which each is on the front.

One draw of cases (of their sessions, where they have them) serves the precision and the cost of all variants, so that
what is hard or dear for all of them moves all of them. Latency that was probed is drawn by blocks of the arrival
schedule that variants share, by requests where there are too few blocks; latency that was imported is drawn with its
cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from triaxis.quantities import Absent
from triaxis.rules.measures.latency import ProbeRows
from triaxis.rules.measures.tally import NONE, CaseFrame, Codes, Floats, distinct
from triaxis.rules.measures.variant import SeededBy, VariantRows
from triaxis.rules.names import STATISTICS
from triaxis.stats.bootstrap import expanded_percentiles
from triaxis.stats.clusters import gateable
from triaxis.stats.pareto import drawn_sums, groups_of
from triaxis.stats.quantile_draws import QuantileSums, quantile_sums
from triaxis.stats.quantiles import MIN_BLOCKS
from triaxis.stats.resampling import DRAWS

_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDraws:
    """The three measures in every draw that has them all, of shape (draws, variants)."""

    precision: Floats
    latency: Floats
    cost: Floats
    freedom: float
    """Degrees of freedom of the draws of cases."""

    @property
    def lower_is_better(self) -> Floats:
        """Shape (draws, variants, 3)."""
        return np.stack([-self.precision, self.latency, self.cost], axis=-1)

    def precision_band(self, place: int, level: float) -> tuple[float, float] | None:
        """The interval of one variant's precision; None where every draw has the same, which shows no spread."""
        drawn = self.precision[:, place]
        if float(drawn.std()) <= 10**-_DIGITS:
            return None
        return expanded_percentiles(drawn, level, self.freedom)


def front_draws(
    rows: Mapping[str, VariantRows], frame: CaseFrame, weights: Mapping[str, float], seeded: SeededBy
) -> FrontDraws | None:
    """The draws; None under ten clusters of cases.

    Args:
        rows: Of variants that have all three measures and whose latencies may be compared, at least one.
        frame: The cases.
        weights: Of the dimensions, by name.
        seeded: The generator by measure.
    """
    rng = seeded("pareto.cases")
    units = _units(rows, frame, rng)
    if units is None:
        return None
    imported = all(mine.probe.timed == "imported" for mine in rows.values())
    times = [_times(mine.probe, frame, units if imported else _blocks(mine.probe)) for mine in rows.values()]
    clocks = [t.table for t in times]
    sums = drawn_sums(
        [*(_mean_table(mine, frame, units) for mine in rows.values()), *clocks * imported], draws=DRAWS, rng=rng
    )
    of_times = sums[len(rows) :] or drawn_sums(clocks, draws=DRAWS, rng=seeded("pareto.latency"))
    means = np.stack([_means(totals) for totals in sums[: len(rows)]], axis=1)
    shares = np.array([weights[name] for name in next(iter(rows.values())).scores])
    precision = means[:, :, 1:] @ (shares / shares.sum())
    told = ~np.isnan(precision).any(axis=1)
    return FrontDraws(
        precision=precision[told],
        latency=np.stack([t.drawn(totals) for t, totals in zip(times, of_times, strict=True)], axis=1)[told],
        cost=means[told, :, 0],
        freedom=units.clusters - 1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """What is drawn whole."""

    of: Codes
    """Per case, or per request: its unit."""
    count: int
    clusters: int
    """Independent units: more than are drawn, where very many were put into groups."""


def _units(rows: Mapping[str, VariantRows], frame: CaseFrame, rng: np.random.Generator) -> _Units | None:
    """The clusters of the cases that were answered; None where they are too few."""
    answered = np.zeros(len(frame.ids), dtype=np.bool_)
    for mine in rows.values():
        answered[mine.cases] = True
    used = np.flatnonzero(answered)
    clusters, codes = np.unique(frame.clusters[used], return_inverse=True)
    if not gateable(len(clusters)):
        return None
    groups = groups_of(len(clusters), rng)
    unit_of = np.full(len(frame.ids), NONE, dtype=np.int64)
    unit_of[used] = groups[codes]
    return _Units(of=unit_of, count=int(groups.max()) + 1, clusters=len(clusters))


def _mean_table(rows: VariantRows, frame: CaseFrame, units: _Units) -> Floats:
    """Per unit, the sum and the count of dollars a request, then of the scores of each dimension."""
    columns = [_sums(rows.costs.cases, rows.costs.usd, frame, units)]
    for scores in rows.scores.values():
        read = scores.read
        columns.append(_sums(read.cases, read.values, frame, units))
    return np.concatenate(columns, axis=1)


def _sums(cases: Codes, values: Floats, frame: CaseFrame, units: _Units) -> Floats:
    mine, weights = units.of[cases], _weights(frame, cases)
    sums = np.bincount(mine, weights=weights * values, minlength=units.count)
    held = np.bincount(mine, weights=weights, minlength=units.count)
    return np.column_stack([sums, held]).astype(np.float64)


def _weights(frame: CaseFrame, cases: Codes) -> Floats:
    """What rows count in production; where that cannot be said, the measure itself is absent, and drawn by nobody."""
    weighing = frame.weighing(cases)
    weights = None if isinstance(weighing, Absent) else weighing.weights
    return np.ones(len(cases)) if weights is None else weights


def _means(totals: Floats) -> Floats:
    """The mean of each pair of columns in each draw; NaN in a draw without any value of it."""
    sums, counts = totals[:, 0::2], totals[:, 1::2]
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _times(probe: ProbeRows, frame: CaseFrame, units: _Units) -> QuantileSums:
    """What draws of the p95 are read from; failures rank slowest."""
    chosen = np.flatnonzero(probe.telling("full"))
    times = probe.milliseconds("full")[chosen]
    codes = units.of[probe.cases[chosen]] if probe.timed == "imported" else units.of
    ranked, weights = np.where(np.isnan(times), np.inf, times), _weights(frame, probe.cases[chosen])
    counted = weights > 0
    return quantile_sums(
        ranked[counted], codes[counted], units=units.count, q=STATISTICS["p95"], weights=weights[counted]
    )


def _blocks(probe: ProbeRows) -> _Units:
    """Each request's unit: its block; itself where there are too few blocks to be drawn."""
    if distinct(probe.blocks) < MIN_BLOCKS:
        return _Units(of=np.arange(len(probe)), count=len(probe), clusters=len(probe))
    blocks, codes = np.unique(probe.blocks, return_inverse=True)
    return _Units(of=codes.astype(np.int64), count=len(blocks), clusters=len(blocks))
