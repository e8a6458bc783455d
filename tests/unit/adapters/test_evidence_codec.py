"""Values of the domain come back from their JSON as they were."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from triaxis.adapters.evidence.codec import decode, encode
from triaxis.domain.router import Classifier, Router
from triaxis.domain.rubric import Dimension, PythonFunction, Similarity
from triaxis.domain.variant import ModelVariant, RoutedVariant

SEEING = PythonFunction(file="e.py", function="f", source="x")
ROUTED = RoutedVariant(
    name="r",
    router=Router(by="classifier", rule=Classifier(learns="route"), arms={"a": "b"}, default="b"),
    caller=ModelVariant(name="r", model="openai/embed", params={"dimensions": 64}, embeds=True),
)


@pytest.mark.parametrize(
    "evaluator", [SEEING, replace(SEEING, blind=True), Similarity(model="openai/embed", params={"dimensions": 2})]
)
def test_a_dimension(evaluator: PythonFunction | Similarity) -> None:
    """A function that is shown nothing of ground truth among them."""
    dimension = Dimension(name="d", evaluator=evaluator)
    assert decode(Dimension, json.loads(encode(dimension))) == dimension


@pytest.mark.parametrize("caller", [ROUTED.caller, None])
def test_a_routed_variant(caller: ModelVariant | None) -> None:
    variant = replace(ROUTED, caller=caller)
    assert decode(RoutedVariant, json.loads(encode(variant))) == variant
