"""Which route a case takes, and so which arm of a routed variant answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias, assert_never

from triaxis.domain.canonical import JsonValue, canonical_json, read_json
from triaxis.domain.case import Case
from triaxis.domain.router import Keywords, Patterns
from triaxis.domain.routes import Routes
from triaxis.domain.variant import RoutedVariant

DIGITS = 6
"""Of a confidence: the last bits of a processor's sums decide nothing."""
LONGEST = 10_000
"""Characters of an input that rules look at, so that no text makes an expression run for long."""
_UNSEEN = ("expected", "route", "steps", "value")
"""What of a case only ground truth knows."""
_QUOTE = re.compile(r"[\s\"'`*.,:;]+")

Find: TypeAlias = Callable[[str], str | None]


def routes_by_rule(rule: Keywords | Patterns, cases: Iterable[Case]) -> Routes:
    """What rules over the text of the input decide; they are never more or less sure of it."""
    find = _finder(rule)
    routes = tuple(find(input_text(case)[:LONGEST]) for case in cases)
    return Routes(routes=routes, confidence=(None,) * len(routes))


def _finder(rule: Keywords | Patterns) -> Find:
    match rule:
        case Keywords(rules=rules):
            return _first([(_words(r.any), r.arm) for r in rules])
        case Patterns(rules=rules):
            return _first([(re.compile(r.pattern), r.arm) for r in rules])
        case _:
            assert_never(rule)


def _words(phrases: Sequence[str]) -> re.Pattern[str]:
    """Any of the phrases as whole words, whatever their case."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)", re.IGNORECASE)


def _first(rules: Sequence[tuple[re.Pattern[str], str]]) -> Find:
    return lambda text: next((arm for pattern, arm in rules if pattern.search(text)), None)


def input_text(case: Case) -> str:
    """What the user said: the input, or of a list of messages the user's, one after the other."""
    if isinstance(case.input, str):
        return case.input
    return "\n".join(message.content for message in case.input if message.role == "user")


def without_truth(case: Case) -> dict[str, JsonValue]:
    """The case as production would see it: without the right answer and route, and what came of it."""
    return {key: value for key, value in case.to_json().items() if key not in _UNSEEN}


def seen_by_router(case: Case, oracle: str | None) -> dict[str, JsonValue]:
    """The case as a router may see it: as production would, and without the tag that holds the right route."""
    row = without_truth(case)
    if oracle is not None and case.slice:
        row["slice"] = {tag: value for tag, value in case.slice.items() if tag != oracle}
    return row


def fold_of(case: Case, folds: int, seed: int) -> int:
    """The fold of a case: that of its session, or of its id; other cases move none."""
    unit = f"case:{case.id}" if case.session is None else f"session:{case.session}"
    return int.from_bytes(sha256(f"{seed}:{unit}".encode()).digest()[:8]) % folds


def route_named(reply: str | None, routes: Iterable[str]) -> str | None:
    """The one route that a model's reply names; None where it names none or several.

    A reply that is a route and nothing else names that one, even where another route is a word of it.
    """
    if reply is None:
        return None
    by_text = {route.casefold(): route for route in routes}
    said = reply.casefold()
    if (whole := by_text.get(_QUOTE.sub(" ", said).strip()) or by_text.get(said.strip())) is not None:
        return whole
    found = {route for text, route in by_text.items() if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said)}
    return found.pop() if len(found) == 1 else None


def decision_text(route: str, sure: float) -> str:
    """A decision as it stands in the place of an answer."""
    return canonical_json({"confidence": sure, "route": route}).decode()


def decision_of(said: str | None) -> tuple[str | None, float | None]:
    """The route and confidence that `decision_text` wrote; neither where nothing was decided."""
    match read_json(said) if said else None:
        case {"route": str(route), "confidence": int() | float() as sure}:
            return route, float(sure)
        case _:
            return None, None


def oracle_arm_of(variant: RoutedVariant, route: str | None) -> str | None:
    """The arm of the right route; None where a case names none, or one that has no arm."""
    return None if route is None else variant.router.arms.get(route)


def lost(variant: RoutedVariant, cases: Iterable[Case], routes: Iterable[str | None]) -> Mapping[str | None, list[str]]:
    """The ids of cases that no arm answers, by the route that they were given."""
    found: dict[str | None, list[str]] = {}
    for case, route in zip(cases, routes, strict=True):
        if variant.arm(route) is None:
            found.setdefault(route, []).append(case.id)
    return found
