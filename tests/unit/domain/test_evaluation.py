from __future__ import annotations

from dataclasses import replace

from build_imports import an_import
from build_measures import a_model, some_cases, some_inputs

from triaxis.domain.router import Router
from triaxis.domain.routes import Routes
from triaxis.domain.rubric import Dimension, Exact, Judged, JudgeModel
from triaxis.domain.variant import RoutedVariant

CASES = some_cases(1)
VIEW = RoutedVariant(name="via", router=Router(by="field", field="route", arms={"simple": "past"}))


def test_variants_are_told_by_where_their_answers_come_from() -> None:
    inputs = some_inputs(an_import("past"), a_model("small"), VIEW, cases=CASES)
    assert [v.name for v in inputs.generated] == ["small"]
    assert [v.name for v in inputs.imported] == ["past"]
    assert [v.name for v in inputs.routed] == ["via"]
    assert [v.name for v in inputs.answering] == ["past", "small"]


def test_models_are_called_for_answers_and_by_judges() -> None:
    judges = (JudgeModel(name="cheap", model="openai/small"),)
    judged = Dimension(name="tone", evaluator=Judged(path="", template="", judges=judges))
    off = Dimension(name="tone", evaluator=judged.evaluator, enabled=False)
    exact = Dimension(name="exact", evaluator=Exact())
    assert some_inputs(a_model(), cases=CASES).asks
    assert some_inputs(an_import(), cases=CASES, dimensions=(exact, judged)).asks
    assert not some_inputs(an_import(), VIEW, cases=CASES, dimensions=(exact, off)).asks


def test_over_some_cases_routers_decided_what_they_decided_about_these() -> None:
    cases = some_cases(3)
    decided = Routes(routes=("simple", None, "complex"), confidence=(0.9, None, 0.6))
    inputs = replace(some_inputs(a_model(), cases=cases), routes={"via": decided})
    some = inputs.over((cases[0], cases[2]))
    assert some.cases == (cases[0], cases[2])
    assert some.routes == {"via": Routes(routes=("simple", "complex"), confidence=(0.9, 0.6))}
