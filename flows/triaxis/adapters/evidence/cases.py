"""The cases of cases.parquet: a few as values, very many as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast, overload

import numpy as np
from numpy.typing import NDArray

from triaxis.adapters.evidence import tables
from triaxis.adapters.parquet import rows as parquet
from triaxis.adapters.parquet.columns import ParquetColumns, columns
from triaxis.adapters.untouched import seen
from triaxis.domain.case import Case, Step, tag_text
from triaxis.domain.case_columns import NONE, CaseColumns, Tag

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

    def columns(self) -> CaseColumns:
        """The cases as columns, in order of their ids; a text of tags is read once, however many cases share it."""
        held = columns(self._path, ["id", "slice", "session", "route", "steps"])
        ids = cast("list[str]", held.texts("id"))
        places = sorted(range(len(ids)), key=ids.__getitem__)
        order = np.array(places, dtype=np.intp)
        tags = _tags(*held.codes("slice"))
        routes = _texts(*held.codes("route"))
        if routes.values or "route" in tags:
            tags["route"] = routes
        return CaseColumns(
            ids=tuple(ids[place] for place in places),
            sessions=_texts(*held.codes("session")).at(order),
            tags={name: tags[name].at(order) for name in sorted(tags)},
            steps=_steps(held, order),
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredCases) and other._path == self._path:
            return other._seen == self._seen
        if not isinstance(other, StoredCases | tuple):
            return NotImplemented
        held = cast("Sequence[Case]", other)
        return len(held) == self._count and all(mine == theirs for mine, theirs in zip(self, held, strict=True))

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it is compared by what it holds


def _texts(codes: NDArray[np.int32], values: tuple[str, ...]) -> Tag:
    return Tag(codes=codes.astype(np.int64), values=values)


def _tags(codes: NDArray[np.int32], texts: tuple[str, ...]) -> dict[str, Tag]:
    """Every tag of the cases, of the JSON objects that hold them."""
    objects = [tables.tags_of(text) for text in texts]
    found: dict[str, Tag] = {}
    for name in {name for tags in objects for name in tags}:
        each = Tag.of([None if (value := tags.get(name)) is None else tag_text(value) for tags in objects])
        # The last entry is what a case without any tag indexes.
        found[name] = Tag(codes=np.append(each.codes, NONE)[codes], values=each.values)
    return found


def _steps(held: ParquetColumns, order: NDArray[np.intp]) -> tuple[tuple[int, tuple[Step, ...]], ...]:
    codes, texts = held.codes("steps")
    steps = [tables.steps_of(text) for text in texts]
    ordered: list[int] = codes[order].tolist()
    return tuple((place, steps[code]) for place, code in enumerate(ordered) if code >= 0)
