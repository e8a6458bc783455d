"""Immutable tables in pieces: each segment is a Parquet file named by the sha256 of its content."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from pathlib import Path

from triaxis.adapters import parquet_files as parquet
from triaxis.adapters.atomic import flush
from triaxis.adapters.parquet_files import Cell, Layout
from triaxis.errors import StoreDamaged

SMALL = 20_000
"""A segment of fewer rows may be merged with others."""
MANY = 32
"""How many small segments there may be before they are merged."""
_TRIES = 5
_DRAFT = ".draft"


class Segments:
    """The segments of one table in one folder, with an index of their key column in memory.

    Writers add whole files and merge small ones; a reader that finds a merged file gone looks at the folder again,
    where the file that took its place stood before the others went.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder, self._layout = folder, layout
        self._indexed: list[str] = []
        self._first: dict[str, int] = {}
        self._more: dict[str, list[int]] = {}

    def names(self) -> list[str]:
        """The segments there are, sorted."""
        return sorted(path.name for path in self._folder.glob("*.parquet") if not path.name.startswith("."))

    def add(self, rows: Iterable[tuple[Cell, ...]]) -> str:
        """Seals rows into a segment and returns its name."""
        draft = self._folder / f"{os.getpid()}-{threading.get_ident()}{_DRAFT}"
        parquet.write_table(draft, self._layout, rows)
        name = f"{_sha256(draft)}.parquet"
        draft.replace(self._folder / name)
        flush(self._folder)
        return name

    def known(self, keys: Iterable[str]) -> set[str]:
        """Which of the keys some segment holds."""
        self._refresh()
        return {key for key in keys if key in self._first}

    def find(self, keys: Collection[str]) -> Iterator[tuple[Cell, ...]]:
        """Every row whose key is among `keys`; a row that two segments hold comes twice.

        Raises:
            StoreDamaged: naming a segment that does not hold what its name says.
        """
        for _ in range(_TRIES):
            self._refresh()
            try:
                found = list(self._pick(keys))
            except FileNotFoundError:
                continue
            return iter(found)
        raise StoreDamaged(f"{self._folder} changes while it is read; try again")

    def merge(self, identity: Sequence[int]) -> None:
        """Makes one segment of the small ones where there are many; rows equal in the cells named count once.

        Only for the one process that writes, while nothing is being added: it clears away what killed writers left.
        """
        for left in self._folder.glob(f"*{_DRAFT}*"):
            left.unlink()
        small = [name for name in self.names() if parquet.count(self._folder / name) < SMALL]
        if len(small) <= MANY:
            return
        merged = self.add(self._distinct(small, identity))
        for name in small:
            if name != merged:
                (self._folder / name).unlink()

    def _distinct(self, names: Iterable[str], identity: Sequence[int]) -> Iterator[tuple[Cell, ...]]:
        seen: set[Hashable] = set()
        for name in names:
            self._verify(name)
            for row in parquet.scan(self._folder / name, list(self._layout)):
                mark = tuple(row[i] for i in identity)
                if mark not in seen:
                    seen.add(mark)
                    yield row

    def _pick(self, keys: Collection[str]) -> Iterator[tuple[Cell, ...]]:
        places: dict[int, list[int]] = {}
        for key in keys:
            if (first := self._first.get(key)) is not None:
                for place in (first, *self._more.get(key, ())):
                    places.setdefault(place >> 32, []).append(place & 0xFFFF_FFFF)
        for segment, positions in places.items():
            path = self._folder / self._indexed[segment]
            yield from parquet.pick(path, list(self._layout), positions)

    def _refresh(self) -> None:
        """Indexes segments that are new; where an indexed one is gone, all of them again."""
        for _ in range(_TRIES):
            present = self.names()
            if not set(self._indexed) <= set(present):
                self._indexed, self._first, self._more = [], {}, {}
            try:
                for name in sorted(set(present).difference(self._indexed)):
                    self._index(name)
            except FileNotFoundError:
                continue
            return

    def _index(self, name: str) -> None:
        self._verify(name)
        base = len(self._indexed) << 32
        keys = [str(key) for (key,) in parquet.scan(self._folder / name, ["key"])]
        self._indexed.append(name)
        for place, key in enumerate(keys, base):
            if self._first.setdefault(key, place) != place:
                self._more.setdefault(key, []).append(place)

    def _verify(self, name: str) -> None:
        path = self._folder / name
        if _sha256(path) != path.stem:
            raise StoreDamaged(
                f"{path} is damaged: its content is not what its name says. Delete it and run again; rows that "
                "reports/evidence carries come back from there, and only what nothing else holds is bought again."
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
