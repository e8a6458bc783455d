"""One variant's rows to everything that is measured of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.measures import CostMeasures, Counts, ObjectiveMeasure, VariantMeasures
from triaxis.domain.router import Router
from triaxis.domain.rubric import Judged, Rubric
from triaxis.domain.slo import CostObjective, ErrorsObjective, LatencyObjective, Objective, PrecisionObjective, Slo
from triaxis.domain.variant import RoutedVariant, Variant
from triaxis.quantities import Absent, Money
from triaxis.rules.measures.cost import CostRows, cost_per, joined_source, mean_parts, objective_cost
from triaxis.rules.measures.failures import Calls, error_rate, objective_errors
from triaxis.rules.measures.latency import ProbeRows, latency_measures, objective_latency
from triaxis.rules.measures.pairing import paired_by_case, paired_latency
from triaxis.rules.measures.precision import Scores, dimension_measures, objective_scores
from triaxis.rules.measures.tally import CaseFrame, Codes, Mask, distinct, per_case
from triaxis.rules.measures.traffic import at_scale, objective_month
from triaxis.rules.names import (
    COST_PER_REQUEST,
    ERRORS_RATE,
    LATENCIES,
    STATISTICS,
    latency_name,
    objective_name,
    precision_name,
)

SeededBy = Callable[[str], np.random.Generator]
"""The generator of one measure of one variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRows:
    """Everything stored that counts as one variant's."""

    cases: Codes
    """Of its generations."""
    terminal: Mask
    scores: Mapping[str, Scores]
    """By active dimension."""
    costs: CostRows
    probe: ProbeRows

    @property
    def calls(self) -> Calls:
        """The calls whose failures are its error rate."""
        if len(self.probe) and self.probe.timed == "probed":
            return Calls(cases=self.probe.cases, failed=self.probe.failed, probed=True)
        return Calls(cases=self.cases, failed=self.terminal, probed=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the evaluation itself cost."""

    judge: Money
    known: Money
    possible: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """By what the rows of every variant are measured."""

    frame: CaseFrame
    rubric: Rubric
    slo: Slo

    @property
    def level(self) -> float:
        """Two-sided level of the intervals that belong to no objective, so that their ends are the SLO's bounds."""
        return round(2 * self.slo.confidence - 1, 12)

    def unvalidated(self, dimension: str) -> bool:
        """Whether the dimension is the word of a judge without a calibration, and the rubric does not license that."""
        evaluator = next(d.evaluator for d in self.rubric.dimensions if d.name == dimension)
        return isinstance(evaluator, Judged) and evaluator.license != "none"


def measure_variant(
    variant: Variant, rows: VariantRows, plan: Plan, spent: Spent, against: Mapping[str, DifferenceOrAbsent]
) -> VariantMeasures:
    """Counts, latency, cost, precision and the objectives' own estimates."""
    calls = rows.calls
    return VariantMeasures(
        name=variant.name,
        levers=tuple(sorted(variant.levers)),
        route_arms=_route_arms(variant),
        n=Counts(
            cases=distinct(rows.cases),
            generated=int((~rows.terminal).sum()),
            failed=int(rows.terminal.sum()),
            probed=len(rows.probe) if rows.probe.timed == "probed" else 0,
        ),
        error_rate=error_rate(calls, plan.frame, level=plan.level),
        latency=latency_measures(rows.probe, plan.frame, level=plan.level),
        cost=_cost(rows.costs, plan, spent),
        precision={
            name: dimension_measures(scores, plan.frame, level=plan.level, unvalidated=plan.unvalidated(name))
            for name, scores in sorted(rows.scores.items())
        },
        objectives=tuple(_objective(o, rows, calls, plan) for o in plan.slo.objectives),
        against_baseline=against,
    )


def _route_arms(variant: Variant) -> dict[str, str]:
    """Route to arm, of a router; a cascade has no routes, and `routing` names its arms."""
    if isinstance(variant, RoutedVariant) and isinstance(variant.router, Router):
        return dict(sorted(variant.router.arms.items()))
    return {}


def _cost(rows: CostRows, plan: Plan, spent: Spent) -> CostMeasures:
    per = {
        unit: cost_per(rows, plan.frame, plan.slo.traffic, per=unit, level=plan.level)
        for unit in ("request", "session", "month")
    }
    scale = at_scale(rows, plan.frame, plan.slo, level=plan.level)
    return CostMeasures(
        per_request=per["request"],
        per_session=per["session"],
        per_month=per["month"] if scale is None else scale.per_month,
        parts=mean_parts(rows, plan.frame),
        cached_share=rows.cached_share,
        cached_share_source=joined_source(rows.sources),
        judge_usd=spent.judge,
        spent_usd=spent.known,
        possible_usd=spent.possible,
        at_scale=scale,
    )


def _objective(objective: Objective, rows: VariantRows, calls: Calls, plan: Plan) -> ObjectiveMeasure:
    """The estimate at the objective's own level and slice."""
    where, level, frame = objective.terms.where, objective.terms.level, plan.frame
    match objective:
        case LatencyObjective(measure=measure, statistic=statistic):
            probe = rows.probe
            return objective_latency(probe, frame, measure=measure, statistic=statistic, where=where, level=level)
        case CostObjective(per="month") if plan.slo.profiles:
            return objective_month(rows.costs, frame, plan.slo, where=where, level=level)
        case CostObjective(per=per):
            return objective_cost(rows.costs, frame, plan.slo.traffic, per=per, where=where, level=level)
        case PrecisionObjective(dimension=name):
            if name not in rows.scores:
                return ObjectiveMeasure(estimate=Absent(_silent(plan, name)))
            unvalidated = plan.unvalidated(name)
            return objective_scores(rows.scores[name], frame, where=where, level=level, unvalidated=unvalidated)
        case ErrorsObjective():
            return objective_errors(calls, frame, where=where, level=level)
        case _:
            assert_never(objective)


def _silent(plan: Plan, dimension: str) -> str:
    why = next((d.off for d in plan.rubric.dimensions if d.name == dimension), None)
    return f"dimension {dimension} scores nothing: {why or 'the rubric has none of that name'}"


def differences(ours: VariantRows, theirs: VariantRows, plan: Plan, seeded: SeededBy) -> dict[str, DifferenceOrAbsent]:
    """Variant minus baseline: latency quantiles, cost a request, errors, each dimension and each sliced objective."""
    found: dict[str, DifferenceOrAbsent] = {
        COST_PER_REQUEST: _cost_difference(ours.costs, theirs.costs, plan, seeded(COST_PER_REQUEST)),
        ERRORS_RATE: _errors_difference(ours.calls, theirs.calls, plan, seeded(ERRORS_RATE)),
    }
    for measure in LATENCIES:
        for statistic in STATISTICS:
            name = latency_name(measure, statistic)
            found[name] = paired_latency(
                ours.probe,
                theirs.probe,
                plan.frame,
                measure=measure,
                statistic=statistic,
                level=plan.level,
                rng=seeded(name),
            )
    return found | _precision_differences(ours, theirs, plan, seeded)


def _precision_differences(
    ours: VariantRows, theirs: VariantRows, plan: Plan, seeded: SeededBy
) -> dict[str, DifferenceOrAbsent]:
    frame = plan.frame
    wanted: dict[str, tuple[str, Mask | None]] = {precision_name(name): (name, None) for name in ours.scores}
    for objective in plan.slo.objectives:
        if isinstance(objective, PrecisionObjective) and objective.dimension in ours.scores and objective.terms.where:
            wanted[objective_name(objective)] = (objective.dimension, frame.within(objective.terms.where))
    means = {name: (ours.scores[name].per_case(frame), theirs.scores[name].per_case(frame)) for name in ours.scores}
    return {
        measure: paired_by_case(*means[name], frame, level=plan.level, rng=seeded(measure), among=among)
        for measure, (name, among) in wanted.items()
    }


def _cost_difference(ours: CostRows, theirs: CostRows, plan: Plan, rng: np.random.Generator) -> DifferenceOrAbsent:
    missing = ours.missing or theirs.missing
    if missing is not None:
        return missing
    cases = len(plan.frame.ids)
    mine, others = per_case(ours.cases, ours.usd, cases), per_case(theirs.cases, theirs.usd, cases)
    return paired_by_case(mine, others, plan.frame, level=plan.level, rng=rng)


def _errors_difference(ours: Calls, theirs: Calls, plan: Plan, rng: np.random.Generator) -> DifferenceOrAbsent:
    if ours.probed != theirs.probed:
        return Absent("one rate is a probe's and the other generation's")
    mine, others = ours.per_case(plan.frame), theirs.per_case(plan.frame)
    return paired_by_case(mine, others, plan.frame, level=plan.level, rng=rng)
