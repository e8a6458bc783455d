"""The cases of cases.parquet: a few as values, very many as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast, overload

from triaxis.adapters import evidence_tables as tables
from triaxis.adapters import parquet_files as parquet
from triaxis.adapters.untouched import seen
from triaxis.domain.case import Case

HELD = 4 * parquet.ROW_GROUP
"""So many cases are kept in memory at most."""


def stored_cases(path: Path) -> Sequence[Case]:
    """The cases of the file, in its order."""
    if parquet.count(path) > HELD:
        return StoredCases(path)
    return tuple(map(tables.case_of, parquet.scan(path, _columns(path))))


def _columns(path: Path) -> list[str]:
    """Those of the layout that the file has: one written by an earlier release may lack the last."""
    held = parquet.names_of(path)
    return [name for name in tables.CASES if name in held]


class StoredCases(Sequence[Case]):
    """A sequence that stays on disk: some thousand of its cases are in memory at a time.

    Going through it, or asking for places in ascending order, reads every part of the file once.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._count, self._seen = path, parquet.count(path), seen(path)
        self._group: tuple[int, Sequence[Case]] = (-1, ())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Case]:
        return map(tables.case_of, parquet.scan(self._path, _columns(self._path)))

    @overload
    def __getitem__(self, place: int) -> Case: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Case]: ...
    def __getitem__(self, place: int | slice) -> Case | Sequence[Case]:
        if isinstance(place, slice):
            return tuple(self[at] for at in range(*place.indices(self._count)))
        if not -self._count <= place < self._count:
            raise IndexError(place)
        number, within = divmod(place % self._count, parquet.ROW_GROUP)
        if self._group[0] != number:
            lines = parquet.scan_group(self._path, _columns(self._path), number)
            self._group = number, tuple(map(tables.case_of, lines))
        return self._group[1][within]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredCases) and other._path == self._path:
            return other._seen == self._seen
        if not isinstance(other, StoredCases | tuple):
            return NotImplemented
        held = cast("Sequence[Case]", other)
        return len(held) == self._count and all(mine == theirs for mine, theirs in zip(self, held, strict=True))

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it is compared by what it holds
