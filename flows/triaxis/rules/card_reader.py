"""scorecard.json back to the values it was made of, for everything that reads the card alone: `gate`, `show`, pages."""

from __future__ import annotations

from collections.abc import Mapping
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
from triaxis.quantities import Absent, Money
from triaxis.rules.card import PRODUCTION_MIX
from triaxis.rules.card_parts import (
    Json,
    as_compared,
    as_count,
    as_entries,
    as_flag,
    as_measure,
    as_measures,
    as_members,
    as_number,
    as_text,
    as_texts,
    as_texts_by_name,
    known_number,
)
from triaxis.rules.levers_card import interactions_from, lever_from, lever_measures_from, recall_from, truncation_from
from triaxis.rules.names import LATENCIES


def from_json(value: JsonValue) -> Scorecard:
    """The scorecard that `rules.card.to_json` wrote: figures as rounded there, objectives in its order.

    Raises:
        StoreDamaged: where the value is not a scorecard of this schema version.
    """
    try:
        return _scorecard(as_members(value))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise StoreDamaged(
            f"the scorecard is damaged or of another version than {SCHEMA_VERSION}.{METHOD_VERSION} ({error!r}). "
            "Run `triaxis run` to write it anew."
        ) from error


def _scorecard(card: Json) -> Scorecard:
    if (card["schema_version"], card["method_version"]) != (SCHEMA_VERSION, METHOD_VERSION):
        raise ValueError(f"it has version {card['schema_version']}.{card['method_version']}")
    slo = as_members(card["slo"])
    return Scorecard(
        name=as_text(card["name"]),
        baseline=as_text(card["baseline"]),
        created_from=CreatedFrom(**as_texts_by_name(card["created_from"])),
        variants={name: _variant(name, as_members(v)) for name, v in as_members(card["variants"]).items()},
        id=as_text(card["id"]),
        owner=as_text(slo["owner"]),
        review_by=as_text(slo["review_by"]),
        weights=_weights(as_members(slo["weights"])) if "weights" in slo else None,
        off=as_texts_by_name(card["dimensions_off"]),
        weighted_to_mix=card["mix"] == PRODUCTION_MIX,
        ground_truth=_ground_truth(as_members(card["ground_truth"])) if "ground_truth" in card else None,
        interactions=interactions_from(card),
    )


def _weights(weights: Json) -> Weights:
    return Weights(
        latency=as_number(weights["latency"]),
        cost=as_number(weights["cost"]),
        precision=as_number(weights["precision"]),
        because=as_text(weights["because"]),
    )


def _ground_truth(truth: Json) -> GroundTruth:
    return GroundTruth(
        cases=as_count(truth["cases"]),
        success=as_flag(truth["success"]),
        failed=as_texts(truth["failed"]),
        quarantined=as_texts(truth["quarantined"]),
    )


def _variant(name: str, card: Json) -> VariantCard:
    objectives = [as_members(o) for o in as_entries(card["objectives"])]
    latency, precision = as_members(card["latency"]), as_members(as_members(card["precision"])["dimensions"])
    against = {measure: as_compared(as_members(c)) for measure, c in as_members(card["against_baseline"]).items()}
    measures = VariantMeasures(
        name=name,
        levers=as_texts(card["levers"]),
        route_arms=as_texts_by_name(card["route_arms"]),
        n=Counts(**{key: as_count(n) for key, n in as_members(card["n"]).items()}),
        error_rate=as_measure(latency["error_rate"]),
        latency=_latency(latency),
        cost=_cost(as_members(card["cost"])),
        precision={dimension: _dimension(as_members(d)) for dimension, d in precision.items()},
        objectives=tuple(map(_objective_measure, objectives)),
        against_baseline={measure: c.difference for measure, c in against.items()},
        lever=lever_measures_from(card),
        truncation=truncation_from(card),
        recall=recall_from(card),
    )
    return VariantCard(
        measures=measures,
        axes=_axes(as_members(card["axes"])),
        objectives=tuple(map(_judged, objectives)),
        against_baseline=against,
        verdict=cast("Verdict", as_text(card["verdict"])),
        reasons=as_texts(card["reasons"]),
        lever=lever_from(card),
    )


