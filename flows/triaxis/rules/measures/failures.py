"""Failed calls over all calls: of the probe, or of generation where there is no probe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from triaxis.domain.case import Where
from triaxis.domain.measures import ObjectiveMeasure
from triaxis.quantities import Absent, Measure
from triaxis.rules.measures.tally import CaseFrame, Codes, Floats, Mask, distinct, per_case
from triaxis.stats.means import mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls and whether they failed, one a row."""

    cases: Codes
    failed: Mask
    probed: bool
    """Whether they are a probe's requests rather than generations."""

    def within(self, frame: CaseFrame, where: Where) -> Calls:
        """The calls of a slice."""
        chosen = frame.within(where)[self.cases]
        return Calls(cases=self.cases[chosen], failed=self.failed[chosen], probed=self.probed)

    def per_case(self, frame: CaseFrame) -> Floats:
        """Each case's share of failed calls; NaN for a case that was not called."""
        return per_case(self.cases, self.failed.astype(np.float64), len(frame.ids))


def error_rate(calls: Calls, frame: CaseFrame, *, level: float, where: Where | None = None) -> Measure:
    """Share of failed calls, with Wilson's interval; generations cluster as their scores do."""
    chosen = calls.within(frame, where or {})
    if not len(chosen.cases):
        return Absent("no call was made")
    weighing = frame.weighing(chosen.cases, frame.within(where or {}))
    if isinstance(weighing, Absent):
        return weighing
    return mean(
        chosen.failed.astype(np.float64),
        clusters=None if chosen.probed else frame.clusters[chosen.cases],
        level=level,
        weights=weighing.weights,
        strata=weighing.strata,
    )


def objective_errors(calls: Calls, frame: CaseFrame, *, where: Where, level: float) -> ObjectiveMeasure:
    """The estimate an errors objective is judged by."""
    counted = frame.counted(calls.within(frame, where).cases)
    return ObjectiveMeasure(
        estimate=error_rate(calls, frame, level=level, where=where),
        units=len(counted) if calls.probed else distinct(frame.clusters[counted]),
        unit="requests" if calls.probed else frame.unit,
    )
