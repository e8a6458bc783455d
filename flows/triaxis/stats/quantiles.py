"""Quantiles of latency with their bounds; failures are slower than every success."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Above, Absent, Estimate, Measure
from triaxis.stats.clusters import Floats, Labels, cluster_codes
from triaxis.stats.ranks import dependent_ranks, independent_ranks, interpolated, requests_needed

MIN_BLOCKS = 5
"""Blocks parted in time that a bound needs where requests depend on each other."""


def quantile(
    successes: ArrayLike,
    *,
    failures: int = 0,
    q: float,
    level: float,
    blocks: Labels | None = None,
    limit: float | None = None,
) -> Measure:
    """A quantile of latency over all requests, failures ranked slower than every success.

    The point is interpolated linearly, as in LLMPerf's tables. The bounds are order statistics: for independent
    requests by the binomial distribution, each side with its own tail; with `blocks` by Wilson's interval of the share
    at q on n/deff (Woodruff 1952), deff being the largest that the blocks show at or below the quantile.

    Args:
        successes: Latencies of the answered requests.
        failures: How many failed or timed out.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        blocks: Each request's block, first of the successes in their order, then of the failures; None where requests
            are independent (`autocorrelated` tells).
        limit: When a request is given up, in the unit of the successes.

    Returns:
        An estimate whose `n` is the number of requests, or of blocks where given. `Above` where the point lands on a
        failure. An upper bound that the data cannot give, or that lands on a failure, is `limit`; without one: absent.
    """
    values = np.concatenate([np.asarray(successes, dtype=np.float64), np.full(failures, inf)])
    if len(values) <= 1:
        return Absent("only 1 request; 2 are needed" if len(values) else "no requests")
    ranked = np.sort(values)
    if interpolated(ranked, q) == inf:
        return lands_on_failure(ranked, limit)
    if blocks is None:
        low, high = _at_ranks(ranked, independent_ranks(len(ranked), q, level))
        return bounded(ranked, (low, high), q=q, level=level, limit=limit, n=len(ranked), method="order statistics")
    codes = cluster_codes(blocks, len(values))
    n_blocks = int(codes.max()) + 1
    if n_blocks < MIN_BLOCKS:
        return Absent(f"only {n_blocks} blocks; {MIN_BLOCKS} are needed where requests wait for each other")
    bounds = _at_ranks(ranked, dependent_ranks(values, codes, q, level))
    return bounded(ranked, bounds, q=q, level=level, limit=limit, n=n_blocks, method="order statistics, n/deff, t")


def _at_ranks(ranked: Floats, ranks: tuple[int, int]) -> tuple[float, float]:
    """The values at two ranks from 1; infinitely far out where a rank is beyond the sample."""
    low, high = ranks
    return (float(ranked[low - 1]) if low else -inf, float(ranked[high - 1]) if high <= len(ranked) else inf)


def lands_on_failure(ranked: Floats, limit: float | None) -> Measure:
    """A quantile whose point is a failure, given values in ascending order."""
    finite = ranked[ranked < inf]
    if limit is None and not len(finite):
        return Absent(f"all {len(ranked)} requests failed, and when they are given up is not known")
    return Above(limit if limit is not None else float(finite[-1]))


def bounded(
    ranked: Floats,
    bounds: tuple[float, float],
    *,
    q: float,
    level: float,
    limit: float | None,
    n: int,
    method: str,
    point: float | None = None,
) -> Measure:
    """The quantile of values in ascending order with its bounds, infinite where there is none; `point` as weighted."""
    value = interpolated(ranked, q) if point is None else point
    low, high = bounds
    if low == -inf or (high == inf and limit is None):
        needed = requests_needed(q, level)
        return Absent(
            f"p{100 * q:g} needs {needed} answered requests that do not depend on each other; these are worth fewer"
        )
    slowest = float(ranked[ranked < inf][-1])
    high = max(limit or 0.0, slowest) if high == inf else high
    low, high = _parted(ranked, min(low, value), max(high, value))
    if low == high:
        return Absent(f"all {len(ranked)} requests took the same time to the last digit")
    return Estimate(value=value, low=low, high=high, level=level, n=n, method=method)


def _parted(ranked: Floats, low: float, high: float) -> tuple[float, float]:
    """Bounds that a coarse clock has made equal, moved out to the next latencies that differ."""
    if low < high:
        return low, high
    under, over = ranked[ranked < low], ranked[(ranked > high) & (ranked < inf)]
    return float(under[-1]) if len(under) else low, float(over[0]) if len(over) else high
