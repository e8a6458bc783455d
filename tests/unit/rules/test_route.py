"""A routed variant answers with the arm that its field names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triaxis.domain.case import Case, Message, Step
from triaxis.domain.router import KeywordRule, Keywords, PatternRule, Patterns, Router
from triaxis.domain.routes import Routes
from triaxis.domain.variant import RoutedVariant
from triaxis.rules.route import (
    LONGEST,
    decision_of,
    decision_text,
    fold_of,
    input_text,
    lost,
    oracle_arm_of,
    route_named,
    routes_by_rule,
    seen_by_router,
)

ARMS = {"simple": "small", "complex": "big"}


def routed(*, default: str | None = None, oracle: str | None = None) -> RoutedVariant:
    router = Router(by="field", field="route", arms=ARMS, default=default, oracle=oracle)
    return RoutedVariant(name="routed", router=router)


@pytest.mark.parametrize(
    ("route", "default", "arm"),
    [
        ("simple", None, "small"),
        ("complex", "small", "big"),
        ("odd", None, None),
        ("odd", "big", "big"),
        (None, "big", "big"),
    ],
)
def test_arm(route: str | None, default: str | None, arm: str | None) -> None:
    assert routed(default=default).arm(route) == arm


def test_oracle() -> None:
    """The right arm is that of the right route, where the case names one that has an arm; no default stands in."""
    assert oracle_arm_of(routed(), "complex") == "big"
    assert oracle_arm_of(routed(default="small"), "odd") is None
    assert oracle_arm_of(routed(default="small"), None) is None


def test_the_first_rule_of_words_decides() -> None:
    """Whole words, in capitals or not; a sign in a phrase is no pattern."""
    rule = Keywords(
        rules=(KeywordRule(any=("fee", "c++"), arm="simple"), KeywordRule(any=("mortgage",), arm="complex"))
    )
    texts = ["The FEE of a mortgage", "A mortgage.", "Coffee", "On C++ and", "c+"]
    found = routes_by_rule(rule, [Case(id=str(i), input=text) for i, text in enumerate(texts)])
    assert found == Routes(routes=("simple", "complex", None, "simple", None), confidence=(None,) * 5)


def test_an_expression_is_looked_for_in_what_the_user_said() -> None:
    rule = Patterns(rules=(PatternRule(pattern=r"\d{4}", arm="complex"),))
    told = (
        Message(role="system", content="1234"),
        Message(role="user", content="a"),
        Message(role="user", content="b"),
    )
    cases = [
        Case(id="a", input="pin 1234"),
        Case(id="b", input=told),
        Case(id="c", input="x" * LONGEST + "1234"),
    ]
    assert routes_by_rule(rule, cases).routes == ("complex", None, None)
    assert input_text(cases[1]) == "a\nb"


def test_a_router_sees_what_production_knows() -> None:
    case = Case(
        id="c",
        input="?",
        expected="yes",
        context="so",
        slice={"kind": "faq", "right": "big"},
        route="simple",
        steps=(Step(name="s", success=True),),
        value=1.0,
        session="s1",
    )
    seen = {"id": "c", "input": "?", "context": "so", "session": "s1"}
    assert seen_by_router(case, "right") == {**seen, "slice": {"kind": "faq"}}
    assert seen_by_router(case, None) == {**seen, "slice": dict(case.slice)}
    assert seen_by_router(replace(case, slice={}), "right") == seen


def test_a_session_is_in_one_fold_and_other_cases_move_none() -> None:
    folds = [fold_of(Case(id=str(i), input="", session=f"s{i // 4}"), 5, 1) for i in range(400)]
    assert all(len(set(folds[i : i + 4])) == 1 for i in range(0, 400, 4))
    assert set(folds) == set(range(5))
    assert folds != [fold_of(Case(id=str(i), input="", session=f"s{i // 4}"), 5, 2) for i in range(400)]
    assert fold_of(Case(id="s1", input=""), 100, 1) != fold_of(Case(id="x", input="", session="s1"), 100, 1)


@pytest.mark.parametrize(
    ("reply", "route"),
    [
        ("simple", "simple"),
        (" Simple. ", "simple"),
        ('"complex"', "complex"),
        ("The route is complex.", "complex"),
        ("simple or complex", None),
        ("simpleton", None),
        ("not simple", "not simple"),
        ("I say: not simple", None),
        ("", None),
        (None, None),
    ],
)
def test_the_one_route_that_a_reply_names(reply: str | None, route: str | None) -> None:
    """`not simple` holds `simple`: said alone it is itself, said in a sentence it could be either."""
    assert route_named(reply, ("simple", "complex", "not simple")) == route


def test_cases_without_an_arm_are_told_by_route() -> None:
    cases = [Case(id=str(i), input="") for i in range(4)]
    assert lost(routed(), cases, ["simple", "odd", None, "odd"]) == {"odd": ["1", "3"], None: ["2"]}
    assert lost(routed(default="big"), cases, [None] * 4) == {}


def test_a_decision_that_stands_in_the_place_of_an_answer_is_read_back() -> None:
    assert decision_text("simple", 0.75) == '{"confidence":0.75,"route":"simple"}'
    assert decision_of(decision_text('a "route"', 1)) == ('a "route"', 1.0)


@pytest.mark.parametrize("said", [None, "", "[]", "{}", '"simple"', '{"route": "simple"}', "7", "null"])
def test_where_nothing_was_decided_there_is_no_route(said: str | None) -> None:
    assert decision_of(said) == (None, None)
