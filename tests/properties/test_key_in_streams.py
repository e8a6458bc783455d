"""However a stream is cut into pieces, no key comes through it, and everything else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import aiohttp
from hypothesis import given
from hypothesis import strategies as st

from triaxis.adapters.gateway.passing import without_key

KEY = "aab"


class Pieces:
    """A stream that comes in these pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    async def iter_any(self) -> AsyncGenerator[bytes]:
        """One at a time."""
        for piece in self.pieces:
            yield piece


def passed(pieces: list[bytes], key: str | None) -> list[bytes]:
    async def read() -> list[bytes]:
        content = cast("aiohttp.StreamReader", Pieces(pieces))
        return [piece async for piece in without_key(content, key)]

    return asyncio.run(read())


@given(st.lists(st.text("abc", max_size=5).map(str.encode)))
def test_the_key_never_comes_through(pieces: list[bytes]) -> None:
    assert b"".join(passed(pieces, KEY)) == b"".join(pieces).replace(KEY.encode(), b"[key]")


@given(st.lists(st.binary(min_size=1, max_size=5)))
def test_without_a_key_pieces_are_as_they_were(pieces: list[bytes]) -> None:
    assert passed(pieces, None) == pieces


def test_no_more_is_held_back_than_could_be_the_keys_beginning() -> None:
    assert passed([b"xa", b"xaa", b"c"], KEY) == [b"x", b"ax", b"aac"]
