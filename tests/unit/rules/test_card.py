import json
from dataclasses import fields, replace
from importlib.resources import files

import pytest
from build_card import a_difference, a_scorecard, a_variant_card, an_estimate, an_objective, some_facts, some_measures

from triaxis.adapters.json_schemas import JsonSchemaPackage
from triaxis.domain.canonical import JsonValue, canonical_json, sha256_json
from triaxis.domain.measures import ObjectiveMeasure
from triaxis.domain.scorecard import Axes, Compared, CreatedFrom, GroundTruth, Scorecard
from triaxis.domain.slo import Weights
from triaxis.errors import StoreDamaged
from triaxis.quantities import Above, Absent
from triaxis.rules.cards.card import identified, to_json
from triaxis.rules.cards.reader import from_json
from triaxis.rules.cards.values import measure_json, number

QUANTILES = {kind: dict.fromkeys(("p50", "p95", "p99"), an_estimate(700.0, 50)) for kind in ("full", "ttft")}


def a_full_card() -> Scorecard:
    """A card that has everything a card can have, and a baseline that lacks what can be lacking."""
    given = some_measures("small", levers=("stop", "max_tokens"))
    failing = {kind: {**values, "p99": Above(60_000.0)} for kind, values in QUANTILES.items()}
    measures = replace(
        given,
        route_arms={"simple": "small"},
        latency=replace(given.latency, quantiles=failing, successes=QUANTILES),
        objectives=(
            ObjectiveMeasure(
                estimate=an_estimate(0.9),
                if_abstained_fail=an_estimate(0.8),
                if_abstained_pass=Absent("none"),
                units=80,
                abstained=2,
                unvalidated=True,
            ),
            ObjectiveMeasure(estimate=Absent("no probe was made"), unit="requests", point=950.0, floor=900.0),
        ),
        against_baseline={"cost.per_request": Absent("why"), "precision.format": a_difference()},
    )
    small = replace(
        a_variant_card(
            "inconclusive",
            measures=measures,
            objectives=(
                replace(an_objective(), more=12),
                replace(an_objective(name="latency.full.p95"), bound=None, point=950.0),
            ),
            compared={
                "cost.per_request": Compared(
                    difference=Absent("why"), verdict="inconclusive", gated=False, margin=None
                ),
                "precision.format": Compared(difference=a_difference(), verdict="better", gated=True, margin=0.02),
            },
        ),
        axes=Axes(latency=0.5, cost=Absent("no tolerance"), precision=0.9, composite=Absent("cost"), binding=None),
    )
    base = some_measures("base", p95_ms=None)
    nothing = {kind: dict.fromkeys(("p50", "p95", "p99"), Absent("no probe")) for kind in ("full", "ttft")}
    card = a_scorecard(
        small=small,
        base=a_variant_card(
            measures=replace(
                base,
                latency=replace(base.latency, quantiles=nothing, successes=nothing),
                cost=replace(base.cost, cached_share=None),
            )
        ),
    )
    return identified(
        replace(
            card,
            created_from=CreatedFrom(**{f.name: sha256_json(f.name) for f in fields(CreatedFrom)}),
            weights=Weights(latency=0.4, cost=0.2, precision=0.4, because="a person is waiting"),
            off={"tone": "no judge model is configured"},
            weighted_to_mix=True,
            ground_truth=GroundTruth(cases=80, success=False, failed=("unique id",), quarantined=("c1",)),
        )
    )


def misfit(value: JsonValue) -> str | None:
    """What the published schema finds wrong with a value, once it has been through a file."""
    text = files("triaxis.domain").joinpath("schemas/scorecard.schema.json").read_text()
    return JsonSchemaPackage().misfit(json.loads(text), json.loads(canonical_json(value)))


def test_the_id_is_the_hash_of_the_rest() -> None:
    card = a_full_card()
    rest = {key: value for key, value in to_json(card).items() if key != "id"}
    assert card.id == sha256_json(rest)[:16]
    assert identified(replace(card, id="something else")) == card
    assert identified(replace(card, name="other")).id != card.id


@pytest.mark.parametrize("card", [a_full_card(), replace(a_full_card(), weights=None, ground_truth=None)])
def test_a_card_fits_its_published_schema(card: Scorecard) -> None:
    assert misfit(to_json(card)) is None


@pytest.mark.parametrize(
    "damage",
    [{"id": "short"}, {"extra": 1}, {"variants": {"small": {}}}, {"mix": "some mix"}, {"created_from": {}}],
)
def test_the_schema_refuses_what_is_no_card(damage: dict[str, JsonValue]) -> None:
    assert misfit({**to_json(a_full_card()), **damage}) is not None


