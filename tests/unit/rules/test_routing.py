"""How a routed variant decides, in words."""

from __future__ import annotations

import pytest

from triaxis.domain.router import Cascade, Classifier, Escalation, KeywordRule, Keywords, Router
from triaxis.domain.variant import ModelVariant, RoutedVariant
from triaxis.rules.routes.routing import how

ARMS = {"simple": "small", "complex": "big"}
FREE = "Its own cost and latency are negligible and were not measured."
STEPS = Escalation(when="confidence", dimension="sure", below=0.7)


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        (
            RoutedVariant(name="r", router=Router(by="field", field="route", arms=ARMS)),
            f"The route is the case's `route`. {FREE}",
        ),
        (
            RoutedVariant(
                name="r",
                router=Router(by="keyword", arms=ARMS, rule=Keywords(rules=(KeywordRule(any=("a",), arm="simple"),))),
            ),
            f"The route is found by keyword before anything is asked. {FREE}",
        ),
        (
            RoutedVariant(name="r", router=Router(by="classifier", arms=ARMS, rule=Classifier(learns="intent"))),
            (
                "It learned `intent` from words and pairs of words, in 5 folds with seed 1: no case is routed by a "
                f"model that has seen it or its session. {FREE}"
            ),
        ),
        (
            RoutedVariant(
                name="r",
                router=Router(by="classifier", arms=ARMS, default="big", rule=Classifier(learns="intent")),
                caller=ModelVariant(name="r", model="openai/embed", embeds=True),
            ),
            (
                "It learned `intent` from the embeddings that openai/embed makes, in 5 folds with seed 1: no case is "
                "routed by a model that has seen it or its session. Their calls are in the variant's cost and latency."
            ),
        ),
        (
            RoutedVariant(
                name="r",
                router=Router(by="model", arms=ARMS, default="big"),
                caller=ModelVariant(name="r", model="openai/router"),
            ),
            "openai/router is asked for every route; its calls are in the variant's cost and latency.",
        ),
        (
            RoutedVariant(name="r", router=Cascade(first="small", second="big", escalate=STEPS)),
            (
                "small answers, and big where the confidence sure of its answer is under 0.7 or could not be taken. "
                "An escalated case costs both calls and waits for both."
            ),
        ),
    ],
)
def test_how_it_decides(variant: RoutedVariant, says: str) -> None:
    assert how(variant) == says
