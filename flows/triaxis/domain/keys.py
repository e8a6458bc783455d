"""Very many row keys as one array: 32 bytes each, where a set of their texts takes ten times as much."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

WORDS = 4
"""A key is the 32 bytes of a sha256, held as four big words."""
DIGITS = 64
"""In hex."""

Mask: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Row keys in an order of their own; shape (n, 4), big-endian words of 64 bits."""

    words: NDArray[np.uint64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Keys:
        """The keys of texts of 64 hex digits.

        Raises:
            ValueError: where one is no such text.
        """
        keys = cls.of_hex("".join(texts).encode())
        if len(keys) != len(texts):
            raise ValueError("a row key has 64 hex digits")
        return keys

    @classmethod
    def of_hex(cls, digits: bytes) -> Keys:
        """The keys whose hex digits stand one after another.

        Raises:
            ValueError: where that is not what stands there.
        """
        data = bytes.fromhex(digits.decode())
        # Blanks between digits would go unnoticed.
        if len(data) % (8 * WORDS) or 2 * len(data) != len(digits):
            raise ValueError("a row key has 64 hex digits")
        return cls(np.frombuffer(data, dtype=">u8").astype(np.uint64).reshape(-1, WORDS))

    @classmethod
    def naming(cls, texts: Sequence[str]) -> Keys:
        """The keys of any texts: of one that is no key itself, a sha256 that only it has."""
        if set(map(len, texts)) <= {DIGITS}:
            with suppress(ValueError):
                return cls.of(texts)
        return cls.of([t if _is_key(t) else _named(t) for t in texts])

    @classmethod
    def joined(cls, parts: Iterable[Keys]) -> Keys:
        """All keys of the parts, in their order."""
        return cls(np.concatenate([np.zeros((0, WORDS), np.uint64), *(part.words for part in parts)]))

    def __len__(self) -> int:
        return len(self.words)

    def at(self, places: Places | Mask | slice) -> Keys:
        """The keys at some places."""
        return Keys(self.words[places])

    def texts(self) -> list[str]:
        """The keys as texts of 64 hex digits."""
        whole = self.hex()
        return [whole[at : at + DIGITS] for at in range(0, len(whole), DIGITS)]

    def hex(self) -> str:
        """Their hex digits, one key after another."""
        return self.words.astype(">u8").tobytes().hex()

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def firsts(self) -> Places:
        """The places at which a key stands for the first time, ascending."""
        order = np.lexsort((np.arange(len(self)), *self.words.T[::-1]))
        ordered = self.words[order]
        new = np.ones(len(self), dtype=np.bool_)
        new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        return np.sort(order[new]).astype(np.int64)

    def among(self, others: Keys) -> Mask:
        """Which of the keys are among the others."""
        if not len(others):
            return np.zeros(len(self), dtype=np.bool_)
        mine, theirs = self._bytes(), np.sort(others._bytes())
        places = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
        return theirs[places] == mine

    def _bytes(self) -> NDArray[np.void]:
        """Each key as one comparable value."""
        return np.ascontiguousarray(self.words.astype(">u8")).view("S32").ravel()


def _named(text: str) -> str:
    # Behind a word of its own, since the sha256 of a text is what keys are made by.
    return hashlib.sha256(b"no key: " + text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_key(text: str) -> bool:
    return len(text) == DIGITS and not set(text) - set("0123456789abcdef")
