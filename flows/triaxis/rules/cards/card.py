"""A scorecard as the JSON value of scorecard.json.

The keys of the design's block are the contract. On top of them stand, for whoever reads the card alone:

    slo                      {owner, review_by, weights: {latency, cost, precision, because}}
    mix                      `production mix`, or `dataset mix, not production mix`
    dimensions_off           {NAME: why} of dimensions that score nothing
    looks                    {datasets, variants, split}: what was looked at so far; not there in older scorecards
    ground_truth             {cases, success, failed: [expectation], quarantined: [id]}
    pareto, ...              as `cards.front` says
    variants.NAME
      latency.successes      the same quantiles over successes only, as published tables have them
      latency.probe          {client, blocks, requests, warmup, errors, lag_p99_ms, autocorrelated, cached_share,
                             histogram_ms: {full: [0%, 1%, ... 100%], ttft}}; not there where nothing was probed;
                             client `imported`, and no lag, where the times were imported
      cost                   possible_usd, parts {kind: dollars a request}, cached_share, cached_share_source,
                             at_scale (as `cards.traffic` says)
      precision.dimensions   answered_only, scored, abstained, failed (counts), unvalidated
      axes.binding           the axis with the least headroom to its limit
      objectives             bound, guard, more (units that would settle it), units, unit, abstained, unvalidated,
                             if_abstained_fail, if_abstained_pass; point and floor of what has no upper bound
      against_baseline       level, n, method, baseline (its own value over the pairs), gated, margin
      routing                of a routed variant; `cards.routing` says what stands in it

What is not known is left out, but for figures, which say `{absent: why}`. Money is text; every other number is rounded
to 12 significant digits, so that the last bits of a processor's sums never show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from triaxis.domain.canonical import JsonValue, sha256_json
from triaxis.domain.measures import CostMeasures, DimensionMeasures, LatencyMeasures, ObjectiveMeasure, ProbeFacts
from triaxis.domain.scorecard import (
    METHOD_VERSION,
    SCHEMA_VERSION,
    Axes,
    GroundTruth,
    JudgedObjective,
    Scorecard,
    VariantCard,
)
from triaxis.quantities import Measure
from triaxis.rules.cards.front import front_json
from triaxis.rules.cards.levers import interactions_json, lever_json, retrieval_json, truncation_json
from triaxis.rules.cards.looks import looks_json
from triaxis.rules.cards.routing import routing_json
from triaxis.rules.cards.steps import steps_json
from triaxis.rules.cards.traffic import at_scale_json
from triaxis.rules.cards.values import Json, compared_json, figure_json, known, measure_json, number, rounded

PRODUCTION_MIX = "production mix"
DATASET_MIX = "dataset mix, not production mix"
_ID_DIGITS = 16


def identified(card: Scorecard) -> Scorecard:
    """The card with its id: the first 16 hex digits of the sha256 of everything else."""
    rest = {key: value for key, value in to_json(card).items() if key != "id"}
    return replace(card, id=sha256_json(rest)[:_ID_DIGITS])


def to_json(card: Scorecard) -> Json:
    """The value of scorecard.json."""
    value: Json = {
        "schema_version": SCHEMA_VERSION,
        "method_version": METHOD_VERSION,
        "id": card.id,
        "name": card.name,
        "created_from": asdict(card.created_from),
        "baseline": card.baseline,
        "slo": _slo(card),
        "mix": PRODUCTION_MIX if card.weighted_to_mix else DATASET_MIX,
        "dimensions_off": dict(card.off),
        "variants": {name: _variant(variant) for name, variant in card.variants.items()},
        **front_json(card),
        **interactions_json(card.interactions),
    }
    if card.looks is not None:
        value["looks"] = looks_json(card.looks)
    return value if card.ground_truth is None else {**value, "ground_truth": _ground_truth(card.ground_truth)}


def _slo(card: Scorecard) -> Json:
    value: Json = {"owner": card.owner, "review_by": card.review_by}
    return value if card.weights is None else {**value, "weights": rounded(asdict(card.weights))}


def _ground_truth(truth: GroundTruth) -> Json:
    return {
        "cases": truth.cases,
        "success": truth.success,
        "failed": sorted(truth.failed),
        "quarantined": sorted(truth.quarantined),
    }


def _variant(card: VariantCard) -> Json:
    measures = card.measures
    return {
        "levers": sorted(measures.levers),
        "route_arms": dict(measures.route_arms),
        "n": asdict(measures.n),
        "latency": _latency(measures.latency, measures.error_rate),
        "cost": _cost(measures.cost),
        "precision": {
            "composite": figure_json(card.axes.precision),
            "dimensions": {name: _dimension(d) for name, d in measures.precision.items()},
        },
        "axes": _axes(card.axes),
        "objectives": _objectives(card.objectives, measures.objectives),
        "against_baseline": {name: compared_json(c) for name, c in card.against_baseline.items()},
        "verdict": card.verdict,
        "reasons": list(card.reasons),
        **steps_json(measures),
        **({} if measures.routing is None else {"routing": routing_json(measures.routing)}),
        **lever_json(card),
        **truncation_json(card),
        **retrieval_json(card),
    }


def _latency(latency: LatencyMeasures, error_rate: Measure) -> Json:
    value: Json = {
        **_quantiles(latency.quantiles),
        "error_rate": measure_json(error_rate),
        "successes": _quantiles(latency.successes),
    }
    if latency.facts is not None:
        value["probe"] = _probe(latency.facts)
    return value


def _quantiles(quantiles: Mapping[str, Mapping[str, Measure]]) -> Json:
    return {kind: {stat: measure_json(m) for stat, m in stats.items()} for kind, stats in quantiles.items()}


def _probe(facts: ProbeFacts) -> Json:
    value: Json = {
        "client": facts.client,
        "blocks": facts.blocks,
        "requests": facts.requests,
        "warmup": facts.warmup,
        "errors": facts.errors,
        "autocorrelated": facts.autocorrelated,
        "histogram_ms": {kind: [number(ms) for ms in times] for kind, times in facts.histogram_ms.items()},
    }
    return value | known({"cached_share": facts.cached_share, "lag_p99_ms": facts.lag_p99_ms})


def _cost(cost: CostMeasures) -> Json:
    value: Json = {
        "per_request": measure_json(cost.per_request),
        "per_session": measure_json(cost.per_session),
        "per_month": measure_json(cost.per_month),
        "judge_usd": cost.judge_usd.text(),
        "spent_usd": cost.spent_usd.text(),
        "possible_usd": cost.possible_usd.text(),
        "parts": {kind: number(usd) for kind, usd in cost.parts.items()},
        "cached_share_source": cost.cached_share_source,
    }
    return value | known({"cached_share": cost.cached_share}) | at_scale_json(cost)


def _dimension(dimension: DimensionMeasures) -> Json:
    return {
        "overall": measure_json(dimension.overall),
        "answered_only": measure_json(dimension.answered_only),
        "scored": dimension.scored,
        "abstained": dimension.abstained,
        "failed": dimension.failed,
        "unvalidated": dimension.unvalidated,
        "slices": _quantiles(dimension.slices),
    }


def _axes(axes: Axes) -> Json:
    value: Json = {
        "latency": figure_json(axes.latency),
        "cost": figure_json(axes.cost),
        "precision": figure_json(axes.precision),
        "composite": figure_json(axes.composite),
    }
    return value if axes.binding is None else {**value, "binding": axes.binding}


def _objectives(judged: Sequence[JudgedObjective], measured: Sequence[ObjectiveMeasure]) -> list[JsonValue]:
    """Sorted by name; the measures come in the same order as what was judged of them."""
    rows = [(o.name, o.target, _objective(o, m)) for o, m in zip(judged, measured, strict=True)]
    return [row for _, _, row in sorted(rows, key=lambda row: row[:2])]


def _objective(judged: JudgedObjective, measured: ObjectiveMeasure) -> Json:
    value: Json = {
        "axis": judged.axis,
        "name": judged.name,
        "target": number(judged.target),
        "estimate": measure_json(judged.estimate),
        "verdict": judged.verdict,
        "why": judged.why,
        "guard": number(judged.guard),
        "unit": measured.unit,
        "abstained": measured.abstained,
        "unvalidated": measured.unvalidated,
    }
    for key, measure in (
        ("if_abstained_fail", measured.if_abstained_fail),
        ("if_abstained_pass", measured.if_abstained_pass),
    ):
        if measure is not None:
            value[key] = measure_json(measure)
    value |= known({"point": measured.point, "floor": measured.floor})
    return value | known({"bound": judged.bound, "more": judged.more, "units": measured.units})
