"""Scores to precision: one dimension of one variant, overall, by slice, and as an objective wants it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from triaxis.domain.case import Where
from triaxis.domain.measures import DimensionMeasures, ObjectiveMeasure
from triaxis.quantities import Absent, Measure
from triaxis.rules.measures.tally import CaseFrame, Codes, Floats, Mask, Rows, distinct, per_case, present
from triaxis.stats.means import mean

MOST_SLICES = 100
"""A tag of more values than this names cases rather than slices, and is left out of the slices shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One dimension's judgments of one variant's answers, one a row."""

    cases: Codes
    values: Floats
    """From 0 to 1: 0 where there was no answer, whatever stands where the evaluator abstained."""
    failed: Mask
    abstained: Mask

    def only(self, chosen: Mask | Rows) -> Scores:
        """The chosen rows, by mask or by place; nothing is copied where a mask chooses all."""
        if isinstance(chosen, np.ndarray) and chosen.dtype == np.bool_ and chosen.all():
            return self
        return Scores(
            cases=self.cases[chosen],
            values=self.values[chosen],
            failed=self.failed[chosen],
            abstained=self.abstained[chosen],
        )

    def within(self, frame: CaseFrame, where: Where) -> Scores:
        """The rows of a slice."""
        return self.only(frame.within(where)[self.cases]) if where else self

    @property
    def read(self) -> Scores:
        """The rows without abstentions."""
        return self.only(~self.abstained)

    def abstentions_as(self, score: float) -> Scores:
        """Every abstention as that score."""
        return Scores(
            cases=self.cases,
            values=np.where(self.abstained, score, self.values),
            failed=self.failed,
            abstained=np.zeros_like(self.abstained),
        )

    def per_case(self, frame: CaseFrame) -> Floats:
        """Each case's mean score over its repeats; NaN for a case without a score that could be read."""
        read = self.read
        return per_case(read.cases, read.values, len(frame.ids))


def dimension_measures(scores: Scores, frame: CaseFrame, *, level: float, unvalidated: bool) -> DimensionMeasures:
    """Everything a scorecard says of one dimension."""
    return DimensionMeasures(
        overall=mean_score(scores, frame, level=level),
        answered_only=mean_score(scores.only(~scores.failed), frame, level=level),
        scored=int((~scores.abstained & ~scores.failed).sum()),
        abstained=int(scores.abstained.sum()),
        failed=int(scores.failed.sum()),
        unvalidated=unvalidated,
        slices={
            tag: dict(_slices(scores, frame, tag, level))
            for tag in sorted(frame.tags)
            if len(frame.tags[tag].values) <= MOST_SLICES
        },
    )


def objective_scores(
    scores: Scores, frame: CaseFrame, *, where: Where, level: float, unvalidated: bool
) -> ObjectiveMeasure:
    """The estimate a precision objective is judged by, and what abstentions could make of it."""
    rows = scores.within(frame, where)
    abstained = int(rows.abstained.sum())
    return ObjectiveMeasure(
        estimate=mean_score(rows, frame, level=level),
        if_abstained_fail=mean_score(rows.abstentions_as(0.0), frame, level=level) if abstained else None,
        if_abstained_pass=mean_score(rows.abstentions_as(1.0), frame, level=level) if abstained else None,
        units=distinct(frame.clusters[frame.counted(rows.read.cases)]),
        unit=frame.unit,
        unvalidated=unvalidated,
        abstained=abstained,
    )


def mean_score(scores: Scores, frame: CaseFrame, *, level: float) -> Measure:
    """Mean of the scores that could be read, no answer counting 0; repeats and sessions cluster.

    Each case counts as production has its like, within the slice at hand.
    """
    read = scores.read
    if not len(scores.cases):
        return Absent("no case of this slice was scored")
    if not len(read.cases):
        return Absent("no score could be read")
    weighing = frame.weighing(read.cases)
    if isinstance(weighing, Absent):
        return weighing
    clusters = frame.clusters[read.cases]
    return mean(read.values, clusters=clusters, level=level, weights=weighing.weights, strata=weighing.strata)


def _slices(scores: Scores, frame: CaseFrame, name: str, level: float) -> Iterator[tuple[str, Measure]]:
    """Each value of a tag that has rows, in the order of the values."""
    tag = frame.tags[name]
    codes = tag.codes[scores.cases]
    for code in present(codes):
        yield tag.values[code], mean_score(scores.only(codes == code), frame, level=level)
