"""How well a router of two arms sends what needs the strong one there (RouteLLM: Ong et al. 2024, arXiv 2406.18665).

The share of cases sent to the strong arm is swept from none to all, those first of which the router is surest. At each
share the *performance gap recovered* is (quality - weak) / (strong - weak): 0 where all cases go to the weak arm, 1
where all go to the strong one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triaxis.quantities import Absent

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Quality by the share of cases sent to the strong arm; between two points it runs straight."""

    shares: Floats
    """Ascending from 0 to 1: one point for each threshold that tells some cases from others."""
    quality: Floats
    """Mean over all cases at each share."""

    @property
    def gap(self) -> float:
        """What the strong arm is better by."""
        return float(self.quality[-1] - self.quality[0])

    def recovered(self) -> Floats | Absent:
        """The performance gap recovered at each share; absent where there is no gap to recover."""
        if self.gap <= 0:
            return Absent("the strong arm is no better than the weak one")
        return (self.quality - self.quality[0]) / self.gap


def sweep(scores: ArrayLike, weak: ArrayLike, strong: ArrayLike, *, weights: ArrayLike | None = None) -> Sweep:
    """Quality at every threshold of the router's score.

    Cases of one score cannot be told apart by a threshold: within them the curve runs straight, as if cases were drawn
    at random.

    Args:
        scores: How much each case wants the strong arm.
        weak: The weak arm's quality on each case.
        strong: The strong arm's.
        weights: What each case counts, above 0; all the same where it is None.

    Raises:
        ValueError: where the arrays differ in length or are empty.
    """
    wanted, low, high = (np.asarray(values, dtype=np.float64) for values in (scores, weak, strong))
    if not len(wanted) or not wanted.shape == low.shape == high.shape:
        raise ValueError("a sweep needs a score and both qualities of every case")
    heavy = np.ones(len(wanted)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(-wanted, kind="stable")
    # The last case of every group of equal scores ends a step.
    ends = np.append(np.flatnonzero(np.diff(wanted[order])), len(order) - 1)
    counts, gains = np.cumsum(heavy[order]), np.cumsum((heavy * (high - low))[order])
    quality = (heavy @ low + np.append(0.0, gains[ends])) / counts[-1]
    return Sweep(shares=np.append(0.0, counts[ends] / counts[-1]), quality=quality)


def apgr(curve: Sweep) -> float | Absent:
    """Average performance gap recovered: the area under the recovered gap, by trapezoids, over all shares.

    0.5 is what sending cases at random recovers; more than 1 is possible where the strong arm is worse on some cases.
    Absent where the strong arm is no better.
    """
    recovered = curve.recovered()
    return recovered if isinstance(recovered, Absent) else float(np.trapezoid(recovered, curve.shares))


def call_performance_threshold(curve: Sweep, gap: float) -> float | Absent:
    """CPT: the least share of calls to the strong arm that recovers `gap` of the performance gap, such as 0.5 or 0.8.

    Absent where the strong arm is no better.
    """
    recovered = curve.recovered()
    if isinstance(recovered, Absent):
        return recovered
    after = int(np.argmax(recovered >= gap))
    if not after:
        return 0.0
    below, above = recovered[after - 1], recovered[after]
    left, right = curve.shares[after - 1], curve.shares[after]
    return float(left + (right - left) * (gap - below) / (above - below))
