"""What else could have been done with a router's arms, and how much better the router is than that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf

import numpy as np

from triaxis.domain.routing import Alternative
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.measures.composites import ScoresByName, composite, composite_by_case, in_common, mean_by_case
from triaxis.rules.measures.cost import CostRows, cost_per
from triaxis.rules.measures.latency import ProbeRows, depend, latency_quantile, refusal, untold
from triaxis.rules.measures.pairing import estimate_of, paired_by_case
from triaxis.rules.measures.tally import CaseFrame, Codes, Floats, per_case
from triaxis.rules.measures.variant import Plan, SeededBy, VariantRows
from triaxis.rules.names import STATISTICS
from triaxis.stats.weighted_quantiles import weighted_quantile

SHOWN = ("p50", "p95")
_DIGITS = 9
"""Digits of a difference, in widths of its interval, that are not the rounding of its terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to answer all cases."""

    name: str
    """`router`, `always ARM`, `random` or `oracle`."""
    parts: tuple[tuple[float, VariantRows], ...]
    """Share, and whose rows: one of share 1, or of a draw every arm that it draws from."""

    @property
    def rows(self) -> tuple[VariantRows, ...]:
        """Of its parts."""
        return tuple(rows for _, rows in self.parts)


def alternatives(ways: Sequence[Way], plan: Plan, seeded: SeededBy) -> Iterator[Alternative]:
    """Every way with its intervals, and the first one, the router's, less each of the others.

    A difference is paired over the cases that both have, so that hard cases are hard for both. The shares of a draw are
    taken as they are: they belong to the router, and were not sampled apart from it.
    """
    weights = {d.name: d.weight for d in plan.rubric.active}
    for way in ways:
        yield Alternative(
            name=way.name,
            n=len(reduce(np.intersect1d, (np.unique(rows.cases) for rows in way.rows))),
            precision=_precision(way, plan, weights),
            usd=_usd(way, plan),
            latency={statistic: _latency(way, plan, statistic) for statistic in SHOWN},
            router_less={} if way is ways[0] else _less(ways[0], way, plan, weights, seeded),
        )


def _precision(way: Way, plan: Plan, weights: Mapping[str, float]) -> Measure:
    """The composite: of a draw, its expectation over the cases that every arm was scored on."""
    sides = [rows.scores for rows in way.rows]
    if len(sides) == 1:
        return composite(sides[0], plan.frame, weights, level=plan.level)
    values = _blend(way, in_common(sides, plan.frame), plan.frame, weights)
    return values if isinstance(values, Absent) else mean_by_case(values, plan.frame, level=plan.level)


def _blend(way: Way, scores: Sequence[ScoresByName], frame: CaseFrame, weights: Mapping[str, float]) -> Floats | Absent:
    """What each case adds to the composite of a way whose parts have these scores."""
    found = [composite_by_case(side, frame, weights) for side in scores]
    absent = next((values for values in found if isinstance(values, Absent)), None)
    if absent is not None:
        return absent
    values = [values for values in found if not isinstance(values, Absent)]
    return np.sum([share * mine for (share, _), mine in zip(way.parts, values, strict=True)], axis=0)


def _usd(way: Way, plan: Plan) -> Measure:
    costs = _costs(way, len(plan.frame.ids))
    if isinstance(costs, Absent):
        return costs
    return cost_per(costs, plan.frame, plan.slo.traffic, per="request", level=plan.level)


def _costs(way: Way, cases: int) -> CostRows | Absent:
    """A way's own dollars; of a draw what it expects to pay for each case that every arm was asked."""
    if len(way.parts) == 1:
        return way.rows[0].costs
    missing = next((why for rows in way.rows if (why := rows.costs.missing) is not None), None)
    if missing is not None:
        return missing
    usd = np.sum([share * per_case(rows.costs.cases, rows.costs.usd, cases) for share, rows in way.parts], axis=0)
    priced = np.flatnonzero(~np.isnan(usd))
    return CostRows(cases=priced, usd=usd[priced], parts={}, why="", sources=(), cached_share=None)


