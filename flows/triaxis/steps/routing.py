"""Decides routes before anything is asked: by rules, by the workspace's own function, by what the dataset teaches."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never, cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.router import Classifier, Keywords, Patterns, Router, RouterFunction
from triaxis.domain.routes import Routes
from triaxis.domain.variant import RoutedVariant
from triaxis.errors import Fault, InputFaults
from triaxis.ports.routing import RouteFunctions, RouteLearner, Routing
from triaxis.rules.evaluators.caught import Caught
from triaxis.rules.route import DIGITS, input_text, lost, routes_by_rule, seen_by_router
from triaxis.rules.routes.cross_fitting import Fold, folds

_MOST_FAULTS = 20
_PAIR = 2
Decision: TypeAlias = tuple[str | None, float | None]


def routed(inputs: Inputs, routing: Routing, config: str) -> Inputs:
    """The inputs with the decisions of every router that decides now.

    Those of a cascade, of a model and of a classifier of embeddings come with the answers; of the last it is made sure
    that it has routes to learn.

    Raises:
        InputFaults: with every case for which a router fails or names no arm, and every one that cannot be trained.
    """
    faults: list[Fault] = []
    found: dict[str, Routes] = {}
    for variant in inputs.routed:
        router = variant.router
        if not isinstance(router, Router) or router.rule is None:
            continue
        told = _Faults(faults, config, variant)
        if isinstance(router.rule, Classifier) and variant.caller is not None:
            _taught(router.rule, inputs.cases, told)
            continue
        routes = _decided(variant, router, inputs.cases, routing, told)
        if routes is not None:
            found[variant.name] = routes
    if faults:
        raise InputFaults(*faults)
    return replace(inputs, routes=found)


@dataclass(frozen=True, slots=True)
class _Faults:
    found: list[Fault]
    config: str
    variant: RoutedVariant

    def add(self, problem: str, advice: str, *, case: str = "", file: str | None = None) -> None:
        field = f"variants.{self.variant.name}.router"
        fault = Fault(file=file or self.config, case=case, field=field, problem=problem, advice=advice)
        self.found.append(fault)


def _decided(
    variant: RoutedVariant, router: Router, cases: Sequence[Case], routing: Routing, faults: _Faults
) -> Routes | None:
    match router.rule:
        case Keywords() | Patterns() as rule:
            routes = routes_by_rule(rule, cases)
        case RouterFunction() as rule:
            routes = _by_function(rule, router, cases, routing.functions, faults)
        case Classifier() as rule:
            routes = _by_classifier(rule, cases, routing.learner, faults)
        case None:
            return None
        case _:
            assert_never(router.rule)
    if routes is not None:
        _tell_lost(variant, cases, routes, faults)
    return routes


def _tell_lost(variant: RoutedVariant, cases: Sequence[Case], routes: Routes, faults: _Faults) -> None:
    for route, ids in lost(variant, cases, routes.routes).items():
        what = "is given no route" if route is None else f"is given the route {route[:60]!r}"
        more = f" (and {len(ids) - 1} more)" if len(ids) > 1 else ""
        advice = "Add an arm for it, or a `default:` variant that answers every other case."
        faults.add(f"the case {what}{more}, for which there is no arm", advice, case=ids[0])


def _by_function(
    rule: RouterFunction, router: Router, cases: Sequence[Case], functions: RouteFunctions, faults: _Faults
) -> Routes | None:
    before = len(faults.found)
    decisions = list(_called(rule, router, cases, functions, faults))
    if len(faults.found) > before:
        return None
    return _routes(decisions)


def _called(
    rule: RouterFunction, router: Router, cases: Sequence[Case], functions: RouteFunctions, faults: _Faults
) -> Iterator[Decision]:
    wrong = 0
    for case in cases:
        decision = _asked(rule, functions, seen_by_router(case, router.oracle))
        if isinstance(decision, str):
            wrong += 1
            if wrong <= _MOST_FAULTS:
                advice = "Return a route, (route, confidence from 0 to 1), or None for the default."
                faults.add(f"{rule.function} {decision}", advice, case=case.id, file=rule.file)
        else:
            yield decision
    if wrong > _MOST_FAULTS:
        faults.add(f"{rule.function} fails for {wrong - _MOST_FAULTS} more cases", "Correct it.", file=rule.file)


def _asked(rule: RouterFunction, functions: RouteFunctions, case: Mapping[str, JsonValue]) -> Decision | str:
    with Caught() as caught:
        return _read(functions.route(rule, case))
    return caught.why


def _read(said: object) -> Decision | str:
    """The decision that a function returned, or what is wrong with it."""
    if said is None or isinstance(said, str):
        return said, None
    pair = cast("tuple[object, ...]", said) if isinstance(said, tuple) else ()
    if len(pair) != _PAIR:
        return f"returned a value of type {type(cast('object', said)).__name__}"
    route, sure = pair
    if route is not None and not isinstance(route, str):
        return f"returned a route of type {type(route).__name__}"
    if not isinstance(sure, numbers.Real) or not 0 <= float(sure) <= 1:
        return f"returned the confidence {sure!r:.60}"
    return route, float(sure)


def _by_classifier(rule: Classifier, cases: Sequence[Case], learner: RouteLearner, faults: _Faults) -> Routes | None:
    """Every fold by a model of the labelled cases of all others, so that no case is routed by what has seen it."""
    texts, found = [input_text(case) for case in cases], list[Decision]([(None, None)] * len(cases))
    dealt = _taught(rule, cases, faults)
    for fold in dealt or ():
        said = learner.learned([texts[i] for i in fold.taught], fold.labels, [texts[i] for i in fold.held])
        for i, decision in zip(fold.held, said, strict=True):
            found[i] = decision
    return None if dealt is None else _routes(found)


def _taught(rule: Classifier, cases: Sequence[Case], faults: _Faults) -> Sequence[Fold] | None:
    """The folds; None after a fault for the first that the others cannot teach."""
    dealt = tuple(folds(rule, cases))
    poor = next((fold.number for fold in dealt if not fold.teachable), None)
    if poor is not None:
        problem = f"fewer than two routes are left to learn {rule.learns} from when fold {poor + 1} is held out"
        faults.add(problem, f"Label more cases with `{rule.learns}`, or lower `folds`.")
    return dealt if poor is None else None


def _routes(decisions: Sequence[Decision]) -> Routes:
    return Routes(
        routes=tuple(route for route, _ in decisions),
        confidence=tuple(None if sure is None else round(sure, DIGITS) for _, sure in decisions),
    )
