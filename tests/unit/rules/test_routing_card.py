import json
from dataclasses import replace
from importlib.resources import files

import pytest
from build_card import a_scorecard, a_variant_card, some_measures
from build_routing import a_bare_routing, a_routing, a_sweep

from triaxis.adapters.evidence.codec import decode, encode
from triaxis.adapters.json_schemas import JsonSchemaPackage
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.routing import Routing
from triaxis.quantities import Absent
from triaxis.rules.cards.card import to_json
from triaxis.rules.cards.reader import from_json
from triaxis.rules.cards.routing import routing_json, routing_of

NO_GAP = Absent("the strong arm is no better than the weak one")
ROUTINGS = (
    a_routing(),
    a_bare_routing(),
    a_routing(replace(a_sweep(), apgr=NO_GAP, cpt={"50%": NO_GAP, "80%": NO_GAP})),
)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_what_is_written_is_read_back_and_fits_the_schema(routing: Routing) -> None:
    assert routing_of(json.loads(json.dumps(routing_json(routing)))) == routing
    schema = json.loads((files("triaxis.domain") / "schemas/scorecard.schema.json").read_text())
    of_routing = {"$defs": schema["$defs"], "$ref": "#/$defs/routing"}
    assert JsonSchemaPackage().misfit(of_routing, routing_json(routing)) is None


@pytest.mark.parametrize("routing", ROUTINGS)
def test_it_stands_in_the_card_and_comes_back_with_it(routing: Routing) -> None:
    measures = replace(some_measures("routed"), routing=routing)
    card = to_json(a_scorecard(routed=a_variant_card("hold", measures=measures)))
    assert from_json(card).variants["routed"].measures.routing == routing


@pytest.mark.parametrize("routing", ROUTINGS)
def test_measures_keep_it(routing: Routing) -> None:
    measures = replace(some_measures("routed"), routing=routing)
    assert decode(VariantMeasures, json.loads(encode(measures))) == measures


def test_what_does_not_route_says_nothing_of_it() -> None:
    card = to_json(a_scorecard(small=a_variant_card("hold", measures=some_measures("small"))))
    assert "routing" not in json.dumps(card)
