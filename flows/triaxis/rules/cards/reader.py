"""scorecard.json back to the values it was made of, for everything that reads the card alone: `gate`, `show`, pages."""

from __future__ import annotations

from typing import cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.measures import (
    CostMeasures,
    Counts,
    DimensionMeasures,
    LatencyMeasures,
    ObjectiveMeasure,
    ProbeFacts,
    VariantMeasures,
)
from triaxis.domain.scorecard import (
    METHOD_VERSION,
    SCHEMA_VERSION,
    Axes,
    CreatedFrom,
    GroundTruth,
    JudgedObjective,
    ObjectiveVerdict,
    Scorecard,
    VariantCard,
    Verdict,
)
from triaxis.domain.slo import Axis, Weights
from triaxis.errors import StoreDamaged
from triaxis.quantities import Money
from triaxis.rules.cards.card import PRODUCTION_MIX
from triaxis.rules.cards.front import front_of, winners_of
from triaxis.rules.cards.levers import interactions_from, lever_from, lever_measures_from, recall_from, truncation_from
from triaxis.rules.cards.looks import looks_from
from triaxis.rules.cards.routing import routing_of
from triaxis.rules.cards.steps import steps_of
from triaxis.rules.cards.traffic import at_scale_of
from triaxis.rules.cards.values import (
    JsonObject,
    compared_of,
    count_of,
    figure_of,
    flag_of,
    known_count_of,
    known_of,
    list_of,
    measure_of,
    measures_of,
    number_of,
    object_of,
    text_of,
    texts_by_name,
    texts_of,
)
from triaxis.rules.names import LATENCIES


def from_json(value: JsonValue) -> Scorecard:
    """The scorecard that `rules.card.to_json` wrote: figures as rounded there, objectives in its order.

    Raises:
        StoreDamaged: where the value is not a scorecard of this schema version.
    """
    try:
        return _scorecard(object_of(value))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise StoreDamaged(
            f"the scorecard is damaged or of another version than {SCHEMA_VERSION}.{METHOD_VERSION} ({error!r}). "
            "Run `triaxis run` to write it anew."
        ) from error


def _scorecard(card: JsonObject) -> Scorecard:
    if (card["schema_version"], card["method_version"]) != (SCHEMA_VERSION, METHOD_VERSION):
        raise ValueError(f"it has version {card['schema_version']}.{card['method_version']}")
    slo = object_of(card["slo"])
    return Scorecard(
        name=text_of(card["name"]),
        baseline=text_of(card["baseline"]),
        created_from=CreatedFrom(**texts_by_name(card["created_from"])),
        variants={name: _variant(name, object_of(v)) for name, v in object_of(card["variants"]).items()},
        id=text_of(card["id"]),
        owner=text_of(slo["owner"]),
        review_by=text_of(slo["review_by"]),
        weights=_weights(object_of(slo["weights"])) if "weights" in slo else None,
        off=texts_by_name(card["dimensions_off"]),
        weighted_to_mix=card["mix"] == PRODUCTION_MIX,
        ground_truth=_ground_truth(object_of(card["ground_truth"])) if "ground_truth" in card else None,
        front=front_of(card),
        winners=winners_of(card),
        looks=looks_from(card["looks"]) if "looks" in card else None,
        interactions=interactions_from(card),
    )


def _weights(weights: JsonObject) -> Weights:
    return Weights(
        latency=number_of(weights["latency"]),
        cost=number_of(weights["cost"]),
        precision=number_of(weights["precision"]),
        because=text_of(weights["because"]),
    )


def _ground_truth(truth: JsonObject) -> GroundTruth:
    return GroundTruth(
        cases=count_of(truth["cases"]),
        success=flag_of(truth["success"]),
        failed=texts_of(truth["failed"]),
        quarantined=texts_of(truth["quarantined"]),
    )


def _variant(name: str, card: JsonObject) -> VariantCard:
    objectives = [object_of(o) for o in list_of(card["objectives"])]
    latency, precision = object_of(card["latency"]), object_of(object_of(card["precision"])["dimensions"])
    against = {measure: compared_of(object_of(c)) for measure, c in object_of(card["against_baseline"]).items()}
    measures = VariantMeasures(
        name=name,
        levers=texts_of(card["levers"]),
        route_arms=texts_by_name(card["route_arms"]),
        n=Counts(**{key: count_of(n) for key, n in object_of(card["n"]).items()}),
        error_rate=measure_of(latency["error_rate"]),
        latency=_latency(latency),
        cost=_cost(object_of(card["cost"])),
        precision={dimension: _dimension(object_of(d)) for dimension, d in precision.items()},
        objectives=tuple(map(_objective_measure, objectives)),
        against_baseline={measure: c.difference for measure, c in against.items()},
        steps=steps_of(card),
        routing=routing_of(card["routing"]) if "routing" in card else None,
        lever=lever_measures_from(card),
        truncation=truncation_from(card),
        recall=recall_from(card),
    )
    return VariantCard(
        measures=measures,
        axes=_axes(object_of(card["axes"])),
        objectives=tuple(map(_judged, objectives)),
        against_baseline=against,
        verdict=cast("Verdict", text_of(card["verdict"])),
        reasons=texts_of(card["reasons"]),
        lever=lever_from(card),
    )


