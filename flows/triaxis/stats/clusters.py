"""Rows that belong together: the one place where a sample is partitioned by cluster.

Means, proportions, differences and quantiles all take their clusters from here, so that they cannot drift apart on what
an independent unit is.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triaxis.quantities import Absent

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Labels: TypeAlias = Sequence[Hashable] | NDArray[np.generic]
"""One label a row, such as a session's id; rows with equal labels belong together."""

MIN_CLUSTERS = 10
"""Under so many independent units nothing is gated."""
UNSEEN = 2
"""How many unseen clusters are imagined at each end of the range, where nearly all values are one and the same."""
SPARSE = 4
"""Integer labels that span up to so many times their count are numbered by a table instead of a sort."""


def gateable(n: float) -> bool:
    """Whether an estimate of a mean, a proportion or a difference over `n` independent units may decide a gate."""
    return n >= MIN_CLUSTERS


def cluster_codes(labels: Labels, rows: int) -> Codes:
    """Each row's cluster as a number from 0: integers in their order, anything else in that of first appearance."""
    if len(labels) != rows:
        message = f"{len(labels)} cluster labels for {rows} values"
        raise ValueError(message)
    if isinstance(labels, np.ndarray) and labels.dtype.kind == "i":
        return _renumbered(labels)
    names = cast("Sequence[Hashable]", labels.tolist() if isinstance(labels, np.ndarray) else labels)
    # A dict keeps the order of first appearance and hashes strings faster than numpy sorts them.
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return np.fromiter((number[name] for name in names), dtype=np.intp, count=rows)


