from __future__ import annotations

import pytest
from build_store import key
from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.keys import Keys

SOME = st.sampled_from([key(number) for number in range(4)])
TEXTS = st.lists(st.one_of(SOME, st.binary(min_size=32, max_size=32).map(bytes.hex)))


@given(TEXTS)
def test_texts_come_back_in_their_order(texts: list[str]) -> None:
    keys = Keys.of(texts)
    assert (len(keys), keys.texts(), list(keys)) == (len(texts), texts, texts)


@given(TEXTS)
def test_a_key_stands_first_once(texts: list[str]) -> None:
    assert Keys.of(texts).firsts().tolist() == [texts.index(text) for text in dict.fromkeys(texts)]


@given(TEXTS, TEXTS)
def test_among_is_membership(texts: list[str], others: list[str]) -> None:
    assert Keys.of(texts).among(Keys.of(others)).tolist() == [text in others for text in texts]


def test_zeros_count_as_digits() -> None:
    """A key that ends in zeros is no shorter one."""
    low, high = "00" * 31 + "01", "01" + "00" * 31
    assert Keys.of([low, high, "00" * 32]).among(Keys.of([high])).tolist() == [False, True, False]


def test_parts_are_joined_and_taken() -> None:
    keys = Keys.joined([Keys.of([key(1), key(2)]), Keys.of([]), Keys.of([key(3)])])
    assert keys.at(slice(1, 3)).texts() == [key(2), key(3)]
    assert len(Keys.joined([])) == 0


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 33])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        Keys.of([text])


@given(st.lists(st.one_of(SOME, st.text(max_size=70))))
def test_texts_that_are_no_keys_are_told_apart_too(texts: list[str]) -> None:
    named = Keys.naming(texts).texts()
    assert len(set(named)) == len(set(texts))
    keys = {key(number) for number in range(4)}
    assert all(name == text for name, text in zip(named, texts, strict=True) if text in keys)
