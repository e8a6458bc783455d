"""The difference of two quantiles over the same cases, each measured on its own and whole clusters resampled."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import DIGITS, expanded_percentiles, p_of_draws
from triaxis.stats.clusters import MIN_CLUSTERS, Floats, Labels, cluster_codes, gateable, kish
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.quantile_draws import QuantileSums, quantile_sums
from triaxis.stats.ranks import requests_needed
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
    weights: tuple[ArrayLike, ArrayLike] | None = None,
) -> PairedEstimate | Absent:
    """Difference of two quantiles of times that were taken case by case, with a paired cluster bootstrap.

    Draws are kept as `quantile_draws` has them; percentiles are taken as far out as by `paired_mean_difference`.

    Args:
        a: One time each, infinite for a failure; a case may have several.
        b: The other variant's over the same cases.
        clusters: What each of `a`, and each of `b`, depends on, such as its case or session; each has times of both.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this difference alone.
        draws: Resamples.
        weights: Production's share over the sample's share, one for each of `a` and of `b`, all more than 0.

    Returns:
        `n` is the number of clusters. Absent under 10 of them, where the quantile lands on a failure in the sample or
        in a draw, and where either side alone would have no bound.
    """
    sides = _sides(a, b, clusters, weights, q)
    if isinstance(sides, Absent):
        return sides
    first, second = sides
    n_clusters, why = len(first.table), _boundless(first, level) or _boundless(second, level)
    if why:
        return why
    drawn = _drawn_differences(first, second, draws=draws, rng=rng)
    if isinstance(drawn, Absent):
        return drawn
    value = first.point - second.point
    low, high = expanded_percentiles(drawn, level, n_clusters - 1)
    return PairedEstimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        n=n_clusters,
        method="paired cluster bootstrap, order statistics" + ("" if weights is None else ", weighted"),
        p=p_of_draws(drawn, n_clusters - 1),
    )


def _sides(
    a: ArrayLike,
    b: ArrayLike,
    clusters: tuple[Labels, Labels],
    weights: tuple[ArrayLike, ArrayLike] | None,
    q: float,
) -> tuple[QuantileSums, QuantileSums] | Absent:
    """Both sides over one numbering of their clusters."""
    labels, cut = np.concatenate([np.asarray(some) for some in clusters]), len(clusters[0])
    codes = cluster_codes(labels, len(np.asarray(a)) + len(np.asarray(b)))
    n_clusters, (ours, theirs) = int(codes.max(initial=-1)) + 1, weights or (None, None)
    if not gateable(n_clusters):
        return Absent(f"only {n_clusters} pairs; {MIN_CLUSTERS} are needed")
    return (
        quantile_sums(a, codes[:cut], units=n_clusters, q=q, weights=ours),
        quantile_sums(b, codes[cut:], units=n_clusters, q=q, weights=theirs),
    )


def _boundless(side: QuantileSums, level: float) -> Absent | None:
    """Why this side's quantile alone has no bound, None where it has."""
    if side.point == inf:
        return Absent("the quantile lands on a failed request")
    held = side.table[:, 1]
    units, needed = round(kish(held[held > 0])), requests_needed(side.q, level)
    return None if units >= needed else Absent(f"p{100 * side.q:g} needs {needed} independent pairs; these are {units}")


def _drawn_differences(
    first: QuantileSums, second: QuantileSums, *, draws: int, rng: np.random.Generator
) -> Floats | Absent:
    """The difference in each draw, or why they tell nothing."""
    totals = drawn_totals(np.column_stack([first.table, second.table]), draws=draws, rng=rng)
    with np.errstate(invalid="ignore"):  # a draw in which both are infinite is no number, and told of
        drawn = first.drawn(totals[:, :2]) - second.drawn(totals[:, 2:])
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    if float(drawn.std()) <= max(abs(first.point), abs(second.point)) * 10**-DIGITS:
        return Absent(f"all {len(first.table)} pairs differ by the same, which says nothing about how others would")
    return drawn
