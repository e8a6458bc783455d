"""Intervals of paired differences, by resampling whole clusters or whole blocks."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent, Estimate
from triaxis.stats.clusters import (
    MIN_CLUSTERS,
    Floats,
    Labels,
    Sample,
    cluster_codes,
    gateable,
    sampled,
    usual_value,
    with_unseen,
)
from triaxis.stats.distributions import t_critical
from triaxis.stats.drawn_quantiles import boundless, drawn_quantiles
from triaxis.stats.quantiles import MIN_BLOCKS
from triaxis.stats.ranks import interpolated
from triaxis.stats.resampling import DRAWS, drawn_counts, drawn_totals

DIGITS = 12
"""Digits of a difference that are not the rounding of its terms."""


def paired_mean_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: Labels | None = None,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: ArrayLike | None = None,
) -> Estimate | Absent:
    """Mean of a - b over pairs (one place of each array), with a paired cluster bootstrap.

    Percentiles are taken further out, as far as t goes beyond the normal (Hesterberg 2015), since plain ones are too
    narrow for few clusters. Where nearly all differences are the same, as when two variants disagree on three cases of
    eighty, resampling cannot show what was not seen: two pairs at each end of the range are then imagined beside them.

    Args:
        a: One value a pair, 0 or more: scores or dollars.
        b: The other variant's value for the same case.
        clusters: What each pair depends on, such as its session.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this difference alone.
        draws: Resamples.
        weights: As for `means.mean`.

    Returns:
        `n` is the number of clusters. Absent under 10 of them.
    """
    first, second = _pair(a, b)
    reach = float(max(np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0)))
    # Equal differences of unequal numbers differ in their last binary digits; those are not spread.
    differences = np.round((first - second) / reach, DIGITS) * reach if reach else first - second
    sample = sampled(differences, clusters, weights)
    if isinstance(sample, Absent):
        return sample
    if not gateable(sample.n_clusters):
        return Absent(f"only {sample.n_clusters} pairs; {MIN_CLUSTERS} are needed")
    if not reach:
        return Absent(f"all {sample.rows} pairs are 0 on both sides")
    scarce = usual_value(sample) is not None
    means = _drawn_means(with_unseen(sample, -reach, reach) if scarce else sample, draws, rng)
    low, high = expanded_percentiles(means, level, sample.freedom)
    return Estimate(
        value=sample.mean,
        low=min(low, sample.mean),
        high=max(high, sample.mean),
        level=level,
        n=sample.n_clusters,
        method="paired cluster bootstrap, 4 unseen" if scarce else "paired cluster bootstrap",
    )


def paired_quantile_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    blocks: Labels,
    q: float,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Estimate | Absent:
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

    Returns:
        `n` is the number of blocks. Absent under 5 of them, where either quantile lands on a failure, and where either
        one alone would have no bound.
    """
    first, second = _pair(a, b)
    codes = cluster_codes(blocks, len(first))
    n_blocks = int(codes.max(initial=-1)) + 1
    if n_blocks < MIN_BLOCKS:
        return Absent(f"only {n_blocks} blocks; {MIN_BLOCKS} are needed")
    why = boundless(first, codes, q, level) or boundless(second, codes, q, level)
    if why:
        return why
    value = interpolated(np.sort(first), q) - interpolated(np.sort(second), q)
    counts = drawn_counts(n_blocks, draws=draws, rng=rng)
    drawn = (drawn_quantiles(first, codes, counts, q), drawn_quantiles(second, codes, counts, q))
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    spread = float((drawn[0] - drawn[1]).std())
    if spread <= np.abs(drawn).max() * 10**-DIGITS:
        return Absent(f"all {n_blocks} blocks differ by the same, which says nothing about how others would")
    half = t_critical(level, n_blocks - 1) * spread * sqrt(n_blocks / (n_blocks - 1))
    method = "paired block bootstrap, t"
    return Estimate(value=value, low=value - half, high=value + half, level=level, n=n_blocks, method=method)


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        message = f"{len(first)} values cannot be paired with {len(second)}"
        raise ValueError(message)
    return first, second


def _drawn_means(sample: Sample, draws: int, rng: np.random.Generator) -> Floats:
    sizes = sample.sums(sample.weights)
    sums = sample.sums(sample.weights * sample.values)
    totals = drawn_totals(np.column_stack([sums, sizes]), draws=draws, rng=rng)
    return totals[:, 0] / totals[:, 1]


def expanded_percentiles(draws: Floats, level: float, freedom: float) -> tuple[float, float]:
    """Percentiles of draws, taken as much further out as t at `freedom` goes beyond the normal (Hesterberg 2015)."""
    units = freedom + 1
    tail = NormalDist().cdf(-sqrt(units / freedom) * t_critical(level, freedom))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
