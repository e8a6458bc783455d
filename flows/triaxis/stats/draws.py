"""One set of bootstrap draws of many means at once, for figures that join several variants or several measures.

The interaction of two levers, a variant's share of draws on a Pareto front, the ends of a routing curve: each is a
function of means over the same cases, and its interval is honest only if one draw of cases gives all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import DIGITS, expanded_percentiles, p_of_draws
from triaxis.stats.clusters import MIN_CLUSTERS, Floats, Labels, Sample, gateable, kish, sampled
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.resampling import DRAWS, drawn_totals
from triaxis.stats.strata import post_stratified


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnMeans:
    """Means of k variants by m measures, as they are and in every draw of the cases."""

    means: Floats
    """Shape (k, m)."""
    draws: Floats
    """Shape (draws, k, m); NaN in a draw that has no case with that value."""
    n: int
    """Independent units: clusters."""
    freedom: float
    """Degrees of freedom of the spread of the draws, of the column that has fewest."""

    def estimate(self, function: Callable[[Floats], Floats], *, level: float, method: str) -> PairedEstimate | Absent:
        """What a function of the means is, with its interval.

        Args:
            function: Of means of shape (..., k, m) to one number each, of shape (...); without a loop over draws.
            level: Two-sided coverage of the interval.
            method: Its name on the scorecard.

        Returns:
            `p` is of the function being 0. Absent where it is no number, in the sample or in a draw, or is the same in
            every draw: resampling then shows no spread, which is not to say that there is none.
        """
        value, drawn = float(function(self.means)), function(self.draws)
        if not np.isfinite(value) or not np.all(np.isfinite(drawn)):
            return Absent("it has no value in some draws of the cases")
        if float(drawn.std()) <= 10**-DIGITS * max(abs(value), float(np.abs(self.means).max())):
            return Absent(f"it is the same in all draws of {self.n} clusters, which says nothing about others")
        low, high = expanded_percentiles(drawn, level, self.freedom)
        return PairedEstimate(
            value=value,
            low=min(low, value),
            high=max(high, value),
            level=level,
            n=self.n,
            method=method,
            p=p_of_draws(drawn, self.freedom),
        )

    def share(self, holds: Callable[[Floats], NDArray[np.bool_]]) -> Floats:
        """In what share of draws each of some conditions holds.

        Args:
            holds: Of means of shape (draws, k, m) to truths of shape (draws, ...), such as (draws, k).
        """
        return np.asarray(holds(self.draws).mean(axis=0), dtype=np.float64)


def drawn_means(
    columns: ArrayLike,
    *,
    clusters: Labels | None = None,
    weights: ArrayLike | None = None,
    strata: Labels | None = None,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> DrawnMeans | Absent:
    """Draws clusters of cases with replacement, and takes every mean anew over the cases that each draw holds.

    Memory is bounded by the draws and by the sums over clusters, whatever the number of cases is beyond that.

    Args:
        columns: Values of shape (cases, variants, measures), NaN where a case has none of that variant and measure;
            each mean is over the cases that have one. For a mean over pairs, leave out the cases that lack either.
        clusters: What each case depends on, such as its session.
        weights: As for `means.mean`, one a case.
        strata: As for `means.mean`; only the spread within them is drawn, since production's shares are known.
        rng: Seeded by the caller for these draws alone.
        draws: Resamples.

    Returns:
        Absent under 10 clusters with any value, and where a column has no value at all.
    """
    values = np.asarray(columns, dtype=np.float64)
    cases, *shape = values.shape
    flat = values.reshape(cases, -1)
    whole = sampled(np.zeros(cases), clusters, weights, strata)
    if isinstance(whole, Absent):
        return whole
    if not gateable(whole.n_clusters):
        return Absent(f"only {whole.n_clusters} clusters; {MIN_CLUSTERS} are needed")
    kept = np.ones(cases, dtype=np.bool_) if weights is None else np.asarray(weights, dtype=np.float64) > 0
    parts = [_column(whole, column) for column in flat[kept].T]
    lacking = next((part for part in parts if isinstance(part, Absent)), None)
    if lacking is not None:
        return lacking
    told = [part for part in parts if not isinstance(part, Absent)]
    table = np.concatenate([part.table for part in told], axis=1)
    drawn = _ratios(drawn_totals(table, draws=draws, rng=rng).reshape(draws, -1, 2))
    means = np.array([part.mean for part in told])
    return DrawnMeans(
        means=means.reshape(shape),
        draws=(drawn + means).reshape(draws, *shape),
        n=whole.n_clusters,
        freedom=min(part.freedom for part in told),
    )


def _ratios(totals: Floats) -> Floats:
    """Sum over count; NaN in a draw without any value of a column."""
    sums, counts = totals[:, :, 0], totals[:, :, 1]
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One variant's values of one measure."""

    table: Floats
    """Per cluster of all, the weighted sum of the values' deviations from their mean, and their weight."""
    mean: float
    freedom: float


def _column(whole: Sample, values: Floats) -> _Column | Absent:
    has = ~np.isnan(values)
    if not has.any():
        return Absent("a variant has no value of some measure")
    strata = None if whole.strata is None else whole.strata[has]
    own = Sample(
        values=values[has],
        weights=whole.weights[has],
        codes=whole.codes[has],
        n_clusters=whole.n_clusters,
        strata=None if strata is None else np.unique(strata, return_inverse=True)[1],
    )
    mean, spread = own.mean, post_stratified(own)
    # Deviations lose fewer digits in a sum than the values do, and keep rows of few kinds few.
    sums = spread.sums(spread.weights * (spread.values - mean))
    held = spread.sums(spread.weights)
    return _Column(table=np.column_stack([sums, held]), mean=mean, freedom=max(1.0, kish(held[held > 0]) - 1))
