"""Quantiles of latency in production's mix of strata, whatever mix was probed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triaxis.quantities import Absent, Measure
from triaxis.stats.clusters import Codes, Floats, Labels, Sample, cluster_codes, kish
from triaxis.stats.distributions import normal_critical, t_critical
from triaxis.stats.quantiles import MIN_BLOCKS, bounded, lands_on_failure
from triaxis.stats.ranks import HIDDEN, THRESHOLDS, has_high, has_low
from triaxis.stats.strata import by_stratum, post_stratified, score_statistics

GRID = 64
"""Ranks that are tested at once."""


def weighted_quantile(
    values: ArrayLike,
    *,
    weights: ArrayLike,
    strata: Labels,
    q: float,
    level: float,
    blocks: Labels | None = None,
    limit: float | None = None,
) -> Measure:
    """A quantile weighted to production's mix, with order statistics as bounds.

    A value bounds the quantile where the weighted share of values up to it differs from q by the score test over
    strata, whose rates are those most likely at q. Resampling within strata, the usual advice, puts the upper bound of
    a p95 too low where a heavy stratum has few requests: none of its draws is slower than its slowest one.

    Args:
        values: Latencies in order of arrival, infinite for failures.
        weights: Production's share over the sample's share, one a request; equal within a stratum, 0 leaves one out.
        strata: Each request's stratum.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        blocks: Each request's block, where requests wait for each other; the test is then on n/deff with t.
        limit: When a request is given up.

    Returns:
        As `quantile`.
    """
    latencies, heavy = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    kept = np.flatnonzero(heavy > 0)
    times, shares, kinds = latencies[kept], heavy[kept], cluster_codes(np.asarray(strata)[kept], len(kept))
    if len(times) <= 1:
        return Absent("only 1 request; 2 are needed" if len(times) else "no requests")
    order = np.argsort(times, kind="stable")
    ranked = times[order]
    point = weighted_point(ranked, shares[order], q)
    if point == inf:
        return lands_on_failure(ranked, limit)
    critical, deff, n, method = normal_critical(level), 1.0, len(times), "order statistics, weighted"
    if blocks is not None:
        codes = cluster_codes(np.asarray(blocks)[kept], len(kept))
        n = int(codes.max()) + 1
        if n < MIN_BLOCKS:
            return Absent(f"only {n} blocks; {MIN_BLOCKS} are needed where requests wait for each other")
        sample = Sample(values=times, weights=shares, codes=codes, n_clusters=n, strata=kinds)
        critical, deff, method = t_critical(level, n - 1), _design_effect(sample, kinds, q), f"{method}, n/deff, t"
    low, high = _bounds(ranked, kinds[order], shares[order], q, critical * sqrt(deff))
    worth = kish(shares) / deff
    low, high = low if has_low(worth, q, level) else -inf, high if has_high(worth, q, level) else inf
    return bounded(ranked, (low, high), q=q, level=level, limit=limit, n=n, method=method, point=point)


def weighted_point(ranked: Floats, shares: Floats, q: float) -> float:
    """Linear interpolation between the middles of the weights, scaled so that equal weights give `interpolated`."""
    places = weighted_places(shares)
    below = int(np.searchsorted(places, q, side="right")) - 1
    low = float(ranked[below])
    if below == len(ranked) - 1 or places[below] == q or low == inf:
        return low
    share = (q - places[below]) / (places[below + 1] - places[below])
    return low + float(share) * (float(ranked[below + 1]) - low)


def weighted_places(shares: Floats) -> Floats:
    """Of ranked values, the quantile that each is: 0 for the first and 1 for the last."""
    middles = np.cumsum(shares) - shares / 2
    return (middles - middles[0]) / (middles[-1] - middles[0]) if len(shares) > 1 else np.zeros(1)


def _design_effect(sample: Sample, strata: Codes, q: float) -> float:
    """How many times more requests in blocks are needed than independent ones, as `effective_requests` finds it."""
    order = np.argsort(sample.values, kind="stable")
    ranked, shares = sample.values[order], sample.weights[order]
    most = 1.0
    for share in [q, *(share for share in THRESHOLDS if share < q)]:
        below = (sample.values <= weighted_point(ranked, shares, share)).astype(np.float64)
        told = replace(sample, values=below)
        within = by_stratum(told, strata).within
        if within:
            most = max(most, HIDDEN * post_stratified(told).robust_variance() / within)
    return most


def _bounds(ranked: Floats, strata: Codes, shares: Floats, q: float, critical: float) -> tuple[float, float]:
    """The values up to which the weighted share is surely below q, and above it; infinite where there is none."""
    places = [np.flatnonzero(strata == stratum) for stratum in range(int(strata.max()) + 1)]
    trials = np.array([len(mine) for mine in places], dtype=np.float64)
    weights = np.array([shares[mine].sum() for mine in places])

    def statistics(counts: Codes) -> Floats:
        sums = np.column_stack([np.searchsorted(mine, counts) for mine in places]).astype(np.float64)
        return score_statistics(weights / weights.sum(), trials, sums, q)

    # With so many of the fastest requests below a value it lies below the quantile, or above it.
    low = _first(lambda counts: statistics(counts) > -critical, len(ranked)) - 1
    high = _first(lambda counts: statistics(counts) >= critical, len(ranked))
    return (float(ranked[low]) if low >= 0 else -inf, float(ranked[high - 1]) if high <= len(ranked) else inf)


def _first(holds: Callable[[Codes], NDArray[np.bool_]], most: int) -> int:
    """The smallest count from 0 to `most` at which a condition holds that then holds for all larger; else most + 1."""
    low, high = -1, most + 1
    while high - low > 1:
        grid = np.unique(np.linspace(low + 1, high - 1, GRID).astype(np.intp))
        held = holds(grid)
        first = int(np.argmax(held)) if held.any() else len(grid)
        low = int(grid[first - 1]) if first else low
        high = int(grid[first]) if first < len(grid) else high
    return high
