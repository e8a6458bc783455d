"""The difference of two quantiles of latency that were measured block by block on one schedule of arrivals."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import DIGITS, paired
from triaxis.stats.clusters import Labels, cluster_codes
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.distributions import t_critical, t_p
from triaxis.stats.drawn_quantiles import boundless, drawn_quantiles, pooled_quantile
from triaxis.stats.quantiles import MIN_BLOCKS
from triaxis.stats.resampling import DRAWS, drawn_counts


def paired_quantile_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    blocks: Labels,
    q: float,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: ArrayLike | None = None,
) -> PairedEstimate | Absent:
    """Difference of two pooled quantiles, measured block by block on one schedule of arrivals.

    Blocks are resampled whole, since requests within one wait for each other; the standard error of the draws is taken
    with t at one degree less than there are blocks.

    Args:
        a: One latency a request in order of arrival, infinite for a failure.
        b: The other variant's, request by request on the same schedule.
        blocks: Each request's block.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this difference alone.
        draws: Resamples.
        weights: Production's share over the sample's share, one a request; 0 leaves one out.

    Returns:
        `n` is the number of blocks. Absent under 5 of them, where either quantile lands on a failure, and where either
        one alone would have no bound.
    """
    first, second = paired(a, b)
    heavy = np.ones(len(first)) if weights is None else np.asarray(weights, dtype=np.float64)
    kept = np.flatnonzero(heavy > 0)
    first, second, heavy = first[kept], second[kept], heavy[kept]
    codes = cluster_codes(np.asarray(blocks)[kept], len(kept))
    n_blocks = int(codes.max(initial=-1)) + 1
    if n_blocks < MIN_BLOCKS:
        return Absent(f"only {n_blocks} blocks; {MIN_BLOCKS} are needed")
    why = boundless(first, heavy, codes, q, level) or boundless(second, heavy, codes, q, level)
    if why:
        return why
    counts = drawn_counts(n_blocks, draws=draws, rng=rng)
    drawn = [drawn_quantiles(times, heavy, codes, counts, q) for times in (first, second)]
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    spread = float((drawn[0] - drawn[1]).std())
    if spread <= np.abs(drawn).max() * 10**-DIGITS:
        return Absent(f"all {n_blocks} blocks differ by the same, which says nothing about how others would")
    value = pooled_quantile(first, heavy, q) - pooled_quantile(second, heavy, q)
    equal = bool(np.all(heavy == heavy[0]))
    return _by_t(value, spread * sqrt(n_blocks / (n_blocks - 1)), n_blocks, level=level, weighted=not equal)


def _by_t(value: float, error: float, n_blocks: int, *, level: float, weighted: bool) -> PairedEstimate:
    half = t_critical(level, n_blocks - 1) * error
    return PairedEstimate(
        value=value,
        low=value - half,
        high=value + half,
        level=level,
        n=n_blocks,
        method="paired block bootstrap, t" + (", weighted" if weighted else ""),
        p=t_p(value / error, n_blocks - 1),
    )
