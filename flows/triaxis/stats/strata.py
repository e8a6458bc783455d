"""Samples whose strata have the shares that production gives them, however many rows of each there are.

Shares that are known leave less to chance than shares that were drawn: what counts is how values spread within strata
(post-stratification; Cochran 1977, 5A.9). The score interval below is what Wilson's is for one stratum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from triaxis.stats.clusters import Codes, Floats, Sample, usual_value, with_unseen

DIGITS = 12
"""Digits of a deviation from its stratum's mean that are not the rounding of a sum."""
STEPS = 30
"""Enough for a multiplier to nearly the last bit from any bracket that doubling finds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """A sample by stratum."""

    shares: Floats
    """Of the total weight; they sum to 1."""
    trials: Floats
    """Rows."""
    sums: Floats
    """Of the rows' values."""

    @property
    def mean(self) -> float:
        """The weighted mean."""
        return float(np.clip(self.shares @ (self.sums / self.trials), 0, 1))

    @property
    def within(self) -> float:
        """Variance of the weighted mean, were every value right or wrong and every row independent."""
        means = self.sums / self.trials
        return float((self.shares**2 * means * (1 - means) / self.trials).sum())

    def fewer(self, deff: float) -> Strata:
        """The same means from so many times fewer rows."""
        return replace(self, trials=self.trials / deff, sums=self.sums / deff)


def by_stratum(sample: Sample, strata: Codes) -> Strata:
    """The sample's strata, numbered from 0, each of which has rows."""
    weights, trials, sums = (
        np.bincount(strata, weights=amounts).astype(np.float64)
        for amounts in (sample.weights, np.ones(sample.rows), sample.values)
    )
    return Strata(shares=weights / weights.sum(), trials=trials, sums=sums)


def post_stratified(sample: Sample) -> Sample:
    """The sample with every stratum's values moved to the mean of all, so that only the spread within strata is left.

    Deviations are as much larger as a stratum's own mean has made them smaller. A stratum in one cluster shows no
    spread of its own; its deviation from the mean of all stands in for it.
    """
    if sample.strata is None:
        return sample
    parts = by_stratum(sample, sample.strata)
    # Marks in a table count the clusters of each stratum faster than a hash or a sort does.
    held = np.zeros((len(parts.trials), sample.n_clusters), dtype=np.bool_)
    held[sample.strata, sample.codes] = True
    clusters: Floats = held.sum(axis=1).astype(np.float64)
    alone = clusters == 1
    centres = np.where(alone, sample.mean, parts.sums / parts.trials)
    stretch = np.sqrt(np.divide(clusters, clusters - 1, out=np.ones_like(clusters), where=~alone))
    deviations = (sample.values - centres[sample.strata]) * stretch[sample.strata]
    reach = float(np.abs(sample.values).max())
    clean = np.round(deviations / reach, DIGITS) * reach if reach else deviations
    moved = clean - np.average(clean, weights=sample.weights) if alone.any() else clean
    return replace(sample, values=sample.mean + moved, strata=None)


def spread_of(sample: Sample, low: float, high: float) -> tuple[Sample, bool]:
    """The sample as its spread is measured, and whether it shows too little of it.

    It is post-stratified. Where nearly all its values are equal, two unseen clusters stand at each end of the range;
    with strata one does so in every stratum whose own values nearly all are.
    """
    if sample.strata is None:
        scarce = usual_value(sample) is not None
        return (with_unseen(sample, low, high) if scarce else sample), scarce
    parts, scarce = list[Sample](), False
    last = sample.n_clusters
    for stratum in range(int(sample.strata.max()) + 1):
        rows = sample.strata == stratum
        part = replace(
            sample, values=sample.values[rows], weights=sample.weights[rows], codes=sample.codes[rows], n_clusters=last
        )
        if usual_value(part) is not None:
            scarce, weight = True, part.weights.sum()
            part = with_unseen(part, low, high, count=1)
            part = replace(part, weights=part.weights * (weight / part.weights.sum()))
            last = part.n_clusters
        parts.append(replace(part, strata=np.full(part.rows, stratum)))
    return post_stratified(_joined(parts, last)), scarce


