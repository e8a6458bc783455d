"""Percentiles of a resampled mean without resampling it, as of infinitely many draws.

A draw of n clusters from n has a mean of at most t with a chance that the clusters' own cumulant generating function
gives nearly exactly: the saddlepoint approximation of the bootstrap (Davison and Hinkley 1988, Biometrika 75, 417-431),
here in the form r* = r + log(u / r) / r, which is standard normal (Barndorff-Nielsen 1986). It suits means of many
distinct values; where there are few, a draw is a handful of counts (`resampling`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import copysign, inf, log, sqrt

import numpy as np

from triaxis.stats.clusters import Floats, kish

ROUNDS = 40
"""Of an iteration that takes five; what has not settled by then is as good as it gets."""
CLOSE = 1e-12
"""How little a step may change what is then taken for settled."""
FEW = 8
"""Where all variance is that of fewer clusters than this, the mean moves in steps that no smooth curve follows."""
AT_THE_MEAN = 1e-3
"""Standard errors from the mean within which r* cannot be told from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResampledMean:
    """The mean over all rows of clusters that are drawn with replacement: total of sums over total of sizes."""

    mean: float
    unit: float
    """Of its distances from the mean: one cluster's standard deviation."""
    residuals: Floats
    """Per cluster, its sum less what its size at the mean would be; of mean 0 and variance 1."""
    sizes: Floats
    """Of mean 1."""

    @property
    def error(self) -> float:
        """Its standard error."""
        return self.unit / sqrt(len(self.sizes))

    def percentile(self, z: float) -> float:
        """The value that it is under as often as a standard normal is under `z`, which is not 0."""
        return self.mean + self.unit * self._at(z)

    def z_of(self, value: float, *, most: float) -> float:
        """The z whose percentile the value is, cut off at `most` to either side."""
        distance = (value - self.mean) / self.unit
        if abs(distance) * sqrt(len(self.sizes)) < AT_THE_MEAN:
            return 0.0
        far = most if distance > 0 else -most
        if abs(distance) >= abs(self._at(far)):
            return far
        return self._tilted(_root(lambda tried: self._tilted(tried)[0] - distance, distance))[1]

    def _at(self, z: float) -> float:
        """The distance at which r* is `z`."""
        return self._tilted(_root(lambda tried: self._tilted(tried)[1] - z, z / sqrt(len(self.sizes))))[0]

    def _tilted(self, pull: float) -> tuple[float, float]:
        """How far off the mean is where clusters weigh exp(pull (residual - distance size)), and its r*."""
        distance, n = pull, len(self.sizes)
        heavy, scale = self._weighed(pull, distance)
        for _ in range(ROUNDS):
            before, distance = distance, float(heavy @ self.residuals) / float(heavy @ self.sizes)
            heavy, scale = self._weighed(pull, distance)
            if abs(distance - before) <= CLOSE * abs(distance):
                break
        total = float(heavy.sum())
        root = copysign(sqrt(max(0.0, -2 * n * (scale + log(total / n)))), pull)
        u = pull * sqrt(n * float(heavy @ (self.residuals - distance * self.sizes) ** 2) / total)
        return distance, root + log(u / root) / root if u else copysign(inf, pull)

    def _weighed(self, pull: float, distance: float) -> tuple[Floats, float]:
        """The weights of clusters over the largest one, and the logarithm of that."""
        leaning = pull * (self.residuals - distance * self.sizes)
        most = float(leaning.max())
        return np.exp(leaning - most), most


def resampled_mean(sums: Floats, sizes: Floats) -> ResampledMean | None:
    """The mean of clusters by their sums and their sizes, one of each a cluster.

    None where a few clusters outweigh all others, as where all but those are alike: then only drawing tells.
    """
    mean = float(sums.sum() / sizes.sum())
    residuals = sums - mean * sizes
    squares = residuals**2
    if not squares.any() or kish(squares) < FEW:
        return None
    spread, size = sqrt(float(squares.mean())), float(sizes.mean())
    return ResampledMean(mean=mean, unit=spread / size, residuals=residuals / spread, sizes=sizes / size)


def _root(off: Callable[[float], float], start: float) -> float:
    """Where a function that rises nearly straight through 0 is 0: secants within a bracket that starts at 0 (Illinois).

    Its sign at 0 is the opposite of that of `start`.
    """
    ends, kept = ((0.0, -start), (start, off(start))), 0
    while ends[1][1] * start < 0:
        ends = (ends[1], (2 * ends[1][0], off(2 * ends[1][0])))
    now = start
    for _ in range(ROUNDS):
        (near, off_near), (far, off_far) = ends
        now = near + (far - near) * (off_near / (off_near - off_far) if abs(off_far) < inf else 0.5)
        off_now = off(now)
        if not off_now or min(abs(now - near), abs(far - now)) <= CLOSE * abs(now):
            break
        beyond = off_now * start > 0
        # An end that stays twice is believed half as much, or it would stay for good.
        if beyond:
            ends, kept = ((near, off_near / 2 if kept > 0 else off_near), (now, off_now)), 1
        else:
            ends, kept = ((now, off_now), (far, off_far / 2 if kept < 0 else off_far)), -1
    return now
