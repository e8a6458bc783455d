"""F1 and recall over classes, such as intents, with a cluster bootstrap over cases."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from triaxis.quantities import Absent, Estimate
from triaxis.stats.bootstrap import expanded_percentiles
from triaxis.stats.clusters import MIN_CLUSTERS, Codes, Floats, Labels, cluster_codes, gateable
from triaxis.stats.resampling import DRAWS, drawn_totals

ClassMetric: TypeAlias = Literal["macro_f1", "macro_recall"]


def over_classes(
    truths: Sequence[Hashable],
    answers: Sequence[Hashable],
    *,
    metric: ClassMetric,
    clusters: Labels | None = None,
    level: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
    weights: ArrayLike | None = None,
) -> Estimate | Absent:
    """Mean over the true classes of F1 or recall, every class counting the same however rare it is.

    An answer that is no class at all is wrong for its true class and harms no other's precision. A draw in which a
    class does not occur takes its mean over the classes that do.

    Args:
        truths: The true class of each case.
        answers: The class given for each case.
        metric: F1 or recall.
        clusters: What each case depends on, such as its session.
        level: Two-sided coverage of the interval.
        rng: Seeded by the caller for this metric alone.
        draws: Resamples.
        weights: Production's share over the sample's share, one a case; 0 leaves the case out.
    """
    if len(answers) != len(truths):
        message = f"{len(answers)} answers for {len(truths)} truths"
        raise ValueError(message)
    heavy = np.ones(len(truths)) if weights is None else np.asarray(weights, dtype=np.float64)
    kept: list[int] = np.flatnonzero(heavy > 0).tolist()
    truths, answers = [truths[place] for place in kept], [answers[place] for place in kept]
    groups = np.arange(len(heavy)) if clusters is None else cluster_codes(clusters, len(heavy))
    codes = cluster_codes(groups[kept], len(kept))
    n_clusters = int(codes.max(initial=-1)) + 1
    if not gateable(n_clusters):
        return Absent(f"only {n_clusters} clusters; {MIN_CLUSTERS} are needed")
    table = _tallied(truths, answers, codes, heavy[kept])
    value = float(_macro(table.sum(axis=0)[np.newaxis], metric)[0])
    drawn = _macro(drawn_totals(table, draws=draws, rng=rng), metric)
    # F1 is concave: resamples have less of it on average, and percentiles of them would lie as much too low.
    low, high = expanded_percentiles(np.minimum(drawn + value - drawn.mean(), 1), level, n_clusters - 1)
    if low == high:
        return Absent(f"all {len(truths)} cases agree, which says nothing about those that would not")
    method = f"{metric}, cluster bootstrap" + ("" if weights is None else ", weighted")
    return Estimate(value=value, low=min(low, value), high=max(high, value), level=level, n=n_clusters, method=method)


def _tallied(truths: Sequence[Hashable], answers: Sequence[Hashable], codes: Codes, weights: Floats) -> Floats:
    """Per cluster and class the weight that was true, that was answered and that was both; the classes side by side."""
    number = {name: place for place, name in enumerate(dict.fromkeys(truths))}
    classes = len(number) + 1  # the last one is what is no class
    true, given = (_numbered(names, number) for names in (truths, answers))
    clusters, amounts = int(codes.max()) + 1, (weights, weights, weights * (true == given))
    sums = [
        np.bincount(codes * classes + names, weights=amount, minlength=clusters * classes).reshape(clusters, classes)
        for names, amount in zip((true, given, true), amounts, strict=True)
    ]
    return np.stack(sums, axis=1)[:, :, :-1].reshape(clusters, -1).astype(np.float64)


def _numbered(names: Sequence[Hashable], number: Mapping[Hashable, int]) -> Codes:
    return np.fromiter((number.get(name, len(number)) for name in names), dtype=np.intp, count=len(names))


def _macro(totals: Floats, metric: ClassMetric) -> Floats:
    true, answered, both = totals.reshape(len(totals), 3, -1).transpose(1, 0, 2)
    whole = true if metric == "macro_recall" else (true + answered) / 2
    occurs = true > 0
    per_class = np.divide(both, whole, out=np.zeros_like(both), where=occurs)
    return per_class.sum(axis=1) / occurs.sum(axis=1)