def _renumbered(labels: NDArray[np.generic]) -> Codes:
    """Integers as the places of their values among those there are."""
    lowest, span = (int(labels.min()), int(np.ptp(labels))) if len(labels) else (0, 0)
    if span > SPARSE * len(labels):
        return np.unique(labels, return_inverse=True)[1]
    shifted = labels.astype(np.intp) - lowest
    seen = np.zeros(span + 1, dtype=np.intp)
    seen[shifted] = 1
    return (np.cumsum(seen) - 1)[shifted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Values with their weights and clusters; rows of weight 0 are not in it."""

    values: Floats
    weights: Floats
    """Relative; all 1 where nothing is weighted."""
    codes: Codes
    n_clusters: int
    strata: Codes | None = None
    """Each row's stratum from 0, within which all rows weigh the same; None where the weights make none."""

    @property
    def rows(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def independent(self) -> bool:
        """Whether every row is a cluster of its own."""
        return self.n_clusters == self.rows

    @property
    def equally_weighted(self) -> bool:
        """Whether every row counts the same."""
        return bool(np.all(self.weights == self.weights[0]))

    @property
    def mean(self) -> float:
        """The weighted mean; of equal values it is that value, to the last digit."""
        average = np.average(self.values, weights=self.weights)
        return float(np.clip(average, self.values.min(), self.values.max()))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the robust variance: clusters that count the same would be so many, less one.

        With clusters of one size it is G - 1. With a few that outweigh the rest the variance is known only as well as
        those few know it.
        """
        return max(1.0, self.effective_clusters() - 1)

    def named(self, method: str, *, scarce: bool = False) -> str:
        """The name of a method as used on it."""
        unseen = ", unseen" if scarce else ""
        return f"{method}{unseen}" if self.equally_weighted else f"{method}{unseen}, weighted"

    def sums(self, amounts: Floats) -> Floats:
        """The sum of `amounts` (one a row) over each cluster."""
        return np.asarray(np.bincount(self.codes, weights=amounts, minlength=self.n_clusters), dtype=np.float64)

    def effective_rows(self) -> float:
        """Kish's number of equally weighted rows that would tell as much, were all rows independent."""
        return kish(self.weights)

    def effective_clusters(self) -> float:
        """The same over clusters, each with the weight of its rows together."""
        return kish(self.sums(self.weights))

    def robust_variance(self) -> float:
        """Variance of the weighted mean when only clusters are independent: the jackknife over clusters (CV3).

        With clusters of one weight it is the usual sandwich with G/(G-1) (Miller 2024, arXiv 2411.00640); with unequal
        ones it does not, as that does, let a heavy cluster hide its own deviation by pulling the mean.
        """
        weights, clusters = self.sums(self.weights), self.n_clusters
        shifts = self.residuals() / (weights.sum() - weights)
        return float((clusters - 1) / clusters * (shifts**2).sum())

    def residuals(self) -> Floats:
        """By how much each cluster's sum differs from what its weight at the mean would be.

        The mean without cluster g is mean - residual_g / (W - W_g).
        """
        return self.sums(self.weights * (self.values - self.mean))

    def skewness(self) -> float:
        """Third over the 3/2th power of the second moment of the residuals; 0 where they do not vary."""
        residuals = self.residuals()
        second = float((residuals**2).mean())
        return float((residuals**3).mean()) / second**1.5 if second else 0.0


def kish(weights: Floats) -> float:
    """How many equal weights spread a total as widely as these do (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def sampled(
    values: ArrayLike, clusters: Labels | None, weights: ArrayLike | None, strata: Labels | None = None
) -> Sample | Absent:
    """The sample, or why it is too small: two independent rows are needed, ten clusters where rows depend."""
    numbers = np.asarray(values, dtype=np.float64)
    heavy = np.ones(len(numbers)) if weights is None else np.asarray(weights, dtype=np.float64)
    _refuse_unusable(numbers, heavy)
    kept = heavy > 0
    groups = np.arange(len(numbers)) if clusters is None else cluster_codes(clusters, len(numbers))
    kinds = None if strata is None else cluster_codes(strata, len(numbers))
    if not kept.all():
        rows = int(kept.sum())
        numbers, heavy, groups = numbers[kept], heavy[kept], cluster_codes(groups[kept], rows)
        kinds = None if kinds is None else cluster_codes(kinds[kept], rows)
    n_clusters = int(groups.max()) + 1 if len(groups) else 0
    parted = None if kinds is None or not kinds.any() else kinds
    sample = Sample(values=numbers, weights=heavy, codes=groups, n_clusters=n_clusters, strata=parted)
    return _too_few(sample) or sample


def usual_value(sample: Sample) -> float | None:
    """The value that nearly all rows share: most of them have it, and under ten clusters hold any other.

    Such a sample says little about how far the others go, so its spread is not to be trusted. None where there is none.
    """
    distinct, counts = np.unique(sample.values, return_counts=True)
    most = int(np.argmax(counts))
    if 2 * counts[most] <= sample.rows:
        return None
    others = np.count_nonzero(np.bincount(sample.codes[sample.values != distinct[most]]))
    return float(distinct[most]) if others < MIN_CLUSTERS else None


def with_unseen(sample: Sample, low: float, high: float, *, count: int = UNSEEN) -> Sample:
    """The sample with `count` clusters of average weight at each end of the range, for spread that it has not shown.

    The like of Agresti and Caffo's added pseudo-observations: 80 equal values get an interval about as wide as the rule
    of three, instead of none.
    """
    ends = np.repeat([low, high], count)
    held = np.count_nonzero(np.bincount(sample.codes))
    weight = sample.weights.sum() / held
    return replace(
        sample,
        values=np.concatenate([sample.values, ends]),
        weights=np.concatenate([sample.weights, np.full(len(ends), weight)]),
        codes=np.concatenate([sample.codes, sample.n_clusters + np.arange(len(ends))]),
        n_clusters=sample.n_clusters + len(ends),
        strata=None,
    )


def _too_few(sample: Sample) -> Absent | None:
    if not sample.rows:
        return Absent("no values")
    if sample.rows == 1:
        return Absent("only 1 value; 2 are needed")
    if not sample.independent and not gateable(sample.n_clusters):
        noun = "cluster" if sample.n_clusters == 1 else "clusters"
        return Absent(f"only {sample.n_clusters} {noun}; {MIN_CLUSTERS} are needed")
    return None


def _refuse_unusable(values: Floats, weights: Floats) -> None:
    if len(weights) != len(values):
        message = f"{len(weights)} weights for {len(values)} values"
        raise ValueError(message)
    if not np.all(np.isfinite(values)):
        raise ValueError("a mean needs finite values; what is missing is left out by the caller, who counts it")
    if not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError("weights are finite and not negative")
