"""Parquet, row by row. Only this module and its neighbours in this folder know pyarrow.

Files are written so that equal rows make equal bytes under one lock file: fixed compression, fixed row groups whatever
the pieces in which rows came, no statistics, no metadata of any library. Across versions of the libraries the bytes may
differ, which is why `columns.digest` hashes what the columns hold instead.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (pyarrow's stubs leave most element types unknown; everything that leaves this module is typed by hand)

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from triaxis.adapters.atomic import replacing
from triaxis.domain.keys import Mask, Places
from triaxis.errors import StoreDamaged

Kind: TypeAlias = Literal["text", "int", "float", "flag"]
Cell: TypeAlias = str | int | float | bool | None
Layout: TypeAlias = Mapping[str, Kind]
"""Columns by name, in the file's order."""

ROW_GROUP = 8_192
"""Rows held in memory while writing or scanning; at ten thousand characters a row, 80 MB."""
_TYPES: Mapping[Kind, pa.DataType] = {"text": pa.string(), "int": pa.int64(), "float": pa.float64(), "flag": pa.bool_()}


def write_table(path: Path, layout: Layout, rows: Iterable[tuple[Cell, ...]]) -> int:
    """Writes the rows, each in the order of the layout, as one whole file; how many there were."""
    with replacing(path) as draft, TableWriter(draft, layout) as writer:
        for row in rows:
            writer.add(row)
    return writer.count


class TableWriter:
    """Writes rows to a file as they come, a row group at a time; the file is whole when the context ends."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._layout, self._file = layout, writer_of(path, layout)
        self._rows: list[tuple[Cell, ...]] = []
        self._rest = schema_of(layout).empty_table()
        self.count = 0
        """Rows taken in so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def add(self, cells: tuple[Cell, ...]) -> None:
        """Takes in one row, in the order of the layout."""
        self._rows.append(cells)
        self.count += 1
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def copy(self, path: Path, keep: Mask) -> None:
        """Takes in the rows of another file of this layout that are to be kept, as they are."""
        self._flush()
        start = 0
        with damage_of(path), pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=list(self._layout))
                kept = _take(table, np.flatnonzero(keep[start : start + len(table)]))
                start += len(table)
                self.count += len(kept)
                self._write(kept)

    def close(self) -> None:
        """Writes what is left, and the file's end."""
        self._flush()
        if len(self._rest):
            self._file.write_table(self._rest.combine_chunks(), row_group_size=ROW_GROUP)
        self.abandon()

    def abandon(self) -> None:
        """Lets go of the file, and of rows that are not written yet."""
        self._rows, self._rest = [], self._rest.slice(0, 0)
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            self._write(_table(self._layout, self._rows))
            self._rows = []

    def _write(self, table: pa.Table) -> None:
        table = pa.concat_tables([self._rest, table]) if len(self._rest) else table
        whole = len(table) - len(table) % ROW_GROUP
        if whole:
            self._file.write_table(table.slice(0, whole).combine_chunks(), row_group_size=ROW_GROUP)
        self._rest = table.slice(whole)


def reorder(path: Path, layout: Layout, order: Sequence[int]) -> None:
    """Writes the file again with its rows in the given order."""
    with damage_of(path):
        table = pq.read_table(path)
    with replacing(path) as draft, writer_of(draft, layout) as writer:
        for start in range(0, len(order), ROW_GROUP):
            part = table.take(np.asarray(order[start : start + ROW_GROUP], dtype=np.int64))
            writer.write_table(part.combine_chunks(), row_group_size=ROW_GROUP)


def write_sorted(
    path: Path,
    layout: Layout,
    rows: Iterable[tuple[Cell, ...]],
    *,
    by: Sequence[str],
    place: Callable[[tuple[Any, ...]], Any] = tuple,
) -> None:
    """Streams the rows to the file; only where they came out of order are they sorted.

    Args:
        path: The file.
        layout: Its columns.
        rows: In the order of the layout.
        by: The columns, two or more, that say where a row stands.
        place: Makes of their cells what is compared.
    """
    cells = itemgetter(*map(list(layout).index, by))
    in_order, last = True, None

    def noted() -> Iterator[tuple[Cell, ...]]:
        nonlocal in_order, last
        for row in rows:
            here = place(cells(row))
            in_order, last = in_order and (last is None or last <= here), here
            yield row

    with replacing(path) as draft:
        write_table(draft, layout, noted())
        if not in_order:
            places: list[Any] = list(map(place, scan(draft, by)))
            reorder(draft, layout, sorted(range(len(places)), key=places.__getitem__))


def count(path: Path) -> int:
    """How many rows the file holds."""
    with damage_of(path):
        return pq.read_metadata(path).num_rows


