"""Intervals of means: of scores, which lie in [0, 1], and of dollars, which do not."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent, Estimate
from triaxis.stats.clusters import Labels, Sample, sampled, usual_value, with_unseen
from triaxis.stats.distributions import t_critical
from triaxis.stats.proportions import wilson, wilson_bounds

NEAR_BOUNDARY = 20
"""A mean score is near 0 or 1 while it rests on fewer lost (or won) points than this, in independent trials."""


def mean(
    scores: ArrayLike, *, clusters: Labels | None = None, level: float, weights: ArrayLike | None = None
) -> Estimate | Absent:
    """Mean of scores in [0, 1], such as of one dimension over all cases.

    Args:
        scores: One a case, or one a repeat of a case.
        clusters: What each score depends on, such as its session or its case; None where all are independent.
        level: Two-sided coverage of the interval.
        weights: Production's share over the sample's share, one a score; 0 leaves the score out.

    Returns:
        Right-or-wrong scores without clusters or weights: Wilson's interval. Else Wilson's on n/deff with t in place of
        the normal; `n` is then the number of clusters. Absent under 2 scores, or under 10 clusters.
    """
    sample = sampled(scores, clusters, weights)
    if isinstance(sample, Absent):
        return sample
    if sample.values.min() < 0 or sample.values.max() > 1:
        raise ValueError("scores lie in [0, 1]; mean_unbounded takes anything else")
    if sample.independent and sample.equally_weighted and _right_or_wrong(sample):
        return wilson(int(sample.values.sum()), sample.rows, level)
    return _effective_wilson(sample, level)


def mean_unbounded(
    values: ArrayLike,
    *,
    clusters: Labels | None = None,
    level: float,
    weights: ArrayLike | None = None,
    ceiling: float | None = None,
) -> Estimate | Absent:
    """Mean of amounts that are 0 or more, such as dollars a request, with a cluster-robust t interval.

    Where nearly all amounts are equal (a fixed price), the sample does not show its spread, and two unseen amounts of 0
    and two at `ceiling` are imagined beside it: the interval is then about as wide as the rule of three makes it.

    Args:
        values: One a request.
        clusters: As for `mean`.
        level: Two-sided coverage of the interval.
        weights: As for `mean`.
        ceiling: The most one amount can be, where that is known; twice the largest seen where it is not.
    """
    sample = sampled(values, clusters, weights)
    if isinstance(sample, Absent):
        return sample
    if sample.values.min() < 0:
        raise ValueError("amounts are 0 or more")
    top = 2 * float(sample.values.max()) if ceiling is None else max(ceiling, float(sample.values.max()))
    if not top:
        return Absent(f"all {sample.rows} values are 0, which says nothing about how large others are")
    scarce = usual_value(sample) is not None
    spread = with_unseen(sample, 0.0, top) if scarce else sample
    half = t_critical(level, spread.freedom) * sqrt(spread.robust_variance())
    if not half:
        return Absent("the amounts are too small to be told apart")  # their squares underflow
    low, high = max(0.0, spread.mean - half), spread.mean + half
    return Estimate(
        value=sample.mean,
        low=min(low, sample.mean),
        high=max(high, sample.mean),
        level=level,
        n=sample.n_clusters,
        method=_named("cluster-robust t, 4 unseen" if scarce else "cluster-robust t", sample),
    )


def effective_trials(sample: Sample, share: float) -> float:
    """How many independent right-or-wrong trials know a mean score as well as this sample does: n/deff.

    deff is the robust variance over a binomial share's, and at least what the weights alone cost. Only a mean of graded
    scores well inside (0, 1) may be known better than a share: there the scores vary less than right and wrong do, and
    the sample has shown it. Where all scores are 0, or all 1, no spread was seen and each cluster counts as one trial.
    """
    if share in (0.0, 1.0):
        return sample.effective_clusters()
    variance = sample.robust_variance()
    trials = share * (1 - share) / variance if variance else np.inf
    most = sample.effective_rows()
    near = min(share, 1 - share) * min(trials, most) < NEAR_BOUNDARY
    if near or _right_or_wrong(sample) or usual_value(sample) is not None:
        return min(most, trials)
    return trials


def _effective_wilson(sample: Sample, level: float) -> Estimate:
    share = min(1.0, max(0.0, sample.mean))
    low, high = wilson_bounds(share, effective_trials(sample, share), t_critical(level, sample.freedom))
    method = _named("wilson, n/deff, t", sample)
    return Estimate(value=share, low=low, high=high, level=level, n=sample.n_clusters, method=method)


def _right_or_wrong(sample: Sample) -> bool:
    return bool(np.all((sample.values == 0) | (sample.values == 1)))


def _named(method: str, sample: Sample) -> str:
    return method if sample.equally_weighted else f"{method}, weighted"
