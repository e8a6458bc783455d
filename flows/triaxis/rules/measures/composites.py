"""The composite of several dimensions with an interval: what each case adds to it, so that one estimator serves all.

A dimension's mean is a ratio, and dimensions need not score the same cases. By the delta method the composite moves as
the mean over cases of one value of each: the composite, and how far the case's own scores lie from the dimensions'
means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from triaxis.domain.measures import estimated
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.measures.precision import Scores, mean_score
from triaxis.rules.measures.tally import CaseFrame, Codes, Floats, Mask
from triaxis.stats.means import mean

_DIGITS = 12
"""Digits of a case's value that are not the rounding of its terms: right and wrong come out as 1 and 0."""
ScoresByName: TypeAlias = Mapping[str, Scores]
"""By dimension."""


def composite(scores: ScoresByName, frame: CaseFrame, weights: Mapping[str, float], *, level: float) -> Measure:
    """The weighted mean of the dimensions' means, as on a variant's own card, with its interval.

    Args:
        scores: By dimension.
        frame: The cases.
        weights: Of the dimensions.
        level: Two-sided.

    Returns:
        Of one dimension its own estimate. Absent where a dimension has none, since the rest is another composite.
    """
    means = {name: mean_score(rows, frame, level=level) for name, rows in sorted(scores.items())}
    missing = [name for name, found in means.items() if estimated(found) is None]
    if missing:
        return Absent(f"{', '.join(missing)} has no estimate")
    if len(means) == 1:
        return next(iter(means.values()))
    values = composite_by_case(scores, frame, weights)
    return values if isinstance(values, Absent) else mean_by_case(values, frame, level=level)


def composite_by_case(scores: ScoresByName, frame: CaseFrame, weights: Mapping[str, float]) -> Floats | Absent:
    """What each case adds to the composite, which is their weighted mean; NaN for a case without a score.

    Where every dimension scores every case it is the weighted mean of the case's scores. Elsewhere a value may lie
    outside 0 to 1: a case speaks louder for a dimension that few cases speak for.
    """
    scale = sum(weights[name] for name in scores)
    if not scale:
        return Absent("no dimension scores" if not scores else "the weights of the dimensions are all 0")
    read = {name: rows.read for name, rows in sorted(scores.items())}
    told = np.unique(np.concatenate([rows.cases for rows in read.values()]))
    counted = _counts(told, frame)
    sums = np.zeros(len(told))
    for name, rows in read.items():
        added = _added(rows, frame)
        if counted is None or added is None:
            return Absent(f"{name} has no estimate")
        centre, moves = added
        each = np.divide(moves[told] * counted.sum(), counted, out=np.zeros(len(told)), where=counted > 0)
        sums += weights[name] / scale * (centre + each)
    values = np.full(len(frame.ids), np.nan)
    values[told] = np.round(sums, _DIGITS)
    return values


def mean_by_case(values: Floats, frame: CaseFrame, *, level: float) -> Estimate | Absent:
    """The mean of one value a case, most of them from 0 to 1, as `mean_score` has it of scores.

    Args:
        values: NaN where a case has none.
        frame: The cases.
        level: Two-sided.
    """
    cases = np.flatnonzero(~np.isnan(values))
    weighing = frame.weighing(cases) if len(cases) else Absent("no case was scored")
    if isinstance(weighing, Absent):
        return weighing
    low, high = min(0.0, float(values[cases].min())), max(1.0, float(values[cases].max()))
    within = np.clip((values[cases] - low) / (high - low), 0, 1)
    found = mean(within, clusters=frame.clusters[cases], level=level, weights=weighing.weights, strata=weighing.strata)
    if isinstance(found, Absent):
        return found
    value, least, most = (low + (high - low) * end for end in (found.value, found.low, found.high))
    return replace(found, value=value, low=max(0.0, least), high=min(1.0, most))


def in_common(sides: Sequence[ScoresByName], frame: CaseFrame) -> list[ScoresByName]:
    """Every side's scores of the cases that all sides have one of, dimension by dimension."""
    masks = {name: _all_told([side[name] for side in sides], frame) for name in sides[0]}
    return [{name: rows.only(masks[name][rows.cases]) for name, rows in side.items()} for side in sides]


def _all_told(rows: Sequence[Scores], frame: CaseFrame) -> Mask:
    told = np.array([np.bincount(some.read.cases, minlength=len(frame.ids)) > 0 for some in rows])
    return np.asarray(told.all(axis=0))


def _added(rows: Scores, frame: CaseFrame) -> tuple[float, Floats] | None:
    """The mean of read scores, and by case how far its rows move it; None without any, or without what they count."""
    if not len(rows.cases):
        return None
    weights = _counts(rows.cases, frame)
    if weights is None:
        return None
    centre = float(np.average(rows.values, weights=weights))
    moves = np.bincount(rows.cases, weights=weights * (rows.values - centre), minlength=len(frame.ids))
    return centre, moves / weights.sum()


def _counts(cases: Codes, frame: CaseFrame) -> Floats | None:
    """What rows count in production, by the case of each; None where nobody can say."""
    weighing = frame.weighing(cases)
    if isinstance(weighing, Absent):
        return None
    return np.ones(len(cases)) if weighing.weights is None else weighing.weights