def scan(path: Path, names: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    """The rows, in the file's order and a row group at a time, with the columns named."""
    with damage_of(path), pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from _lines(read_group(file, group, names), names)


def scan_group(path: Path, names: Sequence[str], number: int) -> Iterator[tuple[Cell, ...]]:
    """The rows of one row group; each holds `ROW_GROUP` of them, but for the last."""
    with damage_of(path), pq.ParquetFile(path) as file:
        yield from _lines(read_group(file, number, names), names)


def pick(path: Path, names: Sequence[str], positions: Collection[int]) -> Iterator[tuple[Cell, ...]]:
    """The rows at some positions, ascending, without turning the others into Python values."""
    return Groups(names, most_bytes=0).pick(path, np.fromiter(positions, dtype=np.int64, count=len(positions)))


def names_of(path: Path) -> frozenset[str]:
    """The columns that a file has."""
    with damage_of(path), pq.ParquetFile(path) as file:
        return frozenset(file.schema_arrow.names)


def _lines(table: pa.Table, names: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    return zip(*(_pylist(table.column(name)) for name in names), strict=True)


class Groups:
    """Reads rows by their positions in immutable files, with the row groups last used decoded in memory.

    Chunks of rows that were written together are read one after another, so that a group is decoded once.
    """

    def __init__(self, names: Iterable[str], most_bytes: int) -> None:
        self._names, self._most_bytes = list(names), most_bytes
        self._ends: dict[Path, Places] = {}
        self._decoded: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()

    def pick(self, path: Path, positions: Places) -> Iterator[tuple[Cell, ...]]:
        """The columns of the rows at some positions, ascending."""
        wanted = np.sort(positions)
        for group, inside in self._by_group(path, wanted):
            yield from _lines(_take(self._group(path, group), inside), self._names)

    def _by_group(self, path: Path, wanted: Places) -> Iterator[tuple[int, Places]]:
        if path not in self._ends:
            with damage_of(path):
                about = pq.read_metadata(path)
            sizes = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
            self._ends[path] = np.cumsum(sizes, dtype=np.int64)
        ends = self._ends[path]
        groups = np.searchsorted(ends, wanted, side="right")
        for group in np.unique(groups).tolist():
            yield group, wanted[groups == group] - (ends[group - 1] if group else 0)

    def _group(self, path: Path, group: int) -> pa.Table:
        place = path, group
        if place in self._decoded:
            self._decoded.move_to_end(place)
            return self._decoded[place]
        with damage_of(path), pq.ParquetFile(path) as file:
            table = read_group(file, group, self._names, threads=False)
        self._decoded[place] = table
        while len(self._decoded) > 1 and sum(held.nbytes for held in self._decoded.values()) > self._most_bytes:
            self._decoded.popitem(last=False)
        return table


LATER: Layout = {"stated_usd": "float"}
"""Columns that files of earlier releases lack: all their rows are null there, so that what they hold is not lost."""


def read_group(file: pq.ParquetFile, group: int, names: Sequence[str], *, threads: bool = True) -> pa.Table:
    """A row group with the columns named."""
    return read_groups(file, [group], names, threads=threads)


def read_groups(file: pq.ParquetFile, groups: list[int], names: Sequence[str], *, threads: bool = True) -> pa.Table:
    """Some row groups with the columns named."""
    has = frozenset(file.schema_arrow.names)
    present = [name for name in names if name in has or name not in LATER]
    return completed(file.read_row_groups(groups, columns=present, use_threads=threads), names)


def completed(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """The table with those of the columns named that its file was written before."""
    for name in names:
        if name in LATER and name not in table.column_names:
            table = table.append_column(name, pa.array([None] * table.num_rows, _TYPES[LATER[name]]))
    return table


UNIQUE = frozenset({"key", "raw", "answer", "attempts", "rows", "body"})
"""Columns whose values hardly repeat: a dictionary of them would only cost."""


def writer_of(path: Path, layout: Layout) -> pq.ParquetWriter:
    """Writes a file of that layout, in a way that depends on nothing else."""
    repeating = [name for name, kind in layout.items() if kind == "text" and name not in UNIQUE]
    return pq.ParquetWriter(
        path,
        schema_of(layout),
        compression="zstd",
        compression_level=3,
        use_dictionary=cast("bool", repeating),
        write_statistics=False,
        store_schema=False,
    )


def schema_of(layout: Layout) -> pa.Schema:
    """The layout as Arrow has it."""
    return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in layout.items()])


def _table(layout: Layout, batch: Sequence[tuple[Cell, ...]]) -> pa.Table:
    cells = zip(*batch, strict=True)
    arrays = [_array(column, kind) for column, kind in zip(cells, layout.values(), strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema_of(layout))


def _array(column: tuple[Cell, ...], kind: Kind) -> pa.Array:
    try:
        return pa.array(column, _TYPES[kind])
    except UnicodeEncodeError:
        # A model may answer with half of a surrogate pair, which is no text that UTF-8 can hold.
        whole = [c.encode("utf-8", "replace").decode() if isinstance(c, str) else None for c in column]
        return pa.array(whole, _TYPES[kind])


def _take(table: pa.Table, places: Places) -> pa.Table:
    # Given a numpy array, pyarrow would import pandas to look whether it is one of its: half a second and 40 MB.
    return table.take(pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places.tobytes())]))


def scalar(value: Cell) -> pa.Scalar:
    """One value as Arrow has it."""
    # The stubs admit no plain number here.
    return cast("Callable[[Cell], pa.Scalar]", pa.scalar)(value)


def _pylist(column: pa.ChunkedArray) -> list[Cell]:
    return cast("list[Cell]", column.to_pylist())


@contextmanager
def damage_of(path: Path) -> Generator[None]:
    """Names the file in whatever its reader finds wrong; that it is not there at all is the caller's to judge."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise StoreDamaged(
            f"{path} is damaged ({error}). Restore it with `dvc checkout`, or delete it and run again: "
            "what the row store and the evidence hold between them is not bought again."
        ) from error
