"""The difference of two quantiles over the same cases, each measured on its own and whole clusters resampled."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent, Estimate
from triaxis.stats.bootstrap import DIGITS, expanded_percentiles
from triaxis.stats.clusters import MIN_CLUSTERS, Codes, Floats, Labels, cluster_codes, gateable
from triaxis.stats.ranks import interpolated, requests_needed
from triaxis.stats.resampling import DRAWS, drawn_totals


def clustered_quantile_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: tuple[Labels, Labels],
    q: float,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Estimate | Absent:
    """Difference of two quantiles of times that were taken case by case, with a paired cluster bootstrap.

    A draw is kept as sums over its clusters: how many times of either side lie at or below that side's quantile. Where
    they are a share s more than in the sample, the draw's quantile is the sample's at q - s (Bahadur 1966). So a draw
    costs the same whatever the number of times, and bounds are order statistics, as they are of one quantile. Its
    percentiles are taken as far out as those of `paired_mean_difference`.

    Args:
        a: One time each, infinite for a failure; a case may have several.
        b: The other variant's over the same cases.
        clusters: What each of `a`, and each of `b`, depends on, such as its case or session; each has times of both.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this difference alone.
        draws: Resamples.

    Returns:
        `n` is the number of clusters. Absent under 10 of them, where the quantile lands on a failure in the sample or
        in a draw, and where either side alone would have no bound.
    """
    labels = np.concatenate([np.asarray(some) for some in clusters])
    codes = cluster_codes(labels, len(np.asarray(a)) + len(np.asarray(b)))
    n_clusters = int(codes.max(initial=-1)) + 1
    first, second = _side(a, codes[: len(clusters[0])], q), _side(b, codes[len(clusters[0]) :], q)
    why = _too_few(n_clusters) or first.boundless(q, level) or second.boundless(q, level)
    if why:
        return why
    drawn = _differences(first, second, n_clusters, q, draws=draws, rng=rng)
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    if float(drawn.std()) <= max(abs(first.point), abs(second.point)) * 10**-DIGITS:
        return Absent(f"all {n_clusters} pairs differ by the same, which says nothing about how others would")
    value = first.point - second.point
    low, high = expanded_percentiles(drawn, level, n_clusters - 1)
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        n=n_clusters,
        method="paired cluster bootstrap, order statistics",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One variant's times."""

    times: Floats
    ranked: Floats
    codes: Codes
    """Each time's cluster, in the order of the times."""
    point: float
    """Their quantile."""

    def boundless(self, q: float, level: float) -> Absent | None:
        """Why this side's quantile alone has no bound, None where it has."""
        if self.point == inf:
            return Absent("the quantile lands on a failed request")
        needed, units = requests_needed(q, level), len(np.unique(self.codes))
        return None if units >= needed else Absent(f"p{100 * q:g} needs {needed} independent pairs; these are {units}")

    def sums(self, n_clusters: int) -> Floats:
        """Of each cluster, how many times lie at or below the point, and how many there are."""
        below = np.bincount(self.codes, weights=self.times <= self.point, minlength=n_clusters)
        held = np.bincount(self.codes, minlength=n_clusters)
        return np.column_stack([below, held]).astype(np.float64)

    def drawn(self, totals: Floats, q: float) -> Floats:
        """The quantile of each draw, whose `sums` add up to `totals`."""
        more = totals[:, 0] / totals[:, 1] - float((self.times <= self.point).mean())
        place = np.clip(q - more, 0, 1) * (len(self.ranked) - 1)
        low, high = self.ranked[np.floor(place).astype(np.intp)], self.ranked[np.ceil(place).astype(np.intp)]
        with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
            return np.where(high == inf, inf, low + (place - np.floor(place)) * (high - low))


def _side(times: ArrayLike, codes: Codes, q: float) -> _Side:
    given = np.asarray(times, dtype=np.float64)
    ranked = np.sort(given)
    point = interpolated(ranked, q) if len(ranked) else inf
    return _Side(times=given, ranked=ranked, codes=codes, point=point)


def _differences(
    first: _Side, second: _Side, n_clusters: int, q: float, *, draws: int, rng: np.random.Generator
) -> Floats:
    table = np.column_stack([first.sums(n_clusters), second.sums(n_clusters)])
    totals = drawn_totals(table, draws=draws, rng=rng)
    with np.errstate(invalid="ignore"):  # a draw in which both are infinite is no number, and told of
        return first.drawn(totals[:, :2], q) - second.drawn(totals[:, 2:], q)


def _too_few(n_clusters: int) -> Absent | None:
    return None if gateable(n_clusters) else Absent(f"only {n_clusters} pairs; {MIN_CLUSTERS} are needed")
