"""A mean that people know of a part and a judge of the whole: prediction-powered inference.

PPI++ (Angelopoulos, Duchi and Zrnic 2023, arXiv 2311.01453): the judge's mean over all cases, corrected by how far the
judge is off where people have labelled. The labelled part must be drawn at random.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent, Estimate
from triaxis.stats.bootstrap import paired
from triaxis.stats.clusters import MIN_CLUSTERS, Floats, gateable
from triaxis.stats.distributions import normal_critical


def prediction_powered_mean(
    human: ArrayLike, judged: ArrayLike, unlabelled: ArrayLike, *, level: float, trust: float | None = None
) -> Estimate | Absent:
    """The mean of what people would say of all cases.

    Args:
        human: People's score of each labelled case.
        judged: The judge's score of the same cases.
        unlabelled: The judge's scores of all other cases.
        level: Two-sided coverage of the interval, by the normal distribution.
        trust: How much the judge counts: 0 not at all, 1 in full, as in the first PPI; None takes what makes the
            interval narrowest, between the two.

    Returns:
        `n` is the number of labelled cases. Absent under 10 of either kind, and where nobody's scores vary.
    """
    (said, guessed), rest = paired(human, judged), np.asarray(unlabelled, dtype=np.float64)
    if not gateable(min(len(said), len(rest))):
        return Absent(f"only {len(said)} labelled cases and {len(rest)} others; {MIN_CLUSTERS} of each are needed")
    weight = _trust(said, guessed, rest) if trust is None else trust
    off = said - weight * guessed
    variance = float(off.var() / len(off) + weight**2 * rest.var() / len(rest))
    if not variance:
        return Absent(f"all {len(said)} labelled cases agree, which says nothing about those that would not")
    value = float(weight * rest.mean() + off.mean())
    half = normal_critical(level) * sqrt(variance)
    method = "ppi++" if trust is None else "ppi"
    return Estimate(value=value, low=value - half, high=value + half, level=level, n=len(said), method=method)


def _trust(human: Floats, judged: Floats, unlabelled: Floats) -> float:
    """The weight at which the variance is least, example 6.1 of the paper."""
    spread = float(np.concatenate([judged, unlabelled]).var(ddof=1))
    together = float(((human - human.mean()) * (judged - judged.mean())).sum()) / len(human)
    return float(np.clip(together / (spread * (1 + len(human) / len(unlabelled))), 0, 1)) if spread else 0.0
