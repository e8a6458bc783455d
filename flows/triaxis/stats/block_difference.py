"""The difference of two quantiles of latency that were measured block by block on one schedule of arrivals."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import DIGITS, paired
from triaxis.stats.clusters import Codes, Floats, Labels, cluster_codes, kish
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.distributions import t_critical, t_p
from triaxis.stats.quantiles import MIN_BLOCKS
from triaxis.stats.ranks import autocorrelated, effective_requests, requests_needed
from triaxis.stats.resampling import DRAWS, chunks, drawn_counts
from triaxis.stats.weighted_quantiles import weighted_point


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
    why = _boundless(first, heavy, codes, q, level) or _boundless(second, heavy, codes, q, level)
    if why:
        return why
    counts = drawn_counts(n_blocks, draws=draws, rng=rng)
    drawn = [_drawn_quantiles(times, heavy, codes, counts, q) for times in (first, second)]
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    spread = float((drawn[0] - drawn[1]).std())
    if spread <= np.abs(drawn).max() * 10**-DIGITS:
        return Absent(f"all {n_blocks} blocks differ by the same, which says nothing about how others would")
    value = _point(first, heavy, q) - _point(second, heavy, q)
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


def _point(times: Floats, weights: Floats, q: float) -> float:
    order = np.argsort(times, kind="stable")
    return weighted_point(times[order], weights[order], q)


def _boundless(times: Floats, weights: Floats, codes: Codes, q: float, level: float) -> Absent | None:
    """Why one variant's quantile alone has no bound, None where it has."""
    if _point(times, weights, q) == inf:
        return Absent("the quantile lands on a failed request")
    needed = requests_needed(q, level)
    told = effective_requests(times, codes, q) if autocorrelated(times, codes) else float(len(times))
    told *= kish(weights) / len(weights)
    if told >= needed:
        return None
    return Absent(f"p{100 * q:g} needs {needed} independent requests; these {len(times)} tell as much as {told:.0f}")


def _drawn_quantiles(times: Floats, weights: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    """The pooled quantile of each draw, whose blocks occur `counts` times, of shape (draws, blocks)."""
    order = np.argsort(times, kind="stable")
    parts = np.array_split(counts, len(list(chunks(len(counts), of=len(times)))))
    held = _held_quantiles if np.all(weights == weights[0]) else _weighted_quantiles
    return np.concatenate([held(times[order], weights[order], codes[order], part, q) for part in parts])


def _held_quantiles(ranked: Floats, _: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    held = np.cumsum(counts[:, codes], axis=1)
    place = q * (held[:, -1] - 1)
    below = np.floor(place)
    # The request of rank r (from 0) in a draw is the first one at which more than r are held.
    low = ranked[(held <= below[:, np.newaxis]).sum(axis=1)]
    high = ranked[(held <= np.ceil(place)[:, np.newaxis]).sum(axis=1)]
    with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
        return np.where(high == inf, inf, low + (place - below) * (high - low))


def _weighted_quantiles(ranked: Floats, weights: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    """The first request up to which a share q of the draw's weight is held; for a spread no finer point is needed."""
    held = np.cumsum(counts[:, codes] * weights, axis=1)
    return ranked[(held < q * held[:, -1:]).sum(axis=1)]
