"""Tango's score interval of the difference of two paired shares, as of right answers to the same questions.

It holds the differences d for which |m - d| <= critical * sqrt(V), where m is what was seen and V its variance at the
likeliest rates that differ by d (Tango 1998, Statistics in Medicine 17:891). By Lagrange those rates are counts over
u + k v, where v is what a pair adds to the difference (1, -1 or 0), k one multiplier and u what makes the rates sum to
1; and then m - d = k V, so that one number is what is solved for. Over strata with known shares it is the same with
k w in place of k, w being the stratum's share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.clusters import MIN_CLUSTERS, Floats, gateable
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.distributions import normal_critical, normal_p
from triaxis.stats.strata import crossing, standardised


def tango(
    only_first: ArrayLike, only_second: ArrayLike, pairs: ArrayLike, *, level: float, shares: ArrayLike = 1.0
) -> PairedEstimate | Absent:
    """Share of the first less that of the second, over pairs of right or wrong.

    Args:
        only_first: Pairs in which only the first is right, one number a stratum.
        only_second: Pairs in which only the second is.
        pairs: All pairs; those in which both or neither is right say nothing of the difference but its size.
        level: Two-sided coverage of the interval.
        shares: Production's of each stratum, which sum to 1.

    Returns:
        Its `p` is that of the score test, which the interval inverts: without strata McNemar's, not corrected. Absent
        under 10 pairs.
    """
    b, c, n, w = (np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (only_first, only_second, pairs, shares))
    if not gateable(n.sum()):
        return Absent(f"only {n.sum():.0f} pairs; {MIN_CLUSTERS} are needed")
    critical = normal_critical(level)
    seen = float(w @ ((b - c) / n))
    # Where all pairs fall one way the statistic is 0 on that side, and the interval ends at the edge.
    wanted = np.array([0.0 if np.all(c == n) else critical, 0.0 if np.all(b == n) else -critical])
    ends = crossing(lambda multipliers: _over_strata(b, c, n, w, multipliers)[1] - wanted, 2)
    low, high = _over_strata(b, c, n, w, ends)[0].tolist()
    equal = crossing(lambda multipliers: -_over_strata(b, c, n, w, multipliers)[0], 1)
    return PairedEstimate(
        value=seen,
        low=min(low, seen),
        high=max(high, seen),
        level=level,
        n=float(n.sum()),
        method="tango" if len(n) == 1 else "tango, weighted",
        p=normal_p(float(_over_strata(b, c, n, w, equal)[1][0])),
    )


def tango_bounds(
    only_first: ArrayLike, only_second: ArrayLike, pairs: ArrayLike, critical: float
) -> tuple[Floats, Floats]:
    """The ends of many intervals at once, each of one stratum, by arrays of counts of one shape."""
    b, c, n = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (only_first, only_second, pairs)))
    b, c, n = b.ravel(), c.ravel(), n.ravel()

    def end(wanted: Floats) -> Floats:
        def excess(multipliers: Floats) -> Floats:
            return multipliers * np.sqrt(_moments(b, c, n, multipliers)[1] / n) - wanted

        return _moments(b, c, n, crossing(excess, len(n)))[0]

    return end(np.where(c == n, 0.0, critical)), end(np.where(b == n, 0.0, -critical))


def _over_strata(b: Floats, c: Floats, n: Floats, shares: Floats, multipliers: Floats) -> tuple[Floats, Floats]:
    """The weighted difference of the likeliest rates at each multiplier, and how far what was seen is above it."""
    difference, variance = _moments(b, c, n, multipliers[:, np.newaxis] * shares)
    return difference @ shares, standardised(multipliers, shares**2 * variance / n, n)


def _moments(b: Floats, c: Floats, n: Floats, pull: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of what one pair adds, at the likeliest rates: counts over u + pull, u - pull and u.

    u is the largest root of a cubic all of whose roots are real. Where nothing was counted of an outcome to which the
    pull is strong, u stops there, and the outcome takes the rest of the probability.
    """
    tied = n - b - c
    u = _largest_root(-n, pull * (b - c) - pull**2, tied * pull**2)
    first, second, neither = (
        np.divide(count, u + way * pull, out=np.zeros(u.shape), where=np.broadcast_to(count > 0, u.shape))
        for count, way in ((b, 1), (c, -1), (tied, 0))
    )
    rest = np.maximum(1 - first - second - neither, 0)
    first = first + np.where((pull < 0) & (b == 0), rest, 0)
    second = second + np.where((pull > 0) & (c == 0), rest, 0)
    difference = np.clip(first - second, -1, 1)
    return difference, np.maximum(first + second - difference**2, 0)


def _largest_root(square: Floats, linear: Floats, constant: Floats) -> Floats:
    """Of x**3 + square x**2 + linear x + constant, by cosines (Viete)."""
    p = linear - square**2 / 3
    q = 2 * square**3 / 27 - square * linear / 3 + constant
    radius = 2 * np.sqrt(np.maximum(-p / 3, 0))
    ratio = np.divide(3 * q, p * radius, out=np.zeros_like(p), where=radius > 0)
    return radius * np.cos(np.arccos(np.clip(ratio, -1, 1)) / 3) - square / 3