def _joined(parts: Sequence[Sample], n_clusters: int) -> Sample:
    strata = [part.strata for part in parts if part.strata is not None]
    return Sample(
        values=np.concatenate([part.values for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        codes=np.concatenate([part.codes for part in parts]),
        n_clusters=n_clusters,
        strata=np.concatenate(strata),
    )


def score_bounds(parts: Strata, critical: float) -> tuple[float, float]:
    """The score interval of a share weighted over strata, which values between 0 and 1 may make up.

    The shares m0 for which |m - m0| <= critical * sqrt(V), V being the variance of m where each stratum's rate is the
    likeliest that gives m0 together (as Miettinen and Nurminen 1985 do for differences). By Lagrange those rates solve
    x - n p = k w p (1 - p) for one multiplier k, and then m - m0 = k V, which is what is solved for k.
    """
    mean, all_lost, all_won = parts.mean, not parts.sums.any(), not (parts.trials - parts.sums).any()
    wanted = np.array([0.0 if all_lost else critical, 0.0 if all_won else -critical])
    ends = _rates(parts, crossing(lambda multipliers: _statistics(parts, multipliers) - wanted, 2)) @ parts.shares
    return 0.0 if all_lost else min(float(ends[0]), mean), 1.0 if all_won else max(float(ends[1]), mean)


def score_statistics(shares: Floats, trials: Floats, sums: Floats, share: float) -> Floats:
    """How many standard errors the weighted share of each sample is above `share`, by the same variance.

    Args:
        shares: Of each stratum, shape (strata,).
        trials: Rows of each stratum.
        sums: Successes of each sample by stratum, shape (samples, strata).
        share: The one that is tested, between 0 and 1.
    """
    parts = Strata(shares=shares, trials=trials, sums=sums)
    # The weighted share of the rates falls from 1 to 0 as the multiplier grows.
    found = crossing(lambda multipliers: share - _rates(parts, multipliers) @ shares, len(sums))
    return _statistics(parts, found)


def crossing(rising: Callable[[Floats], Floats], count: int) -> Floats:
    """Where each of `count` functions of one number, all of which rise, is 0.

    By false position, where an end that stays put counts half (the Illinois rule), and by halves every third step.
    """
    low, high = np.full(count, -1.0), np.full(count, 1.0)
    while np.any(short := (under := rising(low)) > 0):
        low[short] *= 2
    while np.any(short := (above := rising(high)) < 0):
        high[short] *= 2
    for step in range(STEPS):
        gap = above - under
        share = 0.5 if not step % 3 else np.divide(-under, gap, out=np.full(count, 0.5), where=gap > 0)
        middle = low + share * (high - low)
        there = rising(middle)
        over = there > 0
        low, under = np.where(over, low, middle), np.where(over, under / 2, there)
        high, above = np.where(over, middle, high), np.where(over, there, above / 2)
    return np.where(-under < above, low, high)


def _rates(parts: Strata, multipliers: Floats) -> Floats:
    """The likeliest rate of each stratum at each multiplier, of shape (multipliers, strata): the root in [0, 1]."""
    pull = multipliers[:, np.newaxis] * parts.shares
    reach = pull + parts.trials
    root = np.sqrt(np.maximum(reach**2 - 4 * pull * parts.sums, 0))
    # One root in two forms, each without cancellation where it is used; where both are 0, the first is 0 over 0.
    right = (reach > 0) | ((reach == 0) & (root > 0))
    rates = np.where(
        right,
        2 * parts.sums / np.where(right, reach + root, 1),
        (reach - root) / np.where(right, 1, 2 * pull),
    )
    return np.clip(rates, 0, 1)


def _statistics(parts: Strata, multipliers: Floats) -> Floats:
    """How many standard errors the mean lies above the weighted share of the rates at each multiplier."""
    rates = _rates(parts, multipliers)
    return standardised(multipliers, parts.shares**2 * rates * (1 - rates) / parts.trials, parts.trials)


def standardised(multipliers: Floats, variances: Floats, trials: Floats) -> Floats:
    """K V over the root of the variance, V being the sum of `variances`, of shape (multipliers, strata).

    Rates fitted to several strata leave less spread than there is: of H strata all but one take a degree of freedom,
    which is made up for evenly (with one stratum, nothing is; Miettinen and Nurminen make up for all of it).
    """
    fitted = (len(trials) - 1) / len(trials)
    left = np.maximum(trials - fitted, trials / 2)
    total, unbiased = variances.sum(axis=1), (variances * (trials / left)).sum(axis=1)
    return multipliers * np.divide(total, np.sqrt(unbiased), out=np.zeros_like(total), where=unbiased > 0)
