"""One case from the mapping that a row of a dataset holds.

The same few functions read a good row fast and say what is wrong with a bad one: every value is looked at once, and
each reader returns what it made of it after telling `wrong` of what it could not use.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from triaxis.adapters.workspace.explain import shown
from triaxis.adapters.workspace.findings import near
from triaxis.domain.case import Case, Message, Scalar, Step

KEYS = frozenset({"id", "input", "expected", "context", "slice", "session", "route", "steps", "value", "passages"})
ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("question", "prompt", "vars"), "input"),
    **dict.fromkeys(("target", "answer", "ideal", "ground_truth", "expected_output"), "expected"),
    **dict.fromkeys(("tags", "metadata"), "slice"),
}
ROLES = ("system", "developer", "user", "assistant")
_STEP_KEYS = frozenset({"name", "success", "latency_ms", "cost_usd"})

Row: TypeAlias = dict[str, Any]
Wrong: TypeAlias = Callable[[str, str, str], None]
"""Takes a field, a problem and an advice."""


def read_case(row: Row, wrong: Wrong) -> Case | None:
    """The case of a row whose keys are canonical or aliases; None where it has no id or no input."""
    row = {key: value for key, value in row.items() if value is not None}
    if not row.keys() <= KEYS:
        row = renamed(row, wrong)
    get = row.get
    case_id, asked = _id(get("id"), wrong), _input(get("input"), wrong)
    expected, context = get("expected"), get("context")
    tags, steps, value = get("slice"), get("steps"), get("value")
    session, route = get("session"), get("route")
    if expected is not None and not isinstance(expected, str):
        _check_expected(expected, wrong)
    case = Case(
        id=case_id or "",
        input=asked or "",
        expected=expected,
        context=context if context is None or isinstance(context, str) else _context(context, wrong),
        slice={} if tags is None else _slice(tags, wrong),
        session=session if session is None else _text("session", session, wrong),
        route=route if route is None else _text("route", route, wrong),
        steps=() if steps is None else read_steps(steps, wrong),
        value=None if value is None else _number("value", value, wrong),
        passages=() if (labels := get("passages")) is None else _passages(labels, wrong),
    )
    return None if case_id is None or asked is None else case


def renamed(row: Row, wrong: Wrong) -> Row:
    """The row under canonical keys; what is no key, and two keys for one thing, are told of."""
    out: Row = {}
    came_from: dict[str, str] = {}
    for key, value in row.items():
        name = ALIASES.get(key, key)
        if name not in KEYS:
            wrong(key, f"unknown key {key[:60]!r}", near(key, KEYS | ALIASES.keys()))
        elif name in out:
            problem = f"{came_from[name]!r} and {key!r} both give the {name}"
            wrong(name, problem, "Keep one of them.")
        else:
            out[name], came_from[name] = (_single(value) if key == "vars" else value), key
    return out


def _single(value: object) -> object:
    """The one text of a mapping of template variables, as `vars` may hold it."""
    items: list[object] = list(cast("Row", value).values()) if isinstance(value, dict) else []
    return items[0] if len(items) == 1 else cast("object", value)


def _id(value: object, wrong: Wrong) -> str | None:
    if isinstance(value, str):
        if value and not value.isspace():
            return value
        wrong("id", "is empty", "Give every case an id of its own; ids tie answers, labels and scorecards to cases.")
    elif value is None:
        wrong("id", "is required and missing", 'Give every case an id of its own, as text: "id": "case-1".')
    else:
        advice = f"Write it as text, in quotes: {json.dumps(str(value))[:60]}."
        wrong("id", f"should be text, not {shown(value)}", advice)
    return None


def _input(value: object, wrong: Wrong) -> str | tuple[Message, ...] | None:
    if isinstance(value, str):
        return value
    if value is None:
        wrong("input", "is required and missing", 'Give what is asked: "input": "text", or a list of messages.')
        return None
    items = cast("list[object]", value) if isinstance(value, list) else []
    if not items:
        got = "an empty list" if value == [] else shown(cast("object", value))
        wrong("input", f"should be text or a list of messages, not {got}", _MESSAGE_ADVICE)
        return None
    messages = [_message(i, item, wrong) for i, item in enumerate(items)]
    good = tuple(m for m in messages if m is not None)
    return good if len(good) == len(messages) else None


_MESSAGE_ADVICE = 'Write text, or messages such as [{"role": "user", "content": "text"}].'


def _message(index: int, value: object, wrong: Wrong) -> Message | None:
    where = f"input.{index}"
    if not isinstance(value, dict):
        wrong(where, f"should be a message, not {shown(value)}", _MESSAGE_ADVICE)
        return None
    item = cast("Row", value)
    role, content = item.get("role"), item.get("content")
    for key in item.keys() - {"role", "content"}:
        wrong(f"{where}.{key}", f"unknown key {key[:60]!r}", "A message has role and content, and nothing else.")
    if role not in ROLES:
        problem = "has no role" if role is None else f"role {str(role)[:40]!r} is not known"
        wrong(f"{where}.role", problem, near(str(role), ROLES))
        return None
    if not isinstance(content, str):
        wrong(
            f"{where}.content", f"should be text, not {shown(content)}", "Only text is evaluated: write it in quotes."
        )
        return None
    return Message(role=str(role), content=content) if len(item) == len({"role", "content"}) else None


def _check_expected(value: object, wrong: Wrong) -> None:
    if isinstance(value, dict):
        return
    if not isinstance(value, list):
        advice = "Put it in quotes: expected is text, a list of texts, an object or null."
        wrong("expected", f"should be text, a list or an object, not {shown(value)}", advice)
        return
    for i, item in enumerate(cast("list[object]", value)):
        if not isinstance(item, (str, dict)):
            wrong(f"expected.{i}", f"should be text, not {shown(item)}", "Put every item of the list in quotes.")


def _context(value: object, wrong: Wrong) -> tuple[str, ...]:
    if not isinstance(value, list):
        wrong("context", f"should be text or a list of texts, not {shown(value)}", "Write one text, or a list of them.")
        return ()
    items = cast("list[object]", value)
    for i, item in enumerate(items):
        if not isinstance(item, str):
            wrong(f"context.{i}", f"should be text, not {shown(item)}", "Write every passage as text, in quotes.")
    return tuple(map(str, items))


def _slice(value: object, wrong: Wrong) -> dict[str, Scalar]:
    if not isinstance(value, dict):
        advice = 'Write tags with their values: {"kind": "policy"}.'
        wrong("slice", f"should be a mapping of tags, not {shown(value)}", advice)
        return {}
    tags: dict[str, Scalar] = {}
    for tag, item in cast("Row", value).items():
        if not tag.strip():
            wrong("slice", "has a tag without a name", "Give the tag a name, such as kind.")
        elif isinstance(item, (str, bool, int, float)):
            tags[tag] = item
        elif item is not None:
            advice = "Give a text, number or boolean; make one tag for each value of a list."
            wrong(f"slice.{tag}", f"should be one value, not {shown(item)}", advice)
    return tags


def _text(name: str, value: object, wrong: Wrong) -> str | None:
    if isinstance(value, str) and value.strip():
        return value
    problem = "is empty" if isinstance(value, str) else f"should be text, not {shown(value)}"
    advice = "Leave the key out, or give it a text." if isinstance(value, str) else "Write it as text, in quotes."
    wrong(name, problem, advice)
    return None


def _number(name: str, value: object, wrong: Wrong, least: float = -math.inf) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        wrong(name, f"should be a number, not {shown(value)}", "Write a number, without quotes and without a unit.")
    elif not math.isfinite(value) or value < least:
        wrong(name, f"{value} is out of range", f"Give a number of {least:g} or more." if least == 0 else _FINITE)
    else:
        return value
    return None


_FINITE = "Give a finite number."


def _passages(value: object, wrong: Wrong) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    if not items or not all(isinstance(item, str) and item.strip() for item in items):
        advice = 'Write the ids of the passages that should be found: ["refunds-1"].'
        wrong("passages", f"should be a list of texts, not {shown(cast('object', value))}", advice)
        return ()
    return tuple(dict.fromkeys(map(str, items)))


def read_steps(value: object, wrong: Wrong) -> tuple[Step, ...]:
    """The steps of a case or of an imported answer; `wrong` is told of those that are none."""
    if not isinstance(value, list):
        wrong("steps", f"should be a list, not {shown(value)}", 'Write a list such as [{"name": "retrieve"}].')
        return ()
    found = [_step(f"steps.{i}", item, wrong) for i, item in enumerate(cast("list[object]", value))]
    return tuple(step for step in found if step is not None)


def _step(where: str, value: object, wrong: Wrong) -> Step | None:
    if not isinstance(value, dict):
        wrong(where, f"should be a step, not {shown(value)}", 'Write {"name": "retrieve", "success": true}.')
        return None
    item = cast("Row", value)
    for key in item.keys() - _STEP_KEYS:
        wrong(f"{where}.{key}", f"unknown key {key[:60]!r}", near(key, _STEP_KEYS))
    name, success = item.get("name"), item.get("success")
    if not isinstance(name, str) or not name.strip():
        wrong(f"{where}.name", "is required and missing", 'Give the step a name, as text: "name": "retrieve".')
        return None
    if not isinstance(success, bool) and success is not None:
        wrong(f"{where}.success", f"should be true or false, not {shown(success)}", "Write true or false.")
        success = None
    latency, cost = item.get("latency_ms"), item.get("cost_usd")
    return Step(
        name=name,
        success=success,
        latency_ms=None if latency is None else _number(f"{where}.latency_ms", latency, wrong, least=0),
        cost_usd=None if cost is None else _number(f"{where}.cost_usd", cost, wrong, least=0),
    )