def _latency(way: Way, plan: Plan, statistic: str) -> Measure:
    if len(way.parts) != 1:
        return _drawn_latency(way, plan, statistic)
    probe = way.rows[0].probe
    return latency_quantile(probe, plan.frame, measure="full", statistic=statistic, level=plan.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """One arm's requests, as a draw meets them."""

    times: Floats
    """Failures are infinite."""
    weights: Floats
    strata: Codes
    blocks: Codes
    depend: bool


def _drawn_latency(way: Way, plan: Plan, statistic: str) -> Measure:
    """The quantile of the arms' times taken together, each arm weighing its share."""
    found = list[_Times]()
    for share, rows in way.parts:
        times = _times(rows.probe, plan.frame, share)
        if isinstance(times, Absent):
            return times
        found.append(times)
    limits = [rows.probe.timeout_ms for rows in way.rows]
    return weighted_quantile(
        np.concatenate([arm.times for arm in found]),
        weights=np.concatenate([arm.weights for arm in found]),
        strata=_apart([arm.strata for arm in found]),
        q=STATISTICS[statistic],
        level=plan.level,
        blocks=_apart([arm.blocks for arm in found]) if any(arm.depend for arm in found) else None,
        limit=min((limit for limit in limits if limit is not None), default=None),
    )


def _times(probe: ProbeRows, frame: CaseFrame, share: float) -> _Times | Absent:
    told = np.flatnonzero(probe.telling("full"))
    nothing = refusal(probe) or untold(probe, "full")
    weighing = nothing or frame.weighing(probe.cases[told], np.ones(len(frame.ids), dtype=np.bool_))
    if isinstance(weighing, Absent):
        return weighing
    times = probe.milliseconds("full")[told]
    return _Times(
        times=np.where(np.isnan(times), inf, times),
        weights=share / len(told) * (np.ones(len(told)) if weighing.weights is None else weighing.weights),
        strata=np.zeros(len(told), dtype=np.int64) if weighing.strata is None else weighing.strata,
        blocks=probe.blocks[told],
        depend=depend(probe, "full"),
    )


def _apart(labels: Sequence[Codes]) -> Codes:
    """The labels of several arms, of which no two arms share one."""
    width = 1 + max(int(mine.max(initial=0)) for mine in labels)
    return np.concatenate([mine + place * width for place, mine in enumerate(labels)])


def _less(
    router: Way, other: Way, plan: Plan, weights: Mapping[str, float], seeded: SeededBy
) -> dict[str, Estimate | Absent]:
    """The router's precision and dollars a request less the other way's."""
    sides = in_common([rows.scores for rows in (*router.rows, *other.rows)], plan.frame)
    ours = _blend(router, sides[: len(router.parts)], plan.frame, weights)
    theirs = _blend(other, sides[len(router.parts) :], plan.frame, weights)
    cases = len(plan.frame.ids)
    paid, others = (_usd_by_case(way, cases) for way in (router, other))
    return {
        "precision": _paired(ours, theirs, plan, seeded, f"routing.precision[router-{other.name}]"),
        "usd": _paired(paid, others, plan, seeded, f"routing.usd[router-{other.name}]"),
    }


def _usd_by_case(way: Way, cases: int) -> Floats | Absent:
    costs = _costs(way, cases)
    if isinstance(costs, Absent):
        return costs
    return costs.missing or per_case(costs.cases, costs.usd, cases)


def _paired(
    ours: Floats | Absent, theirs: Floats | Absent, plan: Plan, seeded: SeededBy, name: str
) -> Estimate | Absent:
    if isinstance(ours, Absent):
        return ours
    if isinstance(theirs, Absent):
        return theirs
    found = estimate_of(paired_by_case(ours, theirs, plan.frame, level=plan.level, rng=seeded(name)))
    if isinstance(found, Absent):
        return found
    # A draw of the router's own shares may cost what the router does, but for the rounding of sums.
    width = found.high - found.low
    return replace(found, value=round(found.value / width, _DIGITS) * width)
