"""Intervals of mean differences over pairs, by resampling whole clusters."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.clusters import MIN_CLUSTERS, Codes, Floats, Labels, Sample, gateable, sampled
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.distributions import t_critical, t_p
from triaxis.stats.resampling import DRAWS, drawn_kinds, drawn_units, few_kinds, grouped
from triaxis.stats.saddlepoint import resampled_mean
from triaxis.stats.strata import by_stratum, spread_of
from triaxis.stats.tango import tango

DIGITS = 12
"""Digits of a difference that are not the rounding of its terms."""
FAR = 10
"""Draws beyond a point from which on its tail is known by counting them."""
FAR_OUT = 4.0
"""Normal standard errors beyond which a tail is taken for a normal one."""


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: Labels | None = None,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: ArrayLike | None = None,
    strata: Labels | None = None,
) -> PairedEstimate | Absent:
    """Mean of a - b over pairs: Tango's interval where pairs are independent and right or wrong, else a bootstrap.

    Args and what is returned are those of `paired_mean_difference`.
    """
    first, second = paired(a, b)
    sample = sampled(first - second, clusters, weights, strata)
    if isinstance(sample, Sample) and sample.independent and _right_or_wrong(first, second):
        kinds = np.zeros(sample.rows, dtype=np.intp) if sample.strata is None else sample.strata
        if sample.strata is not None or sample.equally_weighted:
            return _counted(sample, kinds, level)
    return paired_mean_difference(
        first, second, clusters=clusters, level=level, rng=rng, draws=draws, weights=weights, strata=strata
    )


def paired_mean_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: Labels | None = None,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: ArrayLike | None = None,
    strata: Labels | None = None,
) -> PairedEstimate | Absent:
    """Mean of a - b over pairs (one place of each array), with a paired cluster bootstrap.

    Percentiles are taken further out, as far as t goes beyond the normal (Hesterberg 2015), since plain ones are too
    narrow for few clusters. Where differences take many values they are those of infinitely many resamples, by
    `saddlepoint`. Where nearly all differences are the same, as when two variants disagree on three cases of eighty,
    resampling cannot show what was not seen: two pairs at each end of the range are then imagined beside them.

    Args:
        a: One value a pair, 0 or more: scores or dollars.
        b: The other variant's value for the same case.
        clusters: What each pair depends on, such as its session.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this difference alone.
        draws: Resamples, where differences take few values.
        weights: As for `means.mean`.
        strata: As for `means.mean`; only the spread within them is resampled, since production's shares are known.

    Returns:
        `n` is the number of clusters. Absent under 10 of them.
    """
    differences, reach = _differences(*paired(a, b))
    sample = sampled(differences, clusters, weights, strata)
    if isinstance(sample, Absent):
        return sample
    if not gateable(sample.n_clusters):
        return Absent(f"only {sample.n_clusters} pairs; {MIN_CLUSTERS} are needed")
    if not reach:
        return Absent(f"all {sample.rows} pairs are 0 on both sides")
    spread, scarce = spread_of(sample, -reach, reach)
    low, high, p = _resampled(spread, level=level, freedom=sample.freedom, draws=draws, rng=rng)
    return PairedEstimate(
        value=sample.mean,
        low=min(low, sample.mean),
        high=max(high, sample.mean),
        level=level,
        n=sample.n_clusters,
        method=sample.named("paired cluster bootstrap", scarce=scarce),
        p=p,
    )


def _differences(first: Floats, second: Floats) -> tuple[Floats, float]:
    """First minus second, and the largest number of either: equal differences of unequal numbers are made equal."""
    reach = float(max(np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0)))
    # They differ in their last binary digits, which is no spread.
    return np.round((first - second) / reach, DIGITS) * reach if reach else first - second, reach


def paired(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """Both as arrays of one length."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        message = f"{len(first)} values cannot be paired with {len(second)}"
        raise ValueError(message)
    return first, second


def expanded_percentiles(draws: Floats, level: float, freedom: float) -> tuple[float, float]:
    """Percentiles of draws, taken as much further out as t at `freedom` goes beyond the normal (Hesterberg 2015)."""
    tail = NormalDist().cdf(-_expansion(freedom) * t_critical(level, freedom))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def p_of_draws(draws: Floats, freedom: float) -> float:
    """Two-sided p of a true 0: 1 less the level at which the expanded percentiles reach it.

    Further out than ten draws the tail is taken for a normal one, since a share of none would claim certainty.
    """
    fewest, spread = FAR / len(draws), float(draws.std())
    tail = min(float((draws <= 0).mean()), float((draws >= 0).mean()))
    z = -NormalDist().inv_cdf(min(max(tail, fewest), 0.5))
    if tail < fewest and spread:
        z = max(z, abs(float(draws.mean())) / spread)
    return t_p(z / _expansion(freedom), freedom)


def _expansion(freedom: float) -> float:
    units = freedom + 1
    return sqrt(units / freedom)


def _counted(sample: Sample, strata: Codes, level: float) -> PairedEstimate | Absent:
    """Tango's interval of differences that are 1, -1 or 0."""
    only_first, only_second = (np.bincount(strata, weights=sample.values == sign) for sign in (1, -1))
    shares = by_stratum(sample, strata).shares
    return tango(only_first, only_second, np.bincount(strata), level=level, shares=shares)


def _right_or_wrong(*sides: Floats) -> bool:
    return all(bool(np.all((side == 0) | (side == 1))) for side in sides)


def _resampled(
    sample: Sample, *, level: float, freedom: float, draws: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """The expanded percentiles of the mean of resamples, and the two-sided p of a true 0."""
    table = np.column_stack([sample.sums(sample.weights * sample.values), sample.sums(sample.weights)])
    kinds = few_kinds(table)
    if kinds is not None:
        return _of_draws(drawn_kinds(*kinds, draws=draws, rng=rng), level, freedom)
    units = grouped(table, rng)
    mean = resampled_mean(units[:, 0], units[:, 1])
    if mean is None:
        return _of_draws(drawn_units(units, draws=draws, rng=rng), level, freedom)
    expansion = _expansion(freedom)
    reach = expansion * t_critical(level, freedom)
    z = abs(mean.z_of(0.0, most=FAR_OUT))
    z = z if z < FAR_OUT else max(z, abs(mean.mean) / mean.error)
    return mean.percentile(-reach), mean.percentile(reach), t_p(z / expansion, freedom)


def _of_draws(totals: Floats, level: float, freedom: float) -> tuple[float, float, float]:
    means = totals[:, 0] / totals[:, 1]
    return *expanded_percentiles(means, level, freedom), p_of_draws(means, freedom)
