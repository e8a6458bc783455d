"""Which order statistics bound a quantile, for independent requests and for those that wait for each other."""

from __future__ import annotations

from math import ceil, floor, inf, log, sqrt

import numpy as np
from numpy.typing import ArrayLike

from triaxis.stats.clusters import Codes, Floats, Labels, Sample, cluster_codes
from triaxis.stats.distributions import binomial_at_most, normal_critical, t_critical, tail
from triaxis.stats.proportions import wilson_bounds

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Where dependence is looked for besides the quantile itself: in the tail too few requests show it."""
HIDDEN = 1.5
"""How much larger deff is taken to be than blocks show it: in simulated queues an upper bound of p95 missed 10 to 16%
of the time without, since a sample that has not met the rare long queue shows neither the delay nor its spread."""
SUSPICION = 0.8
"""Two-sided level at which serial correlation is believed: low, since missing it costs coverage, believing it width."""


def interpolated(ranked: Floats, q: float) -> float:
    """The quantile of values in ascending order by linear interpolation (type 7 of Hyndman and Fan, numpy's default).

    Infinite where it lands on an infinite value or between a finite and an infinite one.
    """
    place = q * (len(ranked) - 1)
    below = floor(place)
    share = place - below
    low = float(ranked[below])
    return low if share == 0 or low == inf else low + share * (float(ranked[below + 1]) - low)


def requests_needed(q: float, level: float) -> int:
    """How many independent requests the quantile needs for both bounds: under 59 say nothing above p95 at level 0.90.

    The largest of n requests lies below the quantile with probability q**n, the smallest above it with (1 - q)**n.
    """
    return ceil(log(tail(level)) / log(max(q, 1 - q)))


def independent_ranks(n: int, q: float, level: float) -> tuple[int, int]:
    """Ranks, from 1, of the tightest order statistics that bound the quantile; 0 or n + 1 where there is none.

    The r-th lies above the quantile with the probability that under r of n lie below it (David and Nagaraja 2003, 7.1).
    """
    beyond = tail(level)
    under = binomial_at_most(np.arange(-1, n), n, q)  # under[r] = P(fewer than r of n lie below)
    low = int(np.flatnonzero(under <= beyond)[-1])
    enough = np.flatnonzero(1 - under[1:] <= beyond)  # 1 - under[s] = P(s or more lie below)
    return low, int(enough[0]) + 1 if len(enough) else n + 1


def dependent_ranks(values: Floats, codes: Codes, q: float, level: float) -> tuple[int, int]:
    """The same for values in blocks: Wilson's interval of the share q on n/deff, with t, read off the ranks."""
    n, n_blocks = len(values), int(codes.max()) + 1
    trials = effective_requests(values, codes, q)
    low, high = wilson_bounds(q, trials, t_critical(level, n_blocks - 1))
    # A bound that so few independent requests could not give is not made of many dependent ones.
    first = floor(low * n) if has_low(trials, q, level) else 0
    return first, min(n, ceil(high * n)) + 1 if has_high(trials, q, level) else n + 1


def has_low(requests: float, q: float, level: float) -> bool:
    """Whether so many independent requests have a lower bound of the quantile: their fastest one is below it."""
    return requests * log(1 - q) <= log(tail(level))


def has_high(requests: float, q: float, level: float) -> bool:
    """Whether they have an upper bound: their slowest one is above it."""
    return requests * log(q) <= log(tail(level))


def effective_requests(values: Floats, codes: Codes, q: float) -> float:
    """How many independent requests know the quantile as well as these blocks of requests do: n/deff.

    deff compares how the share of requests below a threshold varies between blocks with what it would were all requests
    independent. The largest one counts, over the quantile and a grid of thresholds below it, and half as much again.
    """
    ranked = np.sort(values)
    shares = [q, *(share for share in THRESHOLDS if share < q)]
    return min(_effective_at(values, codes, share, interpolated(ranked, share)) for share in shares)


def autocorrelated(values: ArrayLike, blocks: Labels) -> bool:
    """Whether requests next to each other in a block are alike, as they are in a queue or where blocks differ.

    The lag-1 correlation of ranks (Bartels 1982), so that one slow request does not hide it.

    Args:
        values: Latencies in order of arrival, infinite for failures.
        blocks: Each request's block.
    """
    latencies = np.asarray(values, dtype=np.float64)
    codes = cluster_codes(blocks, len(latencies))
    order = np.argsort(codes, kind="stable")
    _, place, counts = np.unique(latencies[order], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    centred = ranks - ranks.mean() if len(ranks) else ranks
    neighbours = np.diff(codes[order]) == 0
    spread = float((centred**2).sum())
    if not spread or not neighbours.any():
        return False
    correlation = float((centred[1:] * centred[:-1])[neighbours].sum()) / spread
    return correlation * len(ranks) / sqrt(neighbours.sum()) > normal_critical(SUSPICION)


def _effective_at(values: Floats, codes: Codes, share: float, threshold: float) -> float:
    below = (values <= threshold).astype(np.float64)
    sample = Sample(values=below, weights=np.ones(len(below)), codes=codes, n_clusters=int(codes.max()) + 1)
    variance = sample.robust_variance()
    return min(float(len(values)), share * (1 - share) / variance / HIDDEN if variance else inf)
