import json
from dataclasses import replace

import pytest
from build_card import a_scorecard, a_variant_card
from build_front import a_front, some_winners

from triaxis.adapters.json_schemas import JsonSchemaPackage
from triaxis.domain.canonical import canonical_json
from triaxis.domain.frontier import Front, Winners
from triaxis.domain.scorecard import Scorecard
from triaxis.rules.cards.card import to_json
from triaxis.rules.cards.front import front_json, front_of, winners_of
from triaxis.wiring import file_schema

SPARSE = Front(points=a_front().points, outside={"dark": "it has no latency: not probed"})


def a_card(front: Front | None, winners: Winners | None) -> Scorecard:
    return replace(a_scorecard(small=a_variant_card()), front=front, winners=winners)


@pytest.mark.parametrize(
    ("front", "winners"),
    [(a_front(), some_winners()), (SPARSE, Winners(outside={"dark": "not probed"})), (None, None)],
)
def test_what_is_written_reads_back_and_fits_the_published_schema(front: Front | None, winners: Winners | None) -> None:
    value = json.loads(canonical_json(to_json(a_card(front, winners))))
    assert (front_of(value), winners_of(value)) == (front, winners)
    schema, own = file_schema("scorecard"), front_json(a_card(front, winners))
    for key, part in json.loads(canonical_json(own)).items():
        assert JsonSchemaPackage().misfit({**schema, "required": [key]}, {key: part}) is None


def test_the_contracts_keys_stand_at_the_top() -> None:
    value = json.loads(canonical_json(front_json(a_card(a_front(), some_winners()))))
    assert (value["pareto"], value["dominated"]) == (["big", "small"], {"slow": ["big", "small"]})
    assert value["pareto_share"] == {"big": 1, "slow": 0.125, "small": 0.75}
    assert value["winner_by_weights"]["along"]["latency"][1] == {"from": 0.47, "to": 1, "variants": ["small"]}


def test_a_card_of_a_release_without_them_has_none() -> None:
    assert front_json(a_card(None, None)) == {}
