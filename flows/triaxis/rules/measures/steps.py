"""Steps of answers to rates, sums, and the step that is worst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np

from triaxis.domain.case import Step
from triaxis.domain.measures import estimated
from triaxis.domain.step_measures import StepMeasure, StepsMeasures
from triaxis.quantities import Absent, Estimate, Measure
from triaxis.rules.measures.tally import CaseFrame, Codes, Floats
from triaxis.stats.means import mean, mean_unbounded


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTable:
    """The steps of one variant's answers, one answer a row; NaN where a step was not reached or does not say."""

    source: Literal["responses", "cases"]
    cases: Codes
    success: Mapping[str, Floats]
    """By step, in the order in which answers take them."""
    latency_ms: Mapping[str, Floats]
    cost_usd: Mapping[str, Floats]
    reached: Mapping[str, Floats]
    """1 where the answer has the step."""


def step_table(source: Literal["responses", "cases"], rows: Iterable[tuple[int, Sequence[Step]]]) -> StepTable | None:
    """The table of answers with steps; None where no answer has any.

    Args:
        source: Whose steps they are.
        rows: The case's place, and the steps. One that is taken several times succeeds where it does each time.
    """
    taken = [(case, _joined(steps)) for case, steps in rows if steps]
    if not taken:
        return None
    names = _in_order([list(steps) for _, steps in taken])
    columns = {
        field: {name: _column(taken, name, field) for name in names} for field in ("success", "latency_ms", "cost_usd")
    }
    return StepTable(
        source=source,
        cases=np.array([case for case, _ in taken], dtype=np.int64),
        reached={name: np.array([float(name in steps) for _, steps in taken]) for name in names},
        **columns,
    )


def _joined(steps: Sequence[Step]) -> dict[str, Step]:
    """Each step once: its times and dollars summed, success only where every turn of it succeeded."""
    found: dict[str, Step] = {}
    for step in steps:
        before = found.get(step.name)
        found[step.name] = step if before is None else _both(before, step)
    return found


def _both(first: Step, second: Step) -> Step:
    told = None not in (first.success, second.success)
    return Step(
        name=first.name,
        success=bool(first.success and second.success) if told else None,
        latency_ms=_plus(first.latency_ms, second.latency_ms),
        cost_usd=_plus(first.cost_usd, second.cost_usd),
    )


def _plus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _in_order(taken: Sequence[Sequence[str]]) -> list[str]:
    """Steps by their mean place among those of an answer, then by name."""
    places: dict[str, list[int]] = {}
    for names in taken:
        for place, name in enumerate(names):
            places.setdefault(name, []).append(place)
    return sorted(places, key=lambda name: (sum(places[name]) / len(places[name]), name))


def _column(taken: Sequence[tuple[int, Mapping[str, Step]]], name: str, field: str) -> Floats:
    values = [getattr(steps[name], field) if name in steps else None for _, steps in taken]
    return np.array([np.nan if value is None else float(value) for value in values])


def steps_measures(table: StepTable, frame: CaseFrame, *, level: float) -> StepsMeasures:
    """Everything a scorecard says of the steps."""
    steps = tuple(_step(table, name, frame, level) for name in table.reached)
    rates = [(rate, step.name) for step in steps if (rate := estimated(step.success)) is not None]
    untold = [step.name for step in steps if estimated(step.success) is None]
    return StepsMeasures(
        source=table.source,
        answers=len(table.cases),
        steps=steps,
        latency_ms=_sum(table, table.latency_ms, frame, level, "latency_ms"),
        cost_usd=_sum(table, table.cost_usd, frame, level, "cost_usd"),
        product=Absent(f"{', '.join(untold)} has no success rate") if untold else prod(rate for rate, _ in rates),
        end_to_end=_end_to_end(table, frame, level),
        worst=min(rates)[1] if rates else None,
    )


def _step(table: StepTable, name: str, frame: CaseFrame, level: float) -> StepMeasure:
    return StepMeasure(
        name=name,
        answers=int(table.reached[name].sum()),
        success=_rate(table, table.success[name], frame, level),
        latency_ms=_amount(table, table.latency_ms[name], frame, level, "latency_ms"),
        cost_usd=_amount(table, table.cost_usd[name], frame, level, "cost_usd"),
    )


def _rate(table: StepTable, values: Floats, frame: CaseFrame, level: float) -> Measure:
    told = ~np.isnan(values)
    if not told.any():
        return Absent("no answer says whether it succeeded")
    return mean(values[told], clusters=frame.clusters[table.cases[told]], level=level)


def _amount(table: StepTable, values: Floats, frame: CaseFrame, level: float, field: str) -> Measure:
    told = ~np.isnan(values)
    if not told.any():
        return Absent(f"no answer carries its {field}")
    if not values[told].any():
        count = int(told.sum())
        return Estimate(value=0.0, low=0.0, high=0.0, level=level, n=count, method="exact: all are 0")
    return mean_unbounded(values[told], clusters=frame.clusters[table.cases[told]], level=level)


def _sum(table: StepTable, columns: Mapping[str, Floats], frame: CaseFrame, level: float, field: str) -> Measure:
    """The mean of the sum over an answer's steps, over the answers in which every step that was reached says it."""
    sums = np.zeros(len(table.cases))
    for name, values in columns.items():
        sums = sums + np.where(table.reached[name] > 0, values, 0.0)
    return _amount(table, sums, frame, level, field)


def _end_to_end(table: StepTable, frame: CaseFrame, level: float) -> Measure:
    """Over the answers in which every step that was reached says whether it succeeded."""
    worst = np.ones(len(table.cases))
    for name, values in table.success.items():
        worst = np.minimum(worst, np.where(table.reached[name] > 0, values, 1.0))
    return _rate(table, worst, frame, level)
