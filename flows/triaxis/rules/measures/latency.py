"""Probe rows to latency: quantiles from the scheduled send, and whether the probe can be trusted at all.

Times that were imported stand in the same rows. Nothing is known of how they were taken: no schedule, no sender and no
blocks, so that each counts as a request that depends on no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.case import Where
from triaxis.domain.measures import LatencyMeasures, ObjectiveMeasure, ProbeFacts
from triaxis.domain.rows import IMPORTED
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.measures.tally import CaseFrame, Codes, Floats, Mask, distinct
from triaxis.rules.names import LATENCIES, STATISTICS
from triaxis.stats.quantiles import quantile
from triaxis.stats.ranks import autocorrelated, requests_needed
from triaxis.stats.weighted_quantiles import weighted_quantile

MOST_LAG_MS = 5.0
MOST_LAG_SHARE = 0.05
"""Of the median time to the first token: a sender later than this, and than `MOST_LAG_MS`, measured itself."""
_NS_PER_MS = 1e6
Timed: TypeAlias = Literal["probed", "imported", "mixed"]
"""By whom: by our own probe, by whoever made the imported answers, or one arm of a view so and another so."""
_NOUNS: Mapping[Timed, str] = {"probed": "probed request", "imported": "timed answer", "mixed": "timed answer"}
_FIELDS = {"ttft": "ttft_ms", "full": "latency_ms"}
"""Of an imported answer, by measure."""
_PERCENTS = np.linspace(0, 100, 101)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRows:
    """Measured requests of one variant in the order of their schedule, one a row; times in ns since the block began."""

    cases: Codes
    blocks: Codes
    index: Codes
    scheduled: Floats
    sent: Floats
    first: Floats
    """NaN where no content came."""
    last: Floats
    failed: Mask
    cached_share: float | None = None
    clients: tuple[str, ...] = ()
    warmup: int = 0
    timeout_ms: float | None = None
    """When a request was given up: all that is known of one that failed is that it is no faster."""
    timed: Timed = "probed"
    unknown: str | None = None
    """Why nothing can be said, where that is not for want of requests."""

    def __len__(self) -> int:
        return len(self.cases)

    def taken(self, rows: NDArray[np.intp]) -> ProbeRows:
        """Some of the rows, in that order."""
        columns = ("cases", "blocks", "index", "scheduled", "sent", "first", "last", "failed")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def milliseconds(self, measure: str) -> Floats:
        """From the scheduled send to the first content (`ttft`) or the last (`full`); NaN for failures."""
        ends = self.first if measure == "ttft" else self.last
        return np.where(self.failed, np.nan, (ends - self.scheduled) / _NS_PER_MS)

    def telling(self, measure: str) -> Mask:
        """The rows that say something of a measure.

        A probed answer in which no content came has failed. An imported one without a time was not timed.
        """
        everything = np.ones(len(self), dtype=np.bool_)
        return everything if self.timed == "probed" else self.failed | ~np.isnan(self.milliseconds(measure))

    @property
    def lag_ms(self) -> Floats:
        """How late each request left."""
        return (self.sent - self.scheduled) / _NS_PER_MS

    def within(self, frame: CaseFrame, where: Where) -> Mask:
        """The rows of a slice."""
        return frame.within(where)[self.cases]


def latency_measures(rows: ProbeRows, frame: CaseFrame, *, level: float) -> LatencyMeasures:
    """Every quantile with failures ranked slowest, the same over successes, and the facts behind them."""
    return LatencyMeasures(
        quantiles=_quantiles(rows, frame, level=level, successes_only=False),
        successes=_quantiles(rows, frame, level=level, successes_only=True),
        facts=_facts(rows) if len(rows) and rows.timed != "mixed" else None,
    )


def objective_latency(
    rows: ProbeRows, frame: CaseFrame, *, measure: str, statistic: str, where: Where, level: float
) -> ObjectiveMeasure:
    """The quantile an objective is judged by; requests are its units, and under ten of them decide nothing.

    One that only an upper bound is wanting for carries what is known of it beside the reason.
    """
    chosen = rows.within(frame, where) & rows.telling(measure)
    found = latency_quantile(rows, frame, measure=measure, statistic=statistic, level=level, where=where)
    known: Measure = found
    if isinstance(found, Absent) and rows.timeout_ms is None:
        endless = replace(rows, timeout_ms=inf)
        known = latency_quantile(endless, frame, measure=measure, statistic=statistic, level=level, where=where)
    partly = known if isinstance(known, Estimate) and known is not found else None
    return ObjectiveMeasure(
        estimate=found,
        units=len(frame.counted(rows.cases[chosen])),
        unit="requests",
        point=None if partly is None else partly.value,
        floor=None if partly is None else partly.low,
    )


def latency_quantile(
    rows: ProbeRows,
    frame: CaseFrame,
    *,
    measure: str,
    statistic: str,
    level: float,
    where: Where | None = None,
    successes_only: bool = False,
) -> Measure:
    """One quantile of a slice, in milliseconds; bounds come from blocks where requests depend on each other."""
    refused = refusal(rows) or untold(rows, measure)
    if refused is not None:
        return refused
    meant, times = frame.within(where or {}), rows.milliseconds(measure)
    chosen = meant[rows.cases] & rows.telling(measure)
    if not chosen.any():
        return Absent(f"no {_NOUNS[rows.timed]} is in this slice")
    told = np.flatnonzero(chosen & ~np.isnan(times) if successes_only else chosen)
    if not len(told):
        return Absent(f"no {_NOUNS[rows.timed]} succeeded")
    weighing = frame.weighing(rows.cases[told], meant)
    if isinstance(weighing, Absent):
        return weighing
    blocks = rows.blocks[told] if depend(rows, measure) else None
    ranked = np.where(np.isnan(times[told]), np.inf, times[told])
    q, limit, weights, strata = STATISTICS[statistic], rows.timeout_ms, weighing.weights, weighing.strata
    if weights is None or strata is None:
        found = quantile(ranked, q=q, level=level, blocks=blocks, limit=limit)
    else:
        found = weighted_quantile(ranked, weights=weights, strata=strata, q=q, level=level, blocks=blocks, limit=limit)
    return _unbounded(found, ranked, statistic, level) if limit is None else found


def _unbounded(found: Measure, ranked: Floats, statistic: str, level: float) -> Measure:
    """Says of imported failures that they, and no want of answers, leave a quantile without an upper bound."""
    failures = int(np.isinf(ranked).sum())
    if not isinstance(found, Absent) or not failures or len(ranked) < requests_needed(STATISTICS[statistic], level):
        return found
    few = f"{failures} of {len(ranked)} answers failed, and {statistic} may be one of those"
    return Absent(f"{few}; when a call was given up is not known")


def refusal(rows: ProbeRows) -> Absent | None:
    """Why a probe says nothing of the server: there is none, or its sender was late by more than it may be."""
    if rows.unknown is not None:
        return Absent(rows.unknown)
    if rows.timed == "mixed":
        return Absent("some of its arms were probed, and the latency of others is imported")
    if rows.timed == "imported":
        return None if len(rows) else Absent("no imported answer carries latency_ms or ttft_ms")
    if not len(rows):
        return Absent("no probe was made")
    lag = float(np.percentile(rows.lag_ms, 99))
    ttft = rows.milliseconds("ttft")
    median = float(np.nanmedian(ttft)) if np.isfinite(ttft).any() else 0.0
    most = max(MOST_LAG_MS, MOST_LAG_SHARE * median)
    if lag <= most:
        return None
    return Absent(
        f"the probe's sender was {lag:.1f} ms late at p99, more than the {most:.1f} ms that still measure the server; "
        "lower probe.rate_per_s or free the machine, and raise probe.take"
    )


def untold(rows: ProbeRows, measure: str) -> Absent | None:
    """Why imported times say nothing of a measure: none of them carries it."""
    if rows.timed != "imported" or np.isfinite(rows.milliseconds(measure)).any():
        return None
    return Absent(f"no imported answer carries {_FIELDS[measure]}")


def depend(rows: ProbeRows, measure: str) -> bool:
    """Whether requests that follow each other are alike, so that a block, not a request, is the unit."""
    if rows.timed == "imported":
        return False
    times = rows.milliseconds(measure)
    answered = ~np.isnan(times)
    return bool(answered.any()) and autocorrelated(times[answered], rows.blocks[answered])


def _quantiles(
    rows: ProbeRows, frame: CaseFrame, *, level: float, successes_only: bool
) -> Mapping[str, Mapping[str, Measure]]:
    return {
        measure: {
            statistic: latency_quantile(
                rows, frame, measure=measure, statistic=statistic, level=level, successes_only=successes_only
            )
            for statistic in STATISTICS
        }
        for measure in LATENCIES
    }


def _facts(rows: ProbeRows) -> ProbeFacts:
    probed = rows.timed == "probed"
    return ProbeFacts(
        client="+".join(rows.clients) if probed else IMPORTED,
        blocks=distinct(rows.blocks) if probed else 0,
        requests=len(rows),
        warmup=rows.warmup,
        errors=int(rows.failed.sum()),
        lag_p99_ms=float(np.percentile(rows.lag_ms, 99)) if probed else None,
        autocorrelated=depend(rows, "full"),
        cached_share=rows.cached_share,
        histogram_ms={measure: _histogram(rows.milliseconds(measure)) for measure in LATENCIES},
    )


def _histogram(times: Floats) -> tuple[float, ...]:
    """The successes' milliseconds at 0, 1, ..., 100%; nothing where none succeeded."""
    answered = times[~np.isnan(times)]
    return tuple(np.percentile(answered, _PERCENTS).tolist()) if len(answered) else ()
