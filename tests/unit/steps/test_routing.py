"""Routes that are decided before anything is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_measures import a_model, some_inputs

from triaxis.adapters.python_evaluators import PythonSources
from triaxis.adapters.route_classifier import EmbeddingLearner, TfidfLearner
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.router import (
    By,
    Cascade,
    Classifier,
    Escalation,
    KeywordRule,
    Keywords,
    Router,
    RouterFunction,
    Rule,
)
from triaxis.domain.routes import Routes, routes_sha256
from triaxis.domain.variant import RoutedVariant
from triaxis.errors import InputFaults
from triaxis.ports.routing import Routing
from triaxis.rules.route import fold_of
from triaxis.steps.routing import routed

ROUTING = Routing(functions=PythonSources(), learner=TfidfLearner(), vectors=EmbeddingLearner())
ARMS = {"simple": "small", "complex": "base"}
CASES = tuple(
    Case(
        id=f"c{i:03}",
        input=f"my card fee {i}" if i % 2 else f"mortgage abroad {i}",
        expected="yes",
        route="simple" if i % 2 else "complex",
    )
    for i in range(40)
)


def an_evaluation(rule: Rule | None, by: By, *, default: str | None = None, cases: tuple[Case, ...] = CASES) -> Inputs:
    router = Router(by=by, rule=rule, arms=ARMS, default=default, oracle="route")
    return some_inputs(a_model(), a_model("small"), RoutedVariant(name="via", router=router), cases=cases)


def code(body: str) -> RouterFunction:
    return RouterFunction(file="routers/r.py", function="route", source=f"def route(case):\n    {body}\n")


def decisions(inputs: Inputs) -> Routes:
    return routed(inputs, ROUTING, "evaluation.yaml").routes["via"]


def problems(inputs: Inputs) -> list[tuple[str, str, str]]:
    with pytest.raises(InputFaults) as raised:
        routed(inputs, ROUTING, "evaluation.yaml")
    return [(fault.file, fault.case, fault.problem) for fault in raised.value.faults]


def test_rules_decide_by_the_text() -> None:
    rule = Keywords(rules=(KeywordRule(any=("fee",), arm="simple"), KeywordRule(any=("mortgage",), arm="complex")))
    assert decisions(an_evaluation(rule, "keyword")).routes == ("complex", "simple") * 20


def test_a_function_decides_and_may_say_how_sure_it_is() -> None:
    found = decisions(an_evaluation(code("return ('simple', 0.75) if 'fee' in case['input'] else 'complex'"), "python"))
    assert found == Routes(routes=("complex", "simple") * 20, confidence=(None, 0.75) * 20)


def test_a_function_sees_no_ground_truth() -> None:
    """A router that looks for it finds nothing, and so leaves every case to the default."""
    rule = code("return case.get('expected') or case.get('route')")
    assert set(decisions(an_evaluation(rule, "python", default="base")).routes) == {None}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 1 / 0", "route raised ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "route raised SystemExit: 3"),
        ("return 3", "route returned a value of type int"),
        ("return ('simple', 0.5, 1)", "route returned a value of type tuple"),
        ("return (3, 0.5)", "route returned a route of type int"),
        ("return ('simple', 2)", "route returned the confidence 2"),
        ("return ('simple', 'very')", "route returned the confidence 'very'"),
    ],
)
def test_a_function_that_fails_is_told_of_case_by_case(body: str, says: str) -> None:
    """Twenty of them by name, and the rest by their number."""
    found = problems(an_evaluation(code(body), "python"))
    assert found[:2] == [("routers/r.py", "", "route fails for 20 more cases"), ("routers/r.py", "c000", says)]
    assert len(found) == 21


def test_a_route_without_an_arm_is_told() -> None:
    rule = code("return 'simple' if 'fee' in case['input'] else 'odd'")
    assert problems(an_evaluation(rule, "python")) == [
        ("evaluation.yaml", "c000", "the case is given the route 'odd' (and 19 more), for which there is no arm")
    ]
    one = an_evaluation(code("return None if case['id'] == 'c003' else 'simple'"), "python")
    assert problems(one) == [("evaluation.yaml", "c003", "the case is given no route, for which there is no arm")]


def test_a_classifier_learns_the_routes() -> None:
    found = decisions(an_evaluation(Classifier(learns="route"), "classifier"))
    assert found.routes == ("complex", "simple") * 20
    assert all(sure is not None and 0.5 < sure <= 1 for sure in found.confidence)
    assert found == decisions(an_evaluation(Classifier(learns="route"), "classifier"))


def test_no_case_is_routed_by_a_model_that_has_seen_it() -> None:
    """One word is in two cases alone, which are of one fold and of a route of their own: nobody can learn it."""
    rule, places = Classifier(learns="route", folds=5, seed=1), list(range(len(CASES)))
    fold = fold_of(CASES[0], rule.folds, rule.seed)
    same = [i for i in places if fold_of(CASES[i], rule.folds, rule.seed) == fold][:2]
    cases = tuple(replace(c, input="zebra", route="odd") if i in same else c for i, c in enumerate(CASES))
    found = decisions(an_evaluation(rule, "classifier", default="base", cases=cases))
    assert "odd" not in [found.routes[i] for i in same]


def test_a_case_without_a_label_is_routed_and_teaches_nothing() -> None:
    cases = tuple(replace(c, route=None) if i < 10 else c for i, c in enumerate(CASES))
    found = decisions(an_evaluation(Classifier(learns="route"), "classifier", cases=cases))
    assert found.routes == ("complex", "simple") * 20


def test_one_route_alone_teaches_nothing() -> None:
    cases = tuple(replace(case, route="simple") for case in CASES)
    (found,) = problems(an_evaluation(Classifier(learns="route"), "classifier", cases=cases))
    assert found[2] == "fewer than two routes are left to learn route from when fold 1 is held out"


def test_what_is_decided_later_is_left_for_later() -> None:
    cascade = Cascade(
        first="small", second="base", escalate=Escalation(when="check", dimension="resolution", below=1.0)
    )
    field = Router(by="field", field="route", arms=ARMS)
    views = (RoutedVariant(name="a", router=cascade), RoutedVariant(name="b", router=field))
    assert routed(some_inputs(a_model(), *views, cases=CASES), ROUTING, "evaluation.yaml").routes == {}


def test_other_decisions_are_other_inputs() -> None:
    one = Routes(routes=("simple",), confidence=(0.5,))
    hashes = {routes_sha256({"via": r}) for r in (one, replace(one, routes=(None,)), replace(one, confidence=(0.6,)))}
    assert len(hashes) == 3
