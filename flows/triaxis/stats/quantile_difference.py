"""The difference of two quantiles over the same cases, each measured on its own and whole clusters resampled."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent
from triaxis.stats.bootstrap import DIGITS, expanded_percentiles, p_of_draws
from triaxis.stats.clusters import MIN_CLUSTERS, Codes, Floats, Labels, cluster_codes, gateable, kish
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.ranks import requests_needed
from triaxis.stats.resampling import DRAWS, drawn_totals
from triaxis.stats.weighted_quantiles import weighted_places, weighted_point


def clustered_quantile_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: tuple[Labels, Labels],
    q: float,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: tuple[ArrayLike, ArrayLike] | None = None,
) -> PairedEstimate | Absent:
    """Difference of two quantiles of times that were taken case by case, with a paired cluster bootstrap.

    A draw is kept as sums over its clusters: how many times of either side lie at or below that side's quantile. Where
    they are a share s more than in the sample, the draw's quantile is the sample's at q - s (Bahadur 1966). Percentiles
    are taken as far out as those of `paired_mean_difference`.

    Args:
        a: One time each, infinite for a failure; a case may have several.
        b: The other variant's over the same cases.
        clusters: What each of `a`, and each of `b`, depends on, such as its case or session; each has times of both.
        q: Which quantile, such as 0.95.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this difference alone.
        draws: Resamples.
        weights: Production's share over the sample's share, one for each of `a` and of `b`, all more than 0.

    Returns:
        `n` is the number of clusters. Absent under 10 of them, where the quantile lands on a failure in the sample or
        in a draw, and where either side alone would have no bound.
    """
    first, second, n_clusters = _sides(a, b, clusters, weights, q)
    why = _too_few(n_clusters) or first.boundless(q, level) or second.boundless(q, level)
    if why:
        return why
    drawn = _differences(first, second, n_clusters, q, draws=draws, rng=rng)
    if not np.all(np.isfinite(drawn)):
        return Absent("the quantile lands on a failed request in some draws")
    if float(drawn.std()) <= max(abs(first.point), abs(second.point)) * 10**-DIGITS:
        return Absent(f"all {n_clusters} pairs differ by the same, which says nothing about how others would")
    value = first.point - second.point
    low, high = expanded_percentiles(drawn, level, n_clusters - 1)
    return PairedEstimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        level=level,
        n=n_clusters,
        method="paired cluster bootstrap, order statistics" + ("" if weights is None else ", weighted"),
        p=p_of_draws(drawn, n_clusters - 1),
    )


def _sides(
    a: ArrayLike,
    b: ArrayLike,
    clusters: tuple[Labels, Labels],
    weights: tuple[ArrayLike, ArrayLike] | None,
    q: float,
) -> tuple[_Side, _Side, int]:
    """Both sides with one numbering of their clusters, and how many these are."""
    labels = np.concatenate([np.asarray(some) for some in clusters])
    codes = cluster_codes(labels, len(np.asarray(a)) + len(np.asarray(b)))
    ours, theirs = (None, None) if weights is None else weights
    cut = len(clusters[0])
    return _side(a, ours, codes[:cut], q), _side(b, theirs, codes[cut:], q), int(codes.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One variant's times."""

    times: Floats
    weights: Floats
    ranked: Floats
    places: Floats
    """Of each ranked time, the quantile that it is: 0 for the first and 1 for the last."""
    codes: Codes
    """Each time's cluster, in the order of the times."""
    point: float
    """Their quantile."""

    def boundless(self, q: float, level: float) -> Absent | None:
        """Why this side's quantile alone has no bound, None where it has."""
        if self.point == inf:
            return Absent("the quantile lands on a failed request")
        held = self.sums(int(self.codes.max()) + 1)[:, 1]
        units = round(kish(held[held > 0]))
        needed = requests_needed(q, level)
        return None if units >= needed else Absent(f"p{100 * q:g} needs {needed} independent pairs; these are {units}")

    def sums(self, n_clusters: int) -> Floats:
        """Of each cluster, what its times at or below the point weigh, and what all of them do."""
        below = np.bincount(self.codes, weights=self.weights * (self.times <= self.point), minlength=n_clusters)
        held = np.bincount(self.codes, weights=self.weights, minlength=n_clusters)
        return np.column_stack([below, held]).astype(np.float64)

    def drawn(self, totals: Floats, q: float) -> Floats:
        """The quantile of each draw, whose `sums` add up to `totals`."""
        more = totals[:, 0] / totals[:, 1] - float(np.average(self.times <= self.point, weights=self.weights))
        wanted = np.clip(q - more, 0, 1)
        above = np.clip(np.searchsorted(self.places, wanted), 1, len(self.ranked) - 1)
        low, high = self.ranked[above - 1], self.ranked[above]
        share = (wanted - self.places[above - 1]) / (self.places[above] - self.places[above - 1])
        with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
            return np.where(high == inf, inf, low + share * (high - low))


def _side(times: ArrayLike, weights: ArrayLike | None, codes: Codes, q: float) -> _Side:
    given = np.asarray(times, dtype=np.float64)
    heavy = np.ones(len(given)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    ranked, shares = given[order], heavy[order]
    point = weighted_point(ranked, shares, q) if len(ranked) > 1 else inf
    places = weighted_places(shares) if len(ranked) > 1 else shares
    return _Side(times=given, weights=heavy, ranked=ranked, places=places, codes=codes, point=point)


def _differences(
    first: _Side, second: _Side, n_clusters: int, q: float, *, draws: int, rng: np.random.Generator
) -> Floats:
    table = np.column_stack([first.sums(n_clusters), second.sums(n_clusters)])
    totals = drawn_totals(table, draws=draws, rng=rng)
    with np.errstate(invalid="ignore"):  # a draw in which both are infinite is no number, and told of
        return first.drawn(totals[:, :2], q) - second.drawn(totals[:, 2:], q)


def _too_few(n_clusters: int) -> Absent | None:
    return None if gateable(n_clusters) else Absent(f"only {n_clusters} pairs; {MIN_CLUSTERS} are needed")
