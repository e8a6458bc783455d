"""Failed calls over all calls: of the probe, or of generation where there is no probe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from triaxis.domain.case import Where
from triaxis.domain.measures import ObjectiveMeasure
from triaxis.quantities import Absent, Measure
from triaxis.rules.tally import CaseFrame, Codes, Floats, Mask, distinct, per_case
from triaxis.stats.means import mean
from triaxis.stats.proportions import wilson


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


def error_rate(calls: Calls, frame: CaseFrame, *, level: float) -> Measure:
    """Share of failed calls, with Wilson's interval; generations cluster as their scores do."""
    if not len(calls.cases):
        return Absent("no call was made")
    if calls.probed:
        return wilson(int(calls.failed.sum()), len(calls.cases), level)
    return mean(calls.failed.astype(np.float64), clusters=frame.clusters[calls.cases], level=level)


def objective_errors(calls: Calls, frame: CaseFrame, *, where: Where, level: float) -> ObjectiveMeasure:
    """The estimate an errors objective is judged by."""
    chosen = calls.within(frame, where)
    return ObjectiveMeasure(
        estimate=error_rate(chosen, frame, level=level),
        units=len(chosen.cases) if chosen.probed else distinct(frame.clusters[chosen.cases]),
        unit="requests" if chosen.probed else frame.unit,
    )
