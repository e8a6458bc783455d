"""Ground truth as the flat table that expectations are about."""

from __future__ import annotations

import pytest

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message
from triaxis.rules.truth.ground_truth import column_names, table


def test_columns() -> None:
    cases = [
        Case(id="a", input="What fee?", expected=["$3", 3], context=("one", "two"), slice={"kind": "p", "n": 1}),
        Case(
            id="b",
            input=(Message(role="user", content="Hi"), Message(role="user", content="Fee?")),
            context="text",
            slice={"kind": "p", "n": 2.5},
            session="s",
            route="simple",
        ),
        Case(id="c", input="x", expected={"b": 1, "a": 2}, slice={"kind": "q", "odd": "x"}),
        Case(id="d", input="y", slice={"odd": 1}),
    ]
    rows = table(cases, {})
    assert rows["input"] == ["What fee?", "Hi\n\nFee?", "x", "y"]
    assert rows["expected"] == ["$3\n3", None, '{"a":2,"b":1}', None]
    assert rows["context"] == ["one\n\ntwo", "text", None, None]
    assert rows["expected_length"] == [4, None, 13, None]
    assert rows["session"] == [None, "s", None, None]
    assert rows["slice.kind"] == ["p", "p", "q", None]
    assert rows["slice.n"] == [1, 2.5, None, None]
    assert rows["slice.odd"] == [None, None, "x", "1"]
    assert rows["slice_size.kind"] == [2, 2, 1, None]
    assert rows["slice_size.route"] == [None, 1, None, None]
    assert tuple(rows) == (*tuple(table((), {})), *(n for n in rows if n.startswith("slice")))
    assert set(column_names(cases)) == set(rows)


def test_repeats() -> None:
    """A duplicate names the first case of its kind; conflicting cases name each other."""
    truths = {"a": "1", "b": "1", "c": "2", "d": "1"}
    cases = [Case(id=name, input="same", expected=truth) for name, truth in truths.items()]
    rows = table([*cases, Case(id="e", input="same", context="but", expected="3"), Case(id="f", input="g")], {})
    assert rows["duplicate_of"] == [None, "a", "a", "a", None, None]
    assert rows["conflicts_with"] == ["c", "c", "a", "c", None, None]


@pytest.mark.parametrize(
    ("text", "expected", "leaks"),
    [
        ("Is it $3.50 or not?", "$3.50", True),
        ("Was it the Card-Lost thing?", ["other", "card lost"], True),
        ("lostly", "lost", False),
        ("it is 12", "12", False),
        ("lost", {"label": "lost"}, False),
        ("lost", None, False),
    ],
)
def test_leaks(text: str, expected: JsonValue, leaks: bool) -> None:
    """Whole words whatever their case; the context may hold the answer, and short texts prove nothing."""
    case = Case(id="a", input=text, expected=expected, context="the answer is lost")
    assert table([case], {})["answer_leak"] == [leaks]


def test_few_shots() -> None:
    prompts = {"p.md": "--- user\nHow high is the fee?\n--- assistant\n$3\n--- user\n{{ input }}"}
    cases = [
        Case(id="a", input="how high is THE fee"),
        Case(id="b", input="How high is the feed?"),
        Case(id="c", input="fee"),
        Case(id="d", input=(Message(role="system", content="x"), Message(role="user", content="is the fee?"))),
        Case(id="e", input=()),
    ]
    assert table(cases, prompts)["in_few_shot"] == [True, False, False, True, False]