def _latency(latency: JsonObject) -> LatencyMeasures:
    return LatencyMeasures(
        quantiles={kind: measures_of(latency[kind]) for kind in LATENCIES if kind in latency},
        successes={kind: measures_of(m) for kind, m in object_of(latency["successes"]).items()},
        facts=_probe(object_of(latency["probe"])) if "probe" in latency else None,
    )


def _probe(probe: JsonObject) -> ProbeFacts:
    return ProbeFacts(
        client=text_of(probe["client"]),
        blocks=count_of(probe["blocks"]),
        requests=count_of(probe["requests"]),
        warmup=count_of(probe["warmup"]),
        errors=count_of(probe["errors"]),
        lag_p99_ms=known_of(probe, "lag_p99_ms"),
        autocorrelated=flag_of(probe["autocorrelated"]),
        cached_share=known_of(probe, "cached_share"),
        histogram_ms={k: tuple(map(number_of, list_of(ms))) for k, ms in object_of(probe["histogram_ms"]).items()},
    )


def _cost(cost: JsonObject) -> CostMeasures:
    return CostMeasures(
        per_request=measure_of(cost["per_request"]),
        per_session=measure_of(cost["per_session"]),
        per_month=measure_of(cost["per_month"]),
        parts={kind: number_of(usd) for kind, usd in object_of(cost["parts"]).items()},
        cached_share=known_of(cost, "cached_share"),
        cached_share_source=text_of(cost["cached_share_source"]),
        judge_usd=Money.of(text_of(cost["judge_usd"])),
        spent_usd=Money.of(text_of(cost["spent_usd"])),
        possible_usd=Money.of(text_of(cost["possible_usd"])),
        at_scale=at_scale_of(cost),
    )


def _dimension(dimension: JsonObject) -> DimensionMeasures:
    return DimensionMeasures(
        overall=measure_of(dimension["overall"]),
        answered_only=measure_of(dimension["answered_only"]),
        scored=count_of(dimension["scored"]),
        abstained=count_of(dimension["abstained"]),
        failed=count_of(dimension["failed"]),
        unvalidated=flag_of(dimension["unvalidated"]),
        slices={tag: measures_of(values) for tag, values in object_of(dimension["slices"]).items()},
    )


def _axes(axes: JsonObject) -> Axes:
    return Axes(
        latency=figure_of(axes["latency"]),
        cost=figure_of(axes["cost"]),
        precision=figure_of(axes["precision"]),
        composite=figure_of(axes["composite"]),
        binding=cast("Axis", text_of(axes["binding"])) if "binding" in axes else None,
    )


def _judged(objective: JsonObject) -> JudgedObjective:
    return JudgedObjective(
        axis=cast("Axis", text_of(objective["axis"])),
        name=text_of(objective["name"]),
        target=number_of(objective["target"]),
        estimate=measure_of(objective["estimate"]),
        verdict=cast("ObjectiveVerdict", text_of(objective["verdict"])),
        why=text_of(objective["why"]),
        bound=known_of(objective, "bound"),
        guard=number_of(objective["guard"]),
        more=known_count_of(objective, "more"),
        point=known_of(objective, "point"),
    )


def _objective_measure(objective: JsonObject) -> ObjectiveMeasure:
    units, fail, ok = (objective.get(key) for key in ("units", "if_abstained_fail", "if_abstained_pass"))
    return ObjectiveMeasure(
        estimate=measure_of(objective["estimate"]),
        if_abstained_fail=None if fail is None else measure_of(fail),
        if_abstained_pass=None if ok is None else measure_of(ok),
        units=None if units is None else count_of(units),
        unit=text_of(objective["unit"]),
        unvalidated=flag_of(objective["unvalidated"]),
        abstained=count_of(objective["abstained"]),
        point=known_of(objective, "point"),
        floor=known_of(objective, "floor"),
    )
