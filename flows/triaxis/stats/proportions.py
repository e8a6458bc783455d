"""Intervals of proportions, and of mean scores by the same rule."""

from __future__ import annotations

from math import sqrt

from triaxis.quantities import Absent, Estimate
from triaxis.stats.distributions import normal_critical


def wilson(successes: int, n: int, level: float) -> Estimate | Absent:
    """Share of successes among `n` independent trials, with Wilson's interval at the two-sided `level`."""
    if not 0 <= successes <= n:
        message = f"{successes} successes of {n} trials"
        raise ValueError(message)
    if n <= 1:
        return Absent("only 1 trial; 2 are needed" if n else "no trials")
    low, high = wilson_bounds(successes / n, n, normal_critical(level))
    return Estimate(value=successes / n, low=low, high=high, level=level, n=n, method="wilson")


def wilson_bounds(share: float, n: float, critical: float) -> tuple[float, float]:
    """Wilson's score interval for a share seen in `n` trials, which an effective sample size may make fractional.

    Wilson (1927): the rates p for which |share - p| <= critical * sqrt(p (1 - p) / n).
    """
    ratio = critical**2 / n
    centre = (share + ratio / 2) / (1 + ratio)
    half = critical / (1 + ratio) * sqrt(share * (1 - share) / n + ratio / (4 * n))
    # At 0 and 1 one bound is the share itself; rounding may not push it past.
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))
