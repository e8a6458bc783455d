"""Where in a store's segments each row key stands: 24 bytes a row in arrays, where a dict of texts takes 200."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.keys import Keys, Mask, Places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyIndex:
    """The first half of every key, sorted by its first quarter, with the row's place.

    Keys are hashes: that two differ and agree in 128 bits does not happen by chance and cannot be made to. Whoever
    reads a row compares the whole key all the same.
    """

    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    segment: NDArray[np.int32]
    place: NDArray[np.int32]

    @classmethod
    def of(cls, keys: Keys, segment: int) -> KeyIndex:
        """The index of one segment with the keys in the order of its rows."""
        order = np.argsort(keys.words[:, 0], kind="stable")
        return cls(
            first=keys.words[order, 0],
            second=keys.words[order, 1],
            segment=np.full(len(keys), segment, np.int32),
            place=order.astype(np.int32),
        )

    @classmethod
    def joined(cls, parts: Iterable[KeyIndex]) -> KeyIndex:
        """One index of all parts; a key that several hold is in it several times."""
        some = list(parts)
        first = np.concatenate([np.zeros(0, np.uint64), *(part.first for part in some)])
        # Stable, since that sort merges runs which are sorted already.
        order = np.argsort(first, kind="stable")
        return cls(
            first=first[order],
            second=np.concatenate([np.zeros(0, np.uint64), *(part.second for part in some)])[order],
            segment=np.concatenate([np.zeros(0, np.int32), *(part.segment for part in some)])[order],
            place=np.concatenate([np.zeros(0, np.int32), *(part.place for part in some)])[order],
        )

    def __len__(self) -> int:
        return len(self.first)

    def without(self, segments: Collection[int]) -> KeyIndex:
        """The index less some segments."""
        keep = ~np.isin(self.segment, list(segments))
        return KeyIndex(
            first=self.first[keep], second=self.second[keep], segment=self.segment[keep], place=self.place[keep]
        )

    def find(self, keys: Keys) -> tuple[Places, Places]:
        """Pairs of a position in `keys` and a position in this index that hold the same key."""
        # Asking in order walks the index once, where asking at random would miss the processor's caches each time.
        order = np.argsort(keys.words[:, 0])
        asked: NDArray[np.uint64] = keys.words[order, 0]
        low: Places = np.searchsorted(self.first, asked, side="left")
        counts: Places = np.searchsorted(self.first, asked, side="right") - low
        before: Places = np.cumsum(counts) - counts
        there: Places = np.repeat(low - before, counts) + np.arange(int(counts.sum()))
        here = np.repeat(order, counts)
        same = self.second[there] == keys.words[here, 1]
        return here[same], there[same]

    def known(self, keys: Keys) -> Mask:
        """Which of the keys are in it."""
        mask = np.zeros(len(keys), dtype=np.bool_)
        mask[self.find(keys)[0]] = True
        return mask
