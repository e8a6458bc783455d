"""Normal forms, SQuAD tokens, numbers and labels."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.canonical import JsonValue
from triaxis.domain.rubric import Normalize
from triaxis.rules.evaluators.text import (
    Number,
    label_finder,
    last_number,
    normalizer,
    number_of,
    parse_json,
    squad_tokens,
    texts_of,
    token_f1,
)


@pytest.mark.parametrize(
    ("mode", "text", "normal"),
    [
        ("none", " A! ", " A! "),
        ("strip", " A! \n", "A!"),
        ("casefold", " Straße ", "strasse"),
        ("casefold", " ABC ", "abc"),
        ("casefold", "Cafe\u0301", "caf\u00e9"),
        ("alnum", " Re: card_lost -- NOW! ", "re card lost now"),
        ("alnum", "\uff21\uff22 \u00bd", "ab 1 2"),
    ],
)
def test_normal_forms(mode: Normalize, text: str, normal: str) -> None:
    assert normalizer(mode)(text) == normal


@given(st.text(), st.sampled_from(["none", "strip", "casefold", "alnum"]))
def test_a_normal_form_is_its_own(text: str, mode: Normalize) -> None:
    """Normalising twice is normalising once, so that it does not matter who did it first."""
    normal = normalizer(mode)
    assert normal(normal(text)) == normal(text)


@pytest.mark.parametrize(
    ("expected", "texts"),
    [
        (None, ()),
        ("a", ("a",)),
        (["a", 2, True], ("a", "2", "true")),
        (1.50, ("1.5",)),
        ({"b": 1, "a": 2}, ('{"a":2,"b":1}',)),
    ],
)
def test_expected_texts(expected: JsonValue, texts: tuple[str, ...]) -> None:
    assert texts_of(expected) == texts


def test_squad_tokens() -> None:
    assert squad_tokens("The  cat's a-sleep, an ANT!") == ("cats", "asleep", "ant")


@pytest.mark.parametrize(
    ("answer", "expected", "f1"),
    [
        ("the cat sat", "cat sat down", 0.8),  # shared 2 of 2 and 3: precision 1, recall 2/3
        ("a b b", "b b c", 0.8),  # `a` is an article: [b b] against [b b c]
        ("b", "b b", 2 / 3),
        ("cat", "dog", 0.0),
        ("the", "a", 1.0),  # nothing on both sides
        ("cat", "the", 0.0),
        ("", "cat", 0.0),
    ],
)
def test_token_f1(answer: str, expected: str, f1: float) -> None:
    """Counts as SQuAD's evaluate-v2.0.py has them."""
    assert token_f1(squad_tokens(answer), squad_tokens(expected)) == pytest.approx(f1)


words = st.lists(st.sampled_from(["x", "y", "z", "w"]), max_size=6)


@given(words, words)
def test_f1_laws(a: list[str], b: list[str]) -> None:
    """Symmetric, between 0 and 1, and 1 just for the same words as often."""
    f1 = token_f1(a, b)
    assert f1 == token_f1(b, a)
    assert 0 <= f1 <= 1
    assert (f1 == 1) == (sorted(a) == sorted(b))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", None),
        ("none at all", None),
        ("first 3, then 4.", "4"),
        ("it is -5", "-5"),
        ("it is \u22125", "-5"),
        ("+5", "5"),
        ("from 10-20", "20"),
        ("on 2026-03-31", "31"),
        ("$1,234.50 in all", "1234.50"),
        ("-$1,234", "-1234"),
        ("\u20b91,23,456", "123456"),
        ("1,2,3", "3"),
        ("-1,23", "23"),
        ("12,", "12"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("6.02e23", "6.02E+23"),
        ("1e5x", "5"),
        ("version 1.2.3", "3"),
        ("12%", "12%"),
        ("12.5 %.", "12.5%"),
        ("**42**", "42"),
        ("x=7", "7"),
    ],
)
def test_last_number(text: str, number: str | None) -> None:
    wanted = None if number is None else Number(Decimal(number.rstrip("%")), percent=number.endswith("%"))
    assert last_number(text) == wanted


def test_the_last_number_of_a_long_answer_is_found_at_once() -> None:
    """No answer, whatever it holds, takes time that grows with its square."""
    assert last_number("1,22" * 50_000 + "7") is not None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12))
def test_a_written_number_is_read_back(value: Decimal) -> None:
    assert last_number(f"It is {value:,f}.") == Number(value)


@pytest.mark.parametrize(
    ("expected", "number"),
    [(3, "3"), (0.1, "0.1"), ("$5", "5"), (True, None), (None, None), (["5"], None), ({"a": 1}, None)],
)
def test_number_of(expected: JsonValue, number: str | None) -> None:
    assert number_of(expected) == (None if number is None else Number(Decimal(number)))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("lost", {"lost"}),
        ("my card lost its shine", {"card lost"}),
        ("card lost, lost again", {"card lost", "lost"}),
        ("lostly", set[str]()),
        ("c++", {"c++"}),
        ("", set[str]()),
    ],
)
def test_labels(answer: str, found: set[str]) -> None:
    """Whole words; a longer label uses up its words; a label may end in signs."""
    assert label_finder(("lost", "card lost", "c++"), normalizer("strip"))(answer) == found


def test_no_labels() -> None:
    assert label_finder((" ",), normalizer("strip"))("anything") == frozenset()


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": Infinity}', "[" * 100_000, "```json\n{}\n```"])
def test_not_json(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_json(text)


def test_json() -> None:
    assert parse_json(' {"a": [1, null]} ') == {"a": [1, None]}
