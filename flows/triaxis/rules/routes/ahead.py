"""Calls that a routed case pays and waits for before its answer: the router's own, or a cascade's first answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from triaxis.rules.measures.cost import CostRows
from triaxis.rules.measures.latency import ProbeRows, refusal
from triaxis.rules.measures.tally import NONE, Codes, Floats, per_case

_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What comes before the answers of one routed variant."""

    places: Codes
    """Per case, the variant whose call comes first; `NONE` where none does."""
    costs: CostRows
    """Of those calls."""
    probe: ProbeRows
    """And how long they took."""
    judge_usd: Floats | None = None
    """Per case, what a judge cost whose word decides; None where no judge is asked."""

    @property
    def cases(self) -> int:
        """How many there are."""
        return len(self.places)

    @property
    def usd(self) -> Floats:
        """Per case, dollars ahead of the answer: 0 where nothing comes first, NaN where it is not known."""
        known = per_case(self.costs.cases, self.costs.usd, self.cases)
        usd = np.where(self.places == NONE, 0.0, known)
        return usd if self.judge_usd is None else usd + self.judge_usd

    @property
    def ms(self) -> Floats:
        """Per case, the mean wait ahead of the answer over its probes; NaN where there is none that succeeded."""
        times = self.probe.milliseconds("full")
        answered = np.flatnonzero(~np.isnan(times))
        known = per_case(self.probe.cases[answered], times[answered], self.cases)
        return np.where(self.places == NONE, 0.0, known)

    @property
    def unknown(self) -> str | None:
        """Why the wait cannot be known at all; None where it can."""
        if self.judge_usd is not None:
            return "the judge that decides whether a case escalates was not probed"
        if (self.places == NONE).all():
            return None
        refused = refusal(self.probe)
        return None if refused is None else f"of the calls before the answer: {refused.why}"


def with_cost(rows: CostRows, ahead: Ahead) -> CostRows:
    """The answers' costs with what comes before them."""
    extra = ahead.usd[rows.cases]
    why = "; ".join(filter(None, dict.fromkeys([rows.why, ahead.costs.why])))
    return replace(rows, usd=rows.usd + extra, parts={**rows.parts, "routing": extra}, why=why)


def with_wait(rows: ProbeRows, ahead: Ahead) -> ProbeRows:
    """The answers' times after the wait for what comes before them.

    A request of a case whose first call was not measured says nothing and is left out; one whose first call always
    failed has failed.
    """
    if ahead.unknown is not None:
        return replace(rows.taken(np.zeros(0, dtype=np.intp)), unknown=ahead.unknown)
    waits, first = ahead.places[rows.cases] != NONE, np.isin(rows.cases, ahead.probe.cases)
    told = rows.taken(np.flatnonzero(~waits | first))
    timed = ahead.probe.timed if waits.any() else rows.timed
    if not len(told) and len(rows):
        return replace(told, unknown="no case was probed both for the answer and for what comes before it")
    ms = ahead.ms[told.cases]
    late = np.nan_to_num(ms) * _NS_PER_MS
    return replace(
        told,
        first=told.first + late,
        last=told.last + late,
        failed=told.failed | np.isnan(ms),
        timed=rows.timed if timed == rows.timed else "mixed",
    )