def test_the_contracts_keys_stand_where_they_must() -> None:
    value = json.loads(canonical_json(to_json(a_full_card())))
    assert {"schema_version", "method_version", "id", "name", "created_from", "baseline", "variants"} <= set(value)
    small = value["variants"]["small"]
    assert {
        "levers",
        "route_arms",
        "n",
        "latency",
        "cost",
        "precision",
        "axes",
        "objectives",
        "against_baseline",
        "verdict",
        "reasons",
    } == set(small)
    assert small["latency"]["full"]["p99"] == {"above": 60000}
    assert small["latency"]["error_rate"]["value"] == 0.01
    assert small["cost"]["spent_usd"] == "0.16"
    assert small["axes"]["cost"] == {"absent": "no tolerance"}
    assert small["levers"] == ["max_tokens", "stop"]
    assert [objective["name"] for objective in small["objectives"]] == ["latency.full.p95", "precision.format"]
    assert small["against_baseline"]["precision.format"]["verdict"] == "better"
    assert small["against_baseline"]["cost.per_request"] == {
        "absent": "why",
        "gated": False,
        "verdict": "inconclusive",
    }
    assert value["mix"] == "production mix"
    assert json.loads(canonical_json(to_json(a_scorecard())))["mix"] == "dataset mix, not production mix"


def test_what_is_read_back_writes_the_same_bytes() -> None:
    written = canonical_json(to_json(a_full_card()))
    read = from_json(json.loads(written))
    assert canonical_json(to_json(read)) == written
    assert identified(read).id == read.id


def test_imported_times_have_no_sender_to_speak_of() -> None:
    card = a_full_card()
    small = card.variants["small"]
    latency = replace(small.measures.latency, facts=replace(some_facts(), client="imported", lag_p99_ms=None))
    imported = replace(small, measures=replace(small.measures, latency=latency))
    value = json.loads(canonical_json(to_json(replace(card, variants={**card.variants, "small": imported}))))
    probe = value["variants"]["small"]["latency"]["probe"]
    assert (probe["client"], "lag_p99_ms" in probe) == ("imported", False)
    read = from_json(value).variants["small"].measures.latency.facts
    assert read is not None
    assert read.lag_p99_ms is None
    assert misfit(value) is None


def test_what_is_read_back_is_what_was_written() -> None:
    """Up to the rounding of figures, which a second pass does not repeat."""
    card = a_full_card()
    read = from_json(json.loads(canonical_json(to_json(card))))
    assert from_json(json.loads(canonical_json(to_json(read)))) == read
    assert (read.id, read.off, read.weights, read.ground_truth) == (card.id, card.off, card.weights, card.ground_truth)
    small, again = card.variants["small"], read.variants["small"]
    assert again.axes == small.axes
    assert [(o.name, o.verdict, o.more, o.bound) for o in again.objectives] == [
        ("latency.full.p95", "pass", None, None),
        ("precision.format", "pass", 12, 0.85),
    ]
    assert [(o.units, o.abstained, o.unvalidated) for o in again.measures.objectives] == [
        (None, 0, False),
        (80, 2, True),
    ]
    assert again.measures.cost.spent_usd == small.measures.cost.spent_usd


def _without(value: dict[str, JsonValue], key: str) -> dict[str, JsonValue]:
    return {k: v for k, v in value.items() if k != key}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {**to_json(a_full_card()), "schema_version": 2},
        {**to_json(a_full_card()), "name": 3},
        {**to_json(a_full_card()), "slo": "none"},
        {**to_json(a_full_card()), "ground_truth": {"cases": "many", "success": True, "failed": [], "quarantined": []}},
        {**to_json(a_full_card()), "ground_truth": {"cases": 1, "success": 1, "failed": [], "quarantined": []}},
        {**to_json(a_full_card()), "ground_truth": {"cases": 1, "success": True, "failed": "all", "quarantined": []}},
        _without(to_json(a_full_card()), "variants"),
    ],
)
def test_damage_is_named_and_says_what_to_do(value: JsonValue) -> None:
    with pytest.raises(StoreDamaged, match=r"the scorecard is damaged or of another version.*Run `triaxis run`"):
        from_json(value)


@pytest.mark.parametrize(
    ("value", "rounded"), [(1 / 3, 0.333333333333), (123456789.123456789, 123456789.123), (-0.0, 0.0), (2, 2.0)]
)
def test_numbers_have_twelve_significant_digits(value: float, rounded: float) -> None:
    assert number(value) == rounded
    assert str(number(value)) == str(rounded)


def test_figures_that_are_none_say_so() -> None:
    assert measure_json(Absent("no probe was made")) == {"absent": "no probe was made"}
    assert measure_json(Above(60_000.0)) == {"above": 60_000.0}
