"""Quantiles of latency set against each other, all measured block by block on one schedule of arrivals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import DIGITS, paired
from triaxis.stats.clusters import Codes, Floats, Labels, cluster_codes
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
    """Difference of two pooled quantiles; the arguments are those of `quantile_contrast`.

    Args:
        a: One latency a request in order of arrival, infinite for a failure.
        b: The other variant's, request by request on the same schedule.
        blocks: Each request's block.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this difference alone.
        draws: Resamples.
        weights: Production's share over the sample's share, one a request; 0 leaves one out.
    """
    first, second = paired(a, b)
    return quantile_contrast(
        [first], [second], blocks=blocks, q=q, level=level, rng=rng, draws=draws, weights=weights, method="paired"
    )


def quantile_contrast(
    plus: Sequence[Floats],
    minus: Sequence[Floats],
    *,
    blocks: Labels,
    q: float,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: ArrayLike | None = None,
    method: str = "joint",
) -> PairedEstimate | Absent:
    """Sum of the pooled quantile over `plus` less its sum over `minus`; one draw of blocks serves all of them.

    Blocks are resampled whole, since requests within one wait for each other; the standard error of the draws is taken
    with t at one degree less than there are blocks. With AB and 0 against A and B it is the interaction of A and B.

    Args:
        plus: Probes, each with one latency a request in order of arrival, infinite for a failure.
        minus: The others, request by request on the same schedule.
        blocks: Each request's block.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this contrast alone.
        draws: Resamples.
        weights: Production's share over the sample's share, one a request; 0 leaves one out.
        method: The first word of the estimate's method.

    Returns:
        `n` is the number of blocks. Absent under 5 of them, where a quantile lands on a failure, and where any one
        alone would have no bound.
    """
    probes = _probes([*plus, *minus], blocks, weights)
    if why := probes.boundless(q, level):
        return why
    drawn = probes.drawn(q, draws, rng)
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    signs = np.array([1.0] * len(plus) + [-1.0] * len(minus))
    spread = float((signs @ drawn).std())
    if spread <= np.abs(drawn).max() * 10**-DIGITS:
        return Absent(f"all {probes.blocks} blocks differ by the same, which says nothing about how others would")
    value = float(signs @ np.array(probes.quantiles(q)))
    return _by_t(value, spread, probes.blocks, level=level, method=f"{method} block bootstrap, t{probes.weighted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probes:
    """Requests that count, of several probes on one schedule."""

    times: Sequence[Floats]
    heavy: Floats
    codes: Codes
    blocks: int

    @property
    def weighted(self) -> str:
        return "" if bool(np.all(self.heavy == self.heavy[0])) else ", weighted"

    def boundless(self, q: float, level: float) -> Absent | None:
        """Why nothing can be said."""
        if self.blocks < MIN_BLOCKS:
            return Absent(f"only {self.blocks} blocks; {MIN_BLOCKS} are needed")
        found = (boundless(times, self.heavy, self.codes, q, level) for times in self.times)
        return next(filter(None, found), None)

    def drawn(self, q: float, draws: int, rng: np.random.Generator) -> Floats:
        """Every probe's quantile in every draw, of shape (probes, draws)."""
        counts = drawn_counts(self.blocks, draws=draws, rng=rng)
        return np.array([drawn_quantiles(times, self.heavy, self.codes, counts, q) for times in self.times])

    def quantiles(self, q: float) -> list[float]:
        """Every probe's own."""
        return [pooled_quantile(times, self.heavy, q) for times in self.times]


def _probes(given: Sequence[Floats], blocks: Labels, weights: ArrayLike | None) -> _Probes:
    heavy = np.ones(len(given[0])) if weights is None else np.asarray(weights, dtype=np.float64)
    kept = np.flatnonzero(heavy > 0)
    codes = cluster_codes(np.asarray(blocks)[kept], len(kept))
    times = [values[kept] for values in given]
    return _Probes(times=times, heavy=heavy[kept], codes=codes, blocks=int(codes.max(initial=-1)) + 1)


def _by_t(value: float, spread: float, n_blocks: int, *, level: float, method: str) -> PairedEstimate:
    error = spread * sqrt(n_blocks / (n_blocks - 1))
    half = t_critical(level, n_blocks - 1) * error
    return PairedEstimate(
        value=value,
        low=value - half,
        high=value + half,
        level=level,
        n=n_blocks,
        method=method,
        p=t_p(value / error, n_blocks - 1),
    )
