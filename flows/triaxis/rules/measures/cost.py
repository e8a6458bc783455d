"""Rows to production cost: dollars a request, a session and a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from triaxis.domain.case import Where
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.measures import ObjectiveMeasure
from triaxis.domain.slo import DAYS_PER_MONTH, Traffic
from triaxis.domain.variant import ImportedVariant, Serving
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.calls.price import CostColumns, UsageColumns, call_costs
from triaxis.rules.measures.mix import Weighing
from triaxis.rules.measures.tally import NONE, CaseFrame, Codes, Floats, Mask, distinct, per_case
from triaxis.stats.means import mean_unbounded


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRows:
    """What one variant's answers would cost in production, one a row."""

    cases: Codes
    usd: Floats
    """NaN where it cannot be known."""
    parts: Mapping[str, Floats]
    why: str
    """Why some cost cannot be known; empty where all are."""
    sources: tuple[str, ...]
    """Where the cached share comes from, per model variant behind the rows: measured, declared, unknown."""
    cached_share: float | None
    at_ends: tuple[Floats, Floats] | None = None
    """The same dollars with nothing of a prompt read from cache, and with all of it; None where nobody asked."""

    @property
    def missing(self) -> Absent | None:
        """Why these rows carry no cost; one unknown is enough, since what is left would not be the variant's cost."""
        unknown = int(np.isnan(self.usd).sum())
        if not len(self.usd):
            return Absent("nothing was generated")
        return Absent(f"{unknown} of {len(self.usd)} answers have no cost: {self.why}") if unknown else None

    def within(self, frame: CaseFrame, where: Where) -> CostRows:
        """The rows of a slice."""
        chosen = frame.within(where)[self.cases]
        return replace(self, cases=self.cases[chosen], usd=self.usd[chosen], parts={}, at_ends=None)

    def with_cached_share(self, share: float) -> CostRows:
        """The rows with another share of each prompt read from cache, over which dollars are a straight line."""
        assert self.at_ends is not None, "whoever assumes a share asks for the dollars at both ends"
        nothing, everything = self.at_ends
        return replace(self, usd=nothing + share * (everything - nothing), parts={}, cached_share=share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """The share of prompt tokens that production would read from cache, and how that is known."""

    share: float | None
    source: str


def cached_share(serving: Serving, probed: float | None) -> Cached:
    """What the evaluation declares, else what the probe measured; without either, rows are priced as they came."""
    if serving.cache_hit_rate is not None:
        return Cached(share=serving.cache_hit_rate, source="declared")
    return Cached(share=None, source="unknown") if probed is None else Cached(share=probed, source="measured")


def production_cost(
    usage: UsageColumns, terminal: Mask, row: PriceRow | None, serving: Serving, cached: Cached
) -> tuple[CostColumns, str]:
    """What each call of one model would cost in production, and why some cannot be known.

    A terminal outcome without usage costs nothing: the provider refused it before it billed anything.
    """
    if row is None:
        return _unknown(len(terminal)), "its model has no price"
    known = usage if cached.share is None else usage.with_cached_share(cached.share)
    costs = call_costs(known, row, mode=serving.mode)
    if isinstance(costs, Absent):
        return _unknown(len(terminal)), costs.why
    free = terminal & np.isnan(costs.total)
    filled = {name: np.where(free, 0.0, part) for name, part in costs.parts.items()}
    silent = row.hourly and bool(np.isnan(usage.busy_core_s[~terminal]).any())
    return CostColumns(**filled), "the server reported no busy time" if silent else "the provider reported no usage"


def imported_cost(
    usage: UsageColumns,
    stated: Floats,
    terminal: Mask,
    row: PriceRow | None,
    variant: ImportedVariant,
    *,
    cached: Cached,
) -> tuple[CostColumns, str]:
    """What each imported answer would cost: what it is said to have cost, else its tokens at the variant's model.

    A terminal outcome that says neither costs nothing, as one of a call does.
    """
    priced, why = production_cost(usage, terminal, row, variant.serving, cached)
    free = terminal & np.isnan(stated) & ~usage.known
    said = ~np.isnan(stated) | free
    parts = {kind: np.where(said, 0.0, column) for kind, column in priced.parts.items()}
    stated_part = np.where(said, np.nan_to_num(stated), parts["stated"])
    return CostColumns(**{**parts, "stated": stated_part}), _why_no_cost(usage, row, variant, why)


def _why_no_cost(usage: UsageColumns, row: PriceRow | None, variant: ImportedVariant, why: str) -> str:
    if not usage.known.any():
        return "they carry neither cost_usd nor tokens"
    if variant.model is None:
        return "they carry no cost_usd, and the variant names no `model` at whose price their tokens would count"
    if row is None:
        return f"they carry no cost_usd, and {variant.model} has no price for their tokens"
    return f"they carry no cost_usd, and {why}"


def _unknown(rows: int) -> CostColumns:
    return CostColumns(**{field.name: np.full(rows, np.nan) for field in fields(CostColumns)})


def cost_per(
    rows: CostRows, frame: CaseFrame, traffic: Traffic, *, per: str, level: float, where: Where | None = None
) -> Measure:
    """Mean dollars a request, session or month.

    A session is the sum over its cases where every case names one and none was left out, since what is left of a
    session that a sample cut apart would be too cheap; else it is `traffic.requests_per_session` requests. A month is
    30 days of `traffic.sessions_per_day` sessions.
    """
    chosen = rows.within(frame, where) if where else rows
    weighing = chosen.missing or frame.weighing(chosen.cases, frame.within(where) if where else None)
    if isinstance(weighing, Absent):
        return weighing
    if per == "request":
        return mean_usd(chosen, frame, weighing, level=level)
    session = _per_session(chosen, frame, weighing, traffic, level)
    if per == "session":
        return session
    if traffic.sessions_per_day is None:
        return Absent("the SLO does not state traffic.sessions_per_day")
    return scaled(session, DAYS_PER_MONTH * traffic.sessions_per_day)


def objective_cost(
    rows: CostRows, frame: CaseFrame, traffic: Traffic, *, per: str, where: Where, level: float
) -> ObjectiveMeasure:
    """The estimate a cost objective is judged by."""
    chosen = rows.within(frame, where) if where else rows
    return ObjectiveMeasure(
        estimate=cost_per(rows, frame, traffic, per=per, level=level, where=where),
        units=distinct(frame.clusters[frame.counted(chosen.cases)]),
        unit=frame.unit,
    )


def mean_parts(rows: CostRows, frame: CaseFrame) -> dict[str, float]:
    """Mean dollars a request by kind, which add up to the cost of one; nothing where that is unknown.

    Beside dollars that were stated as a whole, a kind of which nothing is known is left out rather than shown as 0.
    """
    weighing = rows.missing or frame.weighing(rows.cases)
    if isinstance(weighing, Absent):
        return {}
    means = {kind: weighing.mean(usd) for kind, usd in sorted(rows.parts.items())}
    if means.get("stated"):
        return {kind: usd for kind, usd in means.items() if usd}
    return {kind: usd for kind, usd in means.items() if kind != "stated"}


def scaled(measure: Measure, factor: float) -> Measure:
    """An estimate in another unit."""
    if not isinstance(measure, Estimate):
        return measure
    return replace(measure, value=measure.value * factor, low=measure.low * factor, high=measure.high * factor)


def joined_source(sources: Sequence[str]) -> str:
    """One word for all arms: what they agree on, else each."""
    return "+".join(sorted(set(sources))) or "unknown"


def _per_session(rows: CostRows, frame: CaseFrame, weighing: Weighing, traffic: Traffic, level: float) -> Measure:
    sessions = frame.sessions.codes[rows.cases]
    if frame.whole and (sessions != NONE).all():
        there = np.flatnonzero(np.bincount(sessions))
        sums, weights = _session_sums(rows, frame)[there], None
        if weighing.weights is not None:
            # Where all turns of a session are of one stratum, its sessions have the share of their requests, over how
            # many requests they take: which is what one turn counts.
            weights = per_case(sessions, weighing.weights, len(frame.sessions.values))[there]
        return _free(rows, len(sums), level) or mean_unbounded(sums, level=level, weights=weights)
    if traffic.requests_per_session is None:
        lacking = distinct(rows.cases[sessions == NONE])
        why = f"{lacking} cases name no session" if lacking else "sessions lack the cases that were left out"
        return Absent(f"{why}, and the SLO does not state traffic.requests_per_session")
    return scaled(mean_usd(rows, frame, weighing, level=level), traffic.requests_per_session)


def mean_usd(rows: CostRows, frame: CaseFrame, weighing: Weighing, *, level: float) -> Measure:
    """Mean dollars a request of rows that all have a cost; sessions and repeats cluster."""
    clusters = frame.clusters[rows.cases]
    return _free(rows, distinct(clusters), level) or mean_unbounded(
        rows.usd, clusters=clusters, level=level, weights=weighing.weights, strata=weighing.strata
    )


def _free(rows: CostRows, units: int, level: float) -> Estimate | None:
    """Where every answer is priced at 0 the cost is known and not sampled, so that no interval stands around it."""
    if rows.usd.any():
        return None
    return Estimate(value=0.0, low=0.0, high=0.0, level=level, n=units, method="exact: the price is 0")


def _session_sums(rows: CostRows, frame: CaseFrame) -> Floats:
    """Dollars of each session, 0 for one without a row: the sum over its cases of their mean over repeats."""
    each = per_case(rows.cases, rows.usd, len(frame.ids))
    present = ~np.isnan(each)
    codes = frame.sessions.codes[present]
    return np.bincount(codes, weights=each[present], minlength=len(frame.sessions.values)).astype(np.float64)
