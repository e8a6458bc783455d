"""The index of keys finds what a dict of texts would."""

from __future__ import annotations

import hashlib

from build_store import key
from hypothesis import given
from hypothesis import strategies as st

from triaxis.adapters.store.key_index import KeyIndex
from triaxis.domain.keys import Keys

SOME = [
    *(key(number) for number in range(4)),
    "00" * 32,
    # The first quarter alone is sorted, and agrees here; so does the first half of the last two.
    "ab" * 8 + "01" * 24,
    "ab" * 8 + "02" * 24,
    "cd" * 16 + "01" * 16,
]
TEXTS = st.lists(st.sampled_from(SOME), max_size=6)


def an_index(segments: list[list[str]]) -> KeyIndex:
    return KeyIndex.joined(KeyIndex.of(Keys.of(texts), number) for number, texts in enumerate(segments))


@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_every_place_of_a_key_is_found(segments: list[list[str]], asked: list[str]) -> None:
    index = an_index(segments)
    here, there = index.find(Keys.of(asked))
    found = {(int(i), int(index.segment[j]), int(index.place[j])) for i, j in zip(here, there, strict=True)}
    assert len(found) == len(here)
    assert found == {
        (i, number, place)
        for i, text in enumerate(asked)
        for number, texts in enumerate(segments)
        for place, other in enumerate(texts)
        if text == other
    }
    assert index.known(Keys.of(asked)).tolist() == [any(text in texts for texts in segments) for text in asked]


@given(st.lists(TEXTS, min_size=2, max_size=4))
def test_segments_that_are_gone_are_forgotten(segments: list[list[str]]) -> None:
    index = an_index(segments).without([0])
    assert len(index) == sum(map(len, segments[1:]))
    assert index.known(Keys.of(SOME)).tolist() == [any(text in texts for texts in segments[1:]) for text in SOME]


def test_parts_can_be_joined_one_after_the_other() -> None:
    parts = [KeyIndex.of(Keys.of([key(number)]), number) for number in range(5)]
    index = KeyIndex.joined([])
    for part in parts:
        index = KeyIndex.joined([index, part])
    here, there = index.find(Keys.of([key(3), hashlib.sha256(b"other").hexdigest()]))
    assert (here.tolist(), index.segment[there].tolist(), index.place[there].tolist()) == ([0], [3], [0])
