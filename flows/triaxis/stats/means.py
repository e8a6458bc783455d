"""Intervals of means: of scores, which lie in [0, 1], and of dollars, which do not."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent, Estimate
from triaxis.stats.clusters import Labels, Sample, sampled, usual_value
from triaxis.stats.distributions import normal_critical, t_critical
from triaxis.stats.proportions import wilson, wilson_bounds
from triaxis.stats.strata import Strata, by_stratum, post_stratified, score_bounds, spread_of

NEAR_BOUNDARY = 20
"""A mean score is near 0 or 1 while it rests on fewer lost (or won) points than this, in independent trials."""
STRAIGHT = 1e-6
"""Skewness, over the root of n, that a correction would lose in rounding."""


def mean(
    scores: ArrayLike,
    *,
    clusters: Labels | None = None,
    level: float,
    weights: ArrayLike | None = None,
    strata: Labels | None = None,
) -> Estimate | Absent:
    """Mean of scores in [0, 1], such as of one dimension over all cases.

    Args:
        scores: One a case, or one a repeat of a case.
        clusters: What each score depends on, such as its session or its case; None where all are independent.
        level: Two-sided coverage of the interval.
        weights: Production's share over the sample's share, one a score; 0 leaves the score out.
        strata: What the weights give a share to, one label a score; scores of one stratum weigh the same.

    Returns:
        Right-or-wrong scores without clusters or weights: Wilson's interval. Else Wilson's on n/deff with t in place of
        the normal; `n` is then the number of clusters. With strata the score interval over them, of which Wilson's is
        that of one. Graded scores well inside (0, 1) that are skewed, such as a few zeros among scores that are
        otherwise alike, have it widened to that of `mean_unbounded`. Absent under 2 scores, or under 10 clusters.
    """
    sample = sampled(scores, clusters, weights, strata)
    if isinstance(sample, Absent):
        return sample
    if sample.values.min() < 0 or sample.values.max() > 1:
        raise ValueError("scores lie in [0, 1]; mean_unbounded takes anything else")
    if sample.strata is not None:
        return _over_strata(sample, level)
    if sample.independent and sample.equally_weighted and _right_or_wrong(sample):
        return wilson(int(sample.values.sum()), sample.rows, level)
    return _effective_wilson(sample, level)


def mean_unbounded(
    values: ArrayLike,
    *,
    clusters: Labels | None = None,
    level: float,
    weights: ArrayLike | None = None,
    strata: Labels | None = None,
    ceiling: float | None = None,
) -> Estimate | Absent:
    """Mean of amounts that are 0 or more, such as dollars a request, with a cluster-robust t interval.

    Amounts are skewed, so that t alone would put the upper bound too low: it is corrected for skewness (Hall 1992),
    which moves it further out; a bound that the correction would move inwards stays where t has put it.
    Where nearly all amounts are equal (a fixed price), the sample does not show its spread, and two unseen amounts of 0
    and two at `ceiling` are imagined beside it: the interval is then about as wide as the rule of three makes it.

    Args:
        values: One a request.
        clusters: As for `mean`.
        level: Two-sided coverage of the interval.
        weights: As for `mean`.
        strata: As for `mean`.
        ceiling: The most one amount can be, where that is known; twice the largest seen where it is not.
    """
    sample = sampled(values, clusters, weights, strata)
    if isinstance(sample, Absent):
        return sample
    if sample.values.min() < 0:
        raise ValueError("amounts are 0 or more")
    top = 2 * float(sample.values.max()) if ceiling is None else max(ceiling, float(sample.values.max()))
    if not top:
        return Absent(f"all {sample.rows} values are 0, which says nothing about how large others are")
    spread, scarce = spread_of(sample, 0.0, top)
    below, above = _reach(spread, level, skewed=not scarce)
    if not above:
        return Absent("the amounts are too small to be told apart")  # their squares underflow
    low, high = max(0.0, sample.mean - below), spread.mean + above
    return Estimate(
        value=sample.mean,
        low=min(low, sample.mean),
        high=max(high, sample.mean),
        level=level,
        n=sample.n_clusters,
        method=sample.named("cluster-robust t" if scarce else "cluster-robust t, skewness", scarce=scarce),
    )


def _reach(sample: Sample, level: float, *, skewed: bool) -> tuple[float, float]:
    """How far the interval of a mean reaches below it and above it, by t with Hall's cubic correction for skewness.

    Values that nearly all are equal do not show their skewness, and then it is not corrected for.
    """
    error, critical = sqrt(sample.robust_variance()), t_critical(level, sample.freedom)
    bend = sample.skewness() / sqrt(sample.effective_clusters()) if skewed else 0.0
    return error * max(critical, _unbent(critical, bend)), error * max(critical, -_unbent(-critical, bend))


def _unbent(critical: float, bend: float) -> float:
    """Hall's transformation inverted: what t is where its symmetric form is `critical`."""
    if abs(bend) < STRAIGHT:
        return critical
    return 3 / bend * float(np.cbrt(1 + bend * (critical - bend / 6)) - 1)


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
    return trials if _spread_is_seen(sample, min(share, 1 - share) * min(trials, most)) else min(most, trials)