def _latency(latency: Json) -> LatencyMeasures:
    return LatencyMeasures(
        quantiles={kind: as_measures(latency[kind]) for kind in LATENCIES if kind in latency},
        successes={kind: as_measures(m) for kind, m in as_members(latency["successes"]).items()},
        facts=_probe(as_members(latency["probe"])) if "probe" in latency else None,
    )


def _probe(probe: Json) -> ProbeFacts:
    return ProbeFacts(
        client=as_text(probe["client"]),
        blocks=as_count(probe["blocks"]),
        requests=as_count(probe["requests"]),
        warmup=as_count(probe["warmup"]),
        errors=as_count(probe["errors"]),
        lag_p99_ms=known_number(probe, "lag_p99_ms"),
        autocorrelated=as_flag(probe["autocorrelated"]),
        cached_share=known_number(probe, "cached_share"),
        histogram_ms={k: tuple(map(as_number, as_entries(ms))) for k, ms in as_members(probe["histogram_ms"]).items()},
    )


def _cost(cost: Json) -> CostMeasures:
    return CostMeasures(
        per_request=as_measure(cost["per_request"]),
        per_session=as_measure(cost["per_session"]),
        per_month=as_measure(cost["per_month"]),
        parts={kind: as_number(usd) for kind, usd in as_members(cost["parts"]).items()},
        cached_share=known_number(cost, "cached_share"),
        cached_share_source=as_text(cost["cached_share_source"]),
        judge_usd=Money.of(as_text(cost["judge_usd"])),
        spent_usd=Money.of(as_text(cost["spent_usd"])),
        possible_usd=Money.of(as_text(cost["possible_usd"])),
    )


def _dimension(dimension: Json) -> DimensionMeasures:
    return DimensionMeasures(
        overall=as_measure(dimension["overall"]),
        answered_only=as_measure(dimension["answered_only"]),
        scored=as_count(dimension["scored"]),
        abstained=as_count(dimension["abstained"]),
        failed=as_count(dimension["failed"]),
        unvalidated=as_flag(dimension["unvalidated"]),
        slices={tag: as_measures(values) for tag, values in as_members(dimension["slices"]).items()},
    )


def _axes(axes: Json) -> Axes:
    return Axes(
        latency=_axis(axes["latency"]),
        cost=_axis(axes["cost"]),
        precision=_axis(axes["precision"]),
        composite=_axis(axes["composite"]),
        binding=cast("Axis", as_text(axes["binding"])) if "binding" in axes else None,
    )


def _judged(objective: Json) -> JudgedObjective:
    more = known_number(objective, "more")
    return JudgedObjective(
        axis=cast("Axis", as_text(objective["axis"])),
        name=as_text(objective["name"]),
        target=as_number(objective["target"]),
        estimate=as_measure(objective["estimate"]),
        verdict=cast("ObjectiveVerdict", as_text(objective["verdict"])),
        why=as_text(objective["why"]),
        bound=known_number(objective, "bound"),
        guard=as_number(objective["guard"]),
        more=None if more is None else int(more),
    )


def _objective_measure(objective: Json) -> ObjectiveMeasure:
    units, fail, ok = (objective.get(key) for key in ("units", "if_abstained_fail", "if_abstained_pass"))
    return ObjectiveMeasure(
        estimate=as_measure(objective["estimate"]),
        if_abstained_fail=None if fail is None else as_measure(fail),
        if_abstained_pass=None if ok is None else as_measure(ok),
        units=None if units is None else as_count(units),
        unit=as_text(objective["unit"]),
        unvalidated=as_flag(objective["unvalidated"]),
        abstained=as_count(objective["abstained"]),
    )


def _axis(value: JsonValue) -> float | Absent:
    return Absent(as_text(value["absent"])) if isinstance(value, Mapping) else as_number(value)
