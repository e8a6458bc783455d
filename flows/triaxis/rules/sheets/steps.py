"""Steps as a page shows them: a table for each variant, and a sentence on whether its steps fail together."""

from __future__ import annotations

from dataclasses import dataclass

from triaxis.domain.scorecard import Scorecard
from triaxis.domain.slo import Axis
from triaxis.domain.step_measures import StepMeasure, StepsMeasures
from triaxis.quantities import Absent, Measure
from triaxis.rules.sheets.sheet import ordered
from triaxis.rules.words import counted, interval_text, score, value_text


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step."""

    name: str
    worst: bool
    answers: int
    cells: tuple[tuple[str, str], ...]
    """Success, latency and cost, each with its interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsTable:
    """One variant's steps."""

    variant: str
    sentence: str
    rows: tuple[StepLine, ...]


def steps_sheet(card: Scorecard) -> tuple[StepsTable, ...]:
    """The tables of the variants that have steps."""
    taken = {name: found for name in ordered(card) if (found := card.variants[name].measures.steps) is not None}
    return tuple(
        StepsTable(variant=name, sentence=_sentence(steps), rows=tuple(_line(s, steps.worst) for s in steps.steps))
        for name, steps in taken.items()
    )


def _sentence(steps: StepsMeasures) -> str:
    whose = "of the answers" if steps.source == "responses" else "recorded with the cases"
    sums = f"{value_text('latency', steps.latency_ms)} and {value_text('cost', steps.cost_usd)} together on average"
    head = f"{counted(len(steps.steps), 'steps')} {whose}, in {counted(steps.answers, 'answers')}: {sums}"
    if isinstance(steps.product, Absent) or steps.gap is None:
        return f"{head}; {_untold(steps)}."
    together = "they fail together" if steps.gap > 0 else "they do not fail together"
    rates = f"{value_text('precision', steps.end_to_end)} end to end, and {score(steps.product)} is the product"
    return f"{head}; {rates} of their success rates, a gap of {steps.gap:+.3f}: {together}. Worst is {steps.worst}."


def _untold(steps: StepsMeasures) -> str:
    why = steps.product.why if isinstance(steps.product, Absent) else interval_text("precision", steps.end_to_end)
    return f"end to end nothing is known, since {why}"


def _line(step: StepMeasure, worst: str | None) -> StepLine:
    cells: tuple[tuple[Axis, Measure], ...] = (
        ("precision", step.success),
        ("latency", step.latency_ms),
        ("cost", step.cost_usd),
    )
    return StepLine(
        name=step.name,
        worst=step.name == worst,
        answers=step.answers,
        cells=tuple((value_text(axis, measure), interval_text(axis, measure)) for axis, measure in cells),
    )
