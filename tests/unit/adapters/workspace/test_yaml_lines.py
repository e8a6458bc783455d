from __future__ import annotations

import pytest

from triaxis.adapters.workspace.tree import Node, dotted, overlaid
from triaxis.adapters.workspace.yaml_lines import MAX_NODES, parse, scalar
from triaxis.domain.canonical import JsonValue


def tree(text: str) -> Node:
    node, flaws = parse(text)
    assert node is not None
    assert not flaws, flaws
    return node


def problems(text: str) -> list[tuple[int, str]]:
    return [(flaw.line, flaw.problem) for flaw in parse(text)[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("1_000", 1000),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("2027-03-31", "2027-03-31"),
        ("1e-6", 1e-6),
        ("1.0e-6", 1e-6),
        (".5", 0.5),
        ("2.", 2.0),
        ("1.2.3", "1.2.3"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: JsonValue) -> None:
    """Words that YAML 1.1 reads as booleans, dates or base 60 are what their author wrote."""
    assert tree(f"key: {text}").plain() == {"key": value}


def test_a_variable_reads_as_the_scalar_it_holds() -> None:
    assert [scalar("5"), scalar("0.5"), scalar("true"), scalar("text"), scalar("")] == [5, 0.5, True, "text", None]


def test_keys_are_text_as_written() -> None:
    """`1` and `no` are values of tags as often as not, and tags are compared as text."""
    assert tree("{1: a, no: b, true: c, 1.50: d}").plain() == {"1": "a", "no": "b", "true": "c", "1.50": "d"}


def test_every_entry_knows_its_line() -> None:
    node = tree("a: 1\nb:\n  c:\n    - x\n    - y: 2\n")
    assert [node.line_of(p) for p in (("a",), ("b", "c"), ("b", "c", 1), ("b", "c", 1, "y"), ("b", "none", 3))] == [
        1,
        3,
        5,
        5,
        2,
    ]
    assert dotted(("b", "c", 1)) == "b.c.1"


def test_merges_take_in_what_is_not_given() -> None:
    text = "base: &b {model: m, params: {t: 0}}\nmore: &c {model: n, seed: 1}\nboth:\n  <<: [*b, *c]\n  model: own\n"
    assert tree(text).plain() == {
        "base": {"model": "m", "params": {"t": 0}},
        "more": {"model": "n", "seed": 1},
        "both": {"model": "own", "params": {"t": 0}, "seed": 1},
    }


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ("a: {b: 1, b: 2}\n", 1, "twice"),
        ("a: !!set {x}\n", 1, "'!!set' is not allowed"),
        ("a: !mine x\n", 1, "'!mine' is not allowed"),
        ("a: !!binary aGk=\n", 1, "not allowed"),
        ("a: !!int x\n", 1, "is no int"),
        ("a: &x [1, *x]\n", 1, "alias of itself"),
        ("a: &x {b: *x}\n", 1, "alias of itself"),
        ("a: &x {<<: *x}\n", 1, "merges no mapping"),
        ("a: 9007199254740993\n", 1, "2**53"),
        ("a: " + "9" * 6000 + "\n", 1, "2**53"),
        ("a: .inf\n", 1, "not a number that can be computed with"),
        ("a: 1e999\n", 1, "not a number that can be computed with"),
        ("? [a]\n: 1\n", 1, "a key is not text"),
        ("? \n: 1\n", 1, "a key is not text"),
        ("", 1, "is empty"),
        ("# only a comment\n", 1, "is empty"),
        ("a: *nothing\n", 1, "undefined alias"),
        ("a: [1\nb: 2\n", 2, "not valid YAML"),
        ("a: 'open\n", 2, "not valid YAML"),
        ("a: \x07\n", 0, "not valid YAML"),
        ("[" * 100, 0, "nested more than"),
        ("- " * 100 + "a\n", 0, "nested more than"),
    ],
)
def test_flaws_name_their_line(text: str, line: int, says: str) -> None:
    found = problems(text)
    assert found
    assert found[0][0] == line, found
    assert says in found[0][1]


def test_aliases_count_as_what_they_stand_for() -> None:
    """Ten lines that would unfold into ten thousand million values are refused, in no time."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert problems("\n".join(lines)) == [(0, f"unfolds into more than {MAX_NODES} values")]


def test_overlays_are_deep_and_null_removes() -> None:
    base = tree("model: m\nparams: {a: 1, b: {c: 2}}\nstop: [x]\nprompt: p\n")
    over = tree("params: {b: {d: 3}, a: null}\nstop: [y]\nprompt: null\nnone: null\n")
    assert overlaid(base, over).plain() == {"model": "m", "params": {"b": {"c": 2, "d": 3}}, "stop": ["y"]}
