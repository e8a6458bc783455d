"""A quantile's sum over some probes minus its sum over others, all measured block by block on one schedule."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import DIGITS
from triaxis.stats.clusters import Floats, Labels, cluster_codes
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.distributions import t_critical, t_p
from triaxis.stats.drawn_quantiles import boundless, drawn_quantiles, pooled_quantile
from triaxis.stats.quantiles import MIN_BLOCKS
from triaxis.stats.resampling import DRAWS, drawn_counts


def quantile_contrast(
    plus: Sequence[Floats],
    minus: Sequence[Floats],
    *,
    blocks: Labels,
    q: float,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: Floats | None = None,
) -> PairedEstimate | Absent:
    """Sum of the quantile over `plus` less its sum over `minus`; one draw of blocks serves all of them.

    With AB and 0 against A and B it is the interaction of A and B. The interval is that of a difference of two
    quantiles (`paired_quantile_difference`): blocks are drawn whole, and the draws' standard error is taken with t.

    Args:
        plus: Probes, each with one latency a request in order of arrival, infinite for a failure.
        minus: The others, request by request on the same schedule.
        blocks: Each request's block.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this contrast alone.
        draws: Resamples.
        weights: Production's share over the sample's share, one a request; 0 leaves one out.

    Returns:
        `n` is the number of blocks. Absent under 5 of them, where a quantile lands on a failure, and where any one
        alone would have no bound.
    """
    heavy = np.ones(len(plus[0])) if weights is None else weights
    kept = np.flatnonzero(heavy > 0)
    heavy, probes = heavy[kept], [times[kept] for times in (*plus, *minus)]
    codes = cluster_codes(np.asarray(blocks)[kept], len(kept))
    n_blocks = int(codes.max(initial=-1)) + 1
    if n_blocks < MIN_BLOCKS:
        return Absent(f"only {n_blocks} blocks; {MIN_BLOCKS} are needed")
    if why := next(filter(None, (boundless(times, heavy, codes, q, level) for times in probes)), None):
        return why
    signs = np.array([1.0] * len(plus) + [-1.0] * len(minus))
    counts = drawn_counts(n_blocks, draws=draws, rng=rng)
    drawn = np.array([drawn_quantiles(times, heavy, codes, counts, q) for times in probes])
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    spread = float((signs @ drawn).std())
    if spread <= drawn.max() * 10**-DIGITS:
        return Absent(f"all {n_blocks} blocks differ by the same, which says nothing about how others would")
    value = float(signs @ np.array([pooled_quantile(times, heavy, q) for times in probes]))
    error = spread * sqrt(n_blocks / (n_blocks - 1))
    half = t_critical(level, n_blocks - 1) * error
    return PairedEstimate(
        value=value,
        low=value - half,
        high=value + half,
        level=level,
        n=n_blocks,
        method="joint block bootstrap, t" + ("" if weights is None else ", weighted"),
        p=t_p(value / error, n_blocks - 1),
    )
