"""The difference of two quantiles over the same cases, each measured on its own and whole clusters resampled."""

from __future__ import annotations

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
    times = np.sort(np.asarray(a, dtype=np.float64)), np.sort(np.asarray(b, dtype=np.float64))
    codes = cluster_codes(np.concatenate([np.asarray(labels) for labels in clusters]), len(times[0]) + len(times[1]))
    mine, others = codes[: len(times[0])], codes[len(times[0]) :]
    n_clusters = int(codes.max(initial=-1)) + 1
    why = _too_few(n_clusters) or _boundless(times[0], mine, q, level) or _boundless(times[1], others, q, level)
    if why:
        return why
    points = interpolated(times[0], q), interpolated(times[1], q)
    sides = (_sums(np.asarray(a), mine, points[0], n_clusters), _sums(np.asarray(b), others, points[1], n_clusters))
    totals = drawn_totals(np.column_stack(sides), draws=draws, rng=rng)
    drawn = _drawn(times[0], sides[0], totals[:, :2], q) - _drawn(times[1], sides[1], totals[:, 2:], q)
    value = points[0] - points[1]
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    if float(drawn.std()) <= max(map(abs, points)) * 10**-DIGITS:
        return Absent(f"all {n_clusters} pairs differ by the same, which says nothing about how others would")
    low, high = expanded_percentiles(drawn, level, n_clusters - 1)
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        n=n_clusters,
        method="paired cluster bootstrap, order statistics",
    )


def _too_few(n_clusters: int) -> Absent | None:
    return None if gateable(n_clusters) else Absent(f"only {n_clusters} pairs; {MIN_CLUSTERS} are needed")


def _boundless(ranked: Floats, codes: Codes, q: float, level: float) -> Absent | None:
    """Why one side's quantile alone has no bound, None where it has."""
    if interpolated(ranked, q) == inf:
        return Absent("the quantile lands on a failed request")
    needed, units = requests_needed(q, level), len(np.unique(codes))
    return None if units >= needed else Absent(f"p{100 * q:g} needs {needed} independent pairs; these are {units}")


def _sums(times: Floats, codes: Codes, point: float, n_clusters: int) -> Floats:
    """Of each cluster, how many times lie at or below the point, and how many there are."""
    below = np.bincount(codes, weights=times <= point, minlength=n_clusters)
    return np.column_stack([below, np.bincount(codes, minlength=n_clusters)]).astype(np.float64)


def _drawn(ranked: Floats, sums: Floats, totals: Floats, q: float) -> Floats:
    """The quantile of each draw."""
    below, held = sums.sum(axis=0)
    more = totals[:, 0] / totals[:, 1] - below / held
    place = np.clip(q - more, 0, 1) * (len(ranked) - 1)
    low, high = ranked[np.floor(place).astype(np.intp)], ranked[np.ceil(place).astype(np.intp)]
    with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
        return np.where(high == inf, inf, low + (place - np.floor(place)) * (high - low))