def _spread_is_seen(sample: Sample, lost: float) -> bool:
    """Whether scores show how they vary: graded, away from 0 and 1 by so many points lost (or won), not all alike."""
    return lost >= NEAR_BOUNDARY and not _right_or_wrong(sample) and usual_value(sample) is None


def _effective_wilson(sample: Sample, level: float) -> Estimate:
    share = min(1.0, max(0.0, sample.mean))
    trials = effective_trials(sample, share)
    bounds = wilson_bounds(share, trials, t_critical(level, sample.freedom))
    own = trials > sample.effective_rows()
    return _estimate(sample, share, bounds, sample.named("wilson, n/deff, t"), level=level, own=sample if own else None)


def _estimate(
    sample: Sample, share: float, bounds: tuple[float, float], method: str, *, level: float, own: Sample | None = None
) -> Estimate:
    """The mean with its bounds, further out where they rest on the scores' `own` spread and that is skewed."""
    low, high = bounds
    if own is not None:
        below, above = _reach(own, level, skewed=True)
        low, high, method = max(0.0, min(low, share - below)), min(1.0, max(high, share + above)), f"{method}, skewness"
    return Estimate(value=share, low=low, high=high, level=level, n=sample.n_clusters, method=method)


def _over_strata(sample: Sample, level: float) -> Estimate:
    """The score interval over strata, on n/deff with t where scores are graded or depend on each other."""
    assert sample.strata is not None, "only a sample with strata comes here"
    parts = by_stratum(sample, sample.strata)
    exact = sample.independent and _right_or_wrong(sample)
    spread = post_stratified(sample)
    deff = 1.0 if exact else _design_effect(sample, spread, parts)
    critical = normal_critical(level) if exact else t_critical(level, sample.freedom)
    low, high = score_bounds(parts.fewer(deff), critical)
    method = "stratified score" if exact else "stratified score, n/deff, t"
    return _estimate(sample, parts.mean, (low, high), method, level=level, own=spread if deff < 1 else None)


def _design_effect(sample: Sample, spread: Sample, parts: Strata) -> float:
    """As in `effective_trials`, but of the `spread` within strata."""
    if not parts.within:
        return sample.rows / sample.n_clusters
    deff = spread.robust_variance() / parts.within
    lost = min(parts.mean, 1 - parts.mean) * sample.effective_rows() / max(1.0, deff)
    return deff if deff and _spread_is_seen(sample, lost) else max(1.0, deff)


def _right_or_wrong(sample: Sample) -> bool:
    return bool(np.all((sample.values == 0) | (sample.values == 1)))
