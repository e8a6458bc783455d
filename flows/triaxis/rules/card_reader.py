"""scorecard.json back to the values it was made of, for everything that reads the card alone: `gate`, `show`, pages."""

from __future__ import annotations

from typing import cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.measures import (
    CostMeasures,
    Counts,
    Difference,
    DifferenceOrAbsent,
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
    Compared,
    Comparison,
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
from triaxis.quantities import Absent, Money
from triaxis.rules.card import PRODUCTION_MIX
from triaxis.rules.card_values import JsonObject as Json
from triaxis.rules.card_values import count_of as _count
from triaxis.rules.card_values import figure_of as _axis
from triaxis.rules.card_values import flag_of as _flag
from triaxis.rules.card_values import known_of as _known
from triaxis.rules.card_values import list_of as _list
from triaxis.rules.card_values import measure_of as _measure
from triaxis.rules.card_values import measures_of as _measures
from triaxis.rules.card_values import number_of as _number
from triaxis.rules.card_values import object_of as _object
from triaxis.rules.card_values import text_of as _text
from triaxis.rules.card_values import texts_by_name as _texts_by_name
from triaxis.rules.card_values import texts_of as _texts
from triaxis.rules.front_card import front_of, winners_of
from triaxis.rules.looks_card import looks_from
from triaxis.rules.names import LATENCIES
from triaxis.rules.routing_card import routing_of
from triaxis.rules.steps_card import steps_of
from triaxis.rules.traffic_card import at_scale_of


def from_json(value: JsonValue) -> Scorecard:
    """The scorecard that `rules.card.to_json` wrote: figures as rounded there, objectives in its order.

    Raises:
        StoreDamaged: where the value is not a scorecard of this schema version.
    """
    try:
        return _scorecard(_object(value))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise StoreDamaged(
            f"the scorecard is damaged or of another version than {SCHEMA_VERSION}.{METHOD_VERSION} ({error!r}). "
            "Run `triaxis run` to write it anew."
        ) from error


def _scorecard(card: Json) -> Scorecard:
    if (card["schema_version"], card["method_version"]) != (SCHEMA_VERSION, METHOD_VERSION):
        raise ValueError(f"it has version {card['schema_version']}.{card['method_version']}")
    slo = _object(card["slo"])
    return Scorecard(
        name=_text(card["name"]),
        baseline=_text(card["baseline"]),
        created_from=CreatedFrom(**_texts_by_name(card["created_from"])),
        variants={name: _variant(name, _object(v)) for name, v in _object(card["variants"]).items()},
        id=_text(card["id"]),
        owner=_text(slo["owner"]),
        review_by=_text(slo["review_by"]),
        weights=_weights(_object(slo["weights"])) if "weights" in slo else None,
        off=_texts_by_name(card["dimensions_off"]),
        weighted_to_mix=card["mix"] == PRODUCTION_MIX,
        ground_truth=_ground_truth(_object(card["ground_truth"])) if "ground_truth" in card else None,
        front=front_of(card),
        winners=winners_of(card),
        looks=looks_from(card["looks"]) if "looks" in card else None,
    )


def _weights(weights: Json) -> Weights:
    return Weights(
        latency=_number(weights["latency"]),
        cost=_number(weights["cost"]),
        precision=_number(weights["precision"]),
        because=_text(weights["because"]),
    )


def _ground_truth(truth: Json) -> GroundTruth:
    return GroundTruth(
        cases=_count(truth["cases"]),
        success=_flag(truth["success"]),
        failed=_texts(truth["failed"]),
        quarantined=_texts(truth["quarantined"]),
    )


def _variant(name: str, card: Json) -> VariantCard:
    objectives = [_object(o) for o in _list(card["objectives"])]
    latency, precision = _object(card["latency"]), _object(_object(card["precision"])["dimensions"])
    against = {measure: _compared(_object(c)) for measure, c in _object(card["against_baseline"]).items()}
    measures = VariantMeasures(
        name=name,
        levers=_texts(card["levers"]),
        route_arms=_texts_by_name(card["route_arms"]),
        n=Counts(**{key: _count(n) for key, n in _object(card["n"]).items()}),
        error_rate=_measure(latency["error_rate"]),
        latency=_latency(latency),
        cost=_cost(_object(card["cost"])),
        precision={dimension: _dimension(_object(d)) for dimension, d in precision.items()},
        objectives=tuple(map(_objective_measure, objectives)),
        against_baseline={measure: c.difference for measure, c in against.items()},
        steps=steps_of(card),
        routing=routing_of(card["routing"]) if "routing" in card else None,
    )
    return VariantCard(
        measures=measures,
        axes=_axes(_object(card["axes"])),
        objectives=tuple(map(_judged, objectives)),
        against_baseline=against,
        verdict=cast("Verdict", _text(card["verdict"])),
        reasons=_texts(card["reasons"]),
    )


def _latency(latency: Json) -> LatencyMeasures:
    return LatencyMeasures(
        quantiles={kind: _measures(latency[kind]) for kind in LATENCIES if kind in latency},
        successes={kind: _measures(m) for kind, m in _object(latency["successes"]).items()},
        facts=_probe(_object(latency["probe"])) if "probe" in latency else None,
    )


def _probe(probe: Json) -> ProbeFacts:
    return ProbeFacts(
        client=_text(probe["client"]),
        blocks=_count(probe["blocks"]),
        requests=_count(probe["requests"]),
        warmup=_count(probe["warmup"]),
        errors=_count(probe["errors"]),
        lag_p99_ms=_known(probe, "lag_p99_ms"),
        autocorrelated=_flag(probe["autocorrelated"]),
        cached_share=_known(probe, "cached_share"),
        histogram_ms={k: tuple(map(_number, _list(ms))) for k, ms in _object(probe["histogram_ms"]).items()},
    )


def _cost(cost: Json) -> CostMeasures:
    return CostMeasures(
        per_request=_measure(cost["per_request"]),
        per_session=_measure(cost["per_session"]),
        per_month=_measure(cost["per_month"]),
        parts={kind: _number(usd) for kind, usd in _object(cost["parts"]).items()},
        cached_share=_known(cost, "cached_share"),
        cached_share_source=_text(cost["cached_share_source"]),
        judge_usd=Money.of(_text(cost["judge_usd"])),
        spent_usd=Money.of(_text(cost["spent_usd"])),
        possible_usd=Money.of(_text(cost["possible_usd"])),
        at_scale=at_scale_of(cost),
    )


def _dimension(dimension: Json) -> DimensionMeasures:
    return DimensionMeasures(
        overall=_measure(dimension["overall"]),
        answered_only=_measure(dimension["answered_only"]),
        scored=_count(dimension["scored"]),
        abstained=_count(dimension["abstained"]),
        failed=_count(dimension["failed"]),
        unvalidated=_flag(dimension["unvalidated"]),
        slices={tag: _measures(values) for tag, values in _object(dimension["slices"]).items()},
    )


def _axes(axes: Json) -> Axes:
    return Axes(
        latency=_axis(axes["latency"]),
        cost=_axis(axes["cost"]),
        precision=_axis(axes["precision"]),
        composite=_axis(axes["composite"]),
        binding=cast("Axis", _text(axes["binding"])) if "binding" in axes else None,
    )


def _judged(objective: Json) -> JudgedObjective:
    return JudgedObjective(
        axis=cast("Axis", _text(objective["axis"])),
        name=_text(objective["name"]),
        target=_number(objective["target"]),
        estimate=_measure(objective["estimate"]),
        verdict=cast("ObjectiveVerdict", _text(objective["verdict"])),
        why=_text(objective["why"]),
        bound=_known(objective, "bound"),
        guard=_number(objective["guard"]),
        more=_known_count(objective, "more"),
    )


def _objective_measure(objective: Json) -> ObjectiveMeasure:
    units, fail, ok = (objective.get(key) for key in ("units", "if_abstained_fail", "if_abstained_pass"))
    return ObjectiveMeasure(
        estimate=_measure(objective["estimate"]),
        if_abstained_fail=None if fail is None else _measure(fail),
        if_abstained_pass=None if ok is None else _measure(ok),
        units=None if units is None else _count(units),
        unit=_text(objective["unit"]),
        unvalidated=_flag(objective["unvalidated"]),
        abstained=_count(objective["abstained"]),
    )


def _compared(compared: Json) -> Compared:
    return Compared(
        difference=_difference(compared),
        verdict=cast("Comparison", _text(compared["verdict"])),
        gated=_flag(compared["gated"]),
        margin=_known(compared, "margin"),
        p_adjusted=_known(compared, "p_adjusted"),
        more=_known_count(compared, "more"),
    )


def _difference(compared: Json) -> DifferenceOrAbsent:
    if "absent" in compared:
        return Absent(_text(compared["absent"]))
    return Difference(
        difference=_number(compared["difference"]),
        low=_number(compared["low"]),
        high=_number(compared["high"]),
        level=_number(compared["level"]),
        n=_number(compared["n"]),
        method=_text(compared["method"]),
        baseline=_number(compared["baseline"]),
        p=_known(compared, "p"),
        p_exact=_known(compared, "p_exact"),
    )


def _known_count(members: Json, key: str) -> int | None:
    return _count(members[key]) if key in members else None
