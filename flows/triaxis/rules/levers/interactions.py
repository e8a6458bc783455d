"""What levers do together beyond what they do apart, on every axis, with intervals and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.levers import Interaction
from triaxis.domain.scorecard import Comparison, JudgedInteraction
from triaxis.domain.slo import PrecisionObjective, Regression, Slo
from triaxis.quantities import Absent
from triaxis.rules.gating.compare import compare
from triaxis.rules.levers.contrasts import Contrast
from triaxis.rules.measures.latency import refusal
from triaxis.rules.measures.pairing import (
    difference_of,
    failures_last,
    paired_by_case,
    point_of,
    schedule_weights,
)
from triaxis.rules.measures.tally import Floats, Mask, per_case
from triaxis.rules.measures.variant import Plan, SeededBy, VariantRows
from triaxis.rules.names import (
    COST_PER_REQUEST,
    ERRORS_RATE,
    LATENCIES,
    STATISTICS,
    latency_name,
    objective_name,
    precision_name,
)
from triaxis.stats.block_contrasts import quantile_contrast
from triaxis.stats.holm import holm

_Values = Callable[[VariantRows], Floats | Absent]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of a contrast's variants, each as often as it counts."""

    plus: tuple[VariantRows, ...]
    minus: tuple[VariantRows, ...]
    base: VariantRows

    @property
    def all(self) -> tuple[VariantRows, ...]:
        return (*self.plus, *self.minus)


def interactions(
    contrast: Contrast, rows: Mapping[str, VariantRows], plan: Plan, seeded: SeededBy
) -> tuple[Interaction, ...]:
    """One contrast in every measure, over the cases that all of its variants have."""
    taken = _Rows(
        plus=tuple(rows[name] for name in contrast.plus),
        minus=tuple(rows[name] for name in contrast.minus),
        base=rows[contrast.of],
    )
    found = dict(_by_case(taken, plan, seeded))
    for kind in LATENCIES:
        for statistic in STATISTICS:
            name = latency_name(kind, statistic)
            found[name] = _latency(taken, kind, STATISTICS[statistic], plan, seeded(name))
    return tuple(
        Interaction(
            of=contrast.of, levers=contrast.levers, measure=name, difference=found[name], aliases=contrast.aliases
        )
        for name in sorted(found)
    )


def judge_interactions(measured: Sequence[Interaction], slo: Slo) -> tuple[JudgedInteraction, ...]:
    """Labels as against a baseline; better and worse are claims, so that Holm's correction holds over all of them.

    Two levers that each help and together hurt are `worse`: less than their effects would add up to. The label is that
    of the interaction, which gates nothing.
    """
    told = {f"{place}": p for place, i in enumerate(measured) if (p := _p(i.difference)) is not None}
    adjusted, alpha = holm(told), 2 * (1 - slo.confidence)
    return tuple(
        JudgedInteraction(interaction=i, verdict=_label(i, slo.regression, sure=adjusted.get(f"{place}", 1.0) <= alpha))
        for place, i in enumerate(measured)
    )


def _p(difference: DifferenceOrAbsent) -> float | None:
    return None if isinstance(difference, Absent) else difference.p


def _label(interaction: Interaction, regression: Regression, *, sure: bool) -> Comparison:
    name = interaction.measure
    label = compare({name: interaction.difference}, regression)[name].verdict
    return label if sure or label not in ("better", "worse") else "inconclusive"


def _by_case(rows: _Rows, plan: Plan, seeded: SeededBy) -> Iterator[tuple[str, DifferenceOrAbsent]]:
    cases = len(plan.frame.ids)
    yield COST_PER_REQUEST, _paired(rows, _cost_of(cases), plan, seeded(COST_PER_REQUEST))
    if len({r.calls.probed for r in rows.all}) > 1:
        yield ERRORS_RATE, Absent("one rate is a probe's and the other generation's")
    else:
        yield ERRORS_RATE, _paired(rows, lambda r: r.calls.per_case(plan.frame), plan, seeded(ERRORS_RATE))
    for name, (dimension, among) in sorted(_scored(rows.base, plan).items()):
        yield name, _paired(rows, _score_of(dimension, plan), plan, seeded(name), among)


def _cost_of(cases: int) -> _Values:
    return lambda rows: rows.costs.missing or per_case(rows.costs.cases, rows.costs.usd, cases)


def _score_of(dimension: str, plan: Plan) -> _Values:
    return lambda rows: rows.scores[dimension].per_case(plan.frame)


def _scored(rows: VariantRows, plan: Plan) -> dict[str, tuple[str, Mask | None]]:
    """Each dimension, and each slice of one that an objective is about."""
    wanted: dict[str, tuple[str, Mask | None]] = {precision_name(name): (name, None) for name in rows.scores}
    for objective in plan.slo.objectives:
        if isinstance(objective, PrecisionObjective) and objective.dimension in rows.scores and objective.terms.where:
            wanted[objective_name(objective)] = (objective.dimension, plan.frame.within(objective.terms.where))
    return wanted


def _paired(
    rows: _Rows, values: _Values, plan: Plan, rng: np.random.Generator, among: Mask | None = None
) -> DifferenceOrAbsent:
    """The contrast of one value a case; relative margins refer to the value without any of the levers."""
    plus, minus = [values(r) for r in rows.plus], [values(r) for r in rows.minus]
    known = [v for v in (*plus, *minus) if not isinstance(v, Absent)]
    if lacking := next((v for v in (*plus, *minus) if isinstance(v, Absent)), None):
        return lacking
    ours, theirs = np.sum(known[: len(plus)], axis=0), np.sum(known[len(plus) :], axis=0)
    found = paired_by_case(ours, theirs, plan.frame, level=plan.level, rng=rng, among=among)
    return _against(found, values(rows.base), ~np.isnan(ours + theirs) if among is None else among)


def _against(found: DifferenceOrAbsent, base: Floats | Absent, among: Mask) -> DifferenceOrAbsent:
    if isinstance(found, Absent) or isinstance(base, Absent):
        return found
    return replace(found, baseline=float(np.nanmean(base[among])))


def _latency(rows: _Rows, kind: str, q: float, plan: Plan, rng: np.random.Generator) -> DifferenceOrAbsent:
    probes = [r.probe for r in rows.all]
    if refused := next(filter(None, map(refusal, probes)), None):
        return refused
    if any(p.timed != "probed" for p in probes):
        return Absent("interactions of latency are told by probes, and some times here are imported")
    weights = schedule_weights(plan.frame, probes)
    if isinstance(weights, Absent):
        return weights
    times = [failures_last(p.milliseconds(kind)) for p in probes]
    cut, blocks = len(rows.plus), probes[0].blocks
    found = quantile_contrast(times[:cut], times[cut:], blocks=blocks, q=q, level=plan.level, rng=rng, weights=weights)
    base = rows.base.probe
    return difference_of(found, point_of(failures_last(base.milliseconds(kind)), weights, q))
