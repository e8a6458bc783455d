"""Steps in scorecard.json: `variants.NAME.steps`.

It holds `source` (responses or cases), `answers`, `steps` (a list of name, answers, success, latency_ms, cost_usd),
`latency_ms` and `cost_usd` summed over an answer's steps, `product`, `end_to_end`, their `gap`, and the `worst` step.
"""

from __future__ import annotations

from triaxis.domain.measures import VariantMeasures
from triaxis.domain.step_measures import StepMeasure, StepsMeasures
from triaxis.rules.cards.values import (
    Json,
    JsonObject,
    count_of,
    figure_json,
    figure_of,
    list_of,
    measure_json,
    measure_of,
    number,
    object_of,
    text_of,
)


def steps_json(measures: VariantMeasures) -> Json:
    """The member of a variant; none where nothing has steps."""
    taken = measures.steps
    if taken is None:
        return {}
    value: Json = {
        "source": taken.source,
        "answers": taken.answers,
        "steps": [_step(step) for step in taken.steps],
        "latency_ms": measure_json(taken.latency_ms),
        "cost_usd": measure_json(taken.cost_usd),
        "product": figure_json(taken.product),
        "end_to_end": measure_json(taken.end_to_end),
    }
    if taken.gap is not None:
        value["gap"] = number(taken.gap)
    if taken.worst is not None:
        value["worst"] = taken.worst
    return {"steps": value}


def _step(step: StepMeasure) -> Json:
    return {
        "name": step.name,
        "answers": step.answers,
        "success": measure_json(step.success),
        "latency_ms": measure_json(step.latency_ms),
        "cost_usd": measure_json(step.cost_usd),
    }


def steps_of(variant: JsonObject) -> StepsMeasures | None:
    """What a variant's part of a card says of steps; None where it says nothing."""
    if "steps" not in variant:
        return None
    said = object_of(variant["steps"])
    return StepsMeasures(
        source="cases" if text_of(said["source"]) == "cases" else "responses",
        answers=count_of(said["answers"]),
        steps=tuple(_step_of(object_of(step)) for step in list_of(said["steps"])),
        latency_ms=measure_of(said["latency_ms"]),
        cost_usd=measure_of(said["cost_usd"]),
        product=figure_of(said["product"]),
        end_to_end=measure_of(said["end_to_end"]),
        worst=text_of(said["worst"]) if "worst" in said else None,
    )


def _step_of(step: JsonObject) -> StepMeasure:
    return StepMeasure(
        name=text_of(step["name"]),
        answers=count_of(step["answers"]),
        success=measure_of(step["success"]),
        latency_ms=measure_of(step["latency_ms"]),
        cost_usd=measure_of(step["cost_usd"]),
    )
