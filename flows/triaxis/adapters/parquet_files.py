"""Parquet: the one module that knows pyarrow.

Files are written so that equal rows make equal bytes under one lock file: fixed compression, fixed row groups whatever
the pieces in which rows came, no statistics, no metadata of any library. Across versions of the libraries the bytes may
differ, which is why `digest` hashes what the columns hold instead.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (pyarrow's stubs leave most element types unknown; everything that leaves this module is typed by hand)

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triaxis.adapters.atomic import replacing
from triaxis.domain.keys import Keys, Mask, Places
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
        self._layout, self._file = layout, _writer(path, layout)
        self._rows: list[tuple[Cell, ...]] = []
        self._rest = _schema(layout).empty_table()
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
        with _damage(path), pq.ParquetFile(path) as file:
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
    with _damage(path):
        table = pq.read_table(path)
    with replacing(path) as draft, _writer(draft, layout) as writer:
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
        by: The columns that say where a row stands.
        place: Makes of their cells what is compared.
    """
    numbers = [list(layout).index(name) for name in by]
    in_order, last = True, None

    def noted() -> Iterator[tuple[Cell, ...]]:
        nonlocal in_order, last
        for row in rows:
            here = place(tuple(row[number] for number in numbers))
            in_order, last = in_order and (last is None or last <= here), here
            yield row

    with replacing(path) as draft:
        write_table(draft, layout, noted())
        if not in_order:
            places: list[Any] = list(map(place, scan(draft, by)))
            reorder(draft, layout, sorted(range(len(places)), key=places.__getitem__))


def count(path: Path) -> int:
    """How many rows the file holds."""
    with _damage(path):
        return pq.read_metadata(path).num_rows


def scan(path: Path, names: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    """The rows, in the file's order and a row group at a time, with the columns named."""
    with _damage(path), pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from _lines(_read_group(file, group, names), names)


def scan_group(path: Path, names: Sequence[str], number: int) -> Iterator[tuple[Cell, ...]]:
    """The rows of one row group; each holds `ROW_GROUP` of them, but for the last."""
    with _damage(path), pq.ParquetFile(path) as file:
        yield from _lines(_read_group(file, number, names), names)


def pick(path: Path, names: Sequence[str], positions: Collection[int]) -> Iterator[tuple[Cell, ...]]:
    """The rows at some positions, ascending, without turning the others into Python values."""
    return Groups(names, most_bytes=0).pick(path, np.fromiter(positions, dtype=np.int64, count=len(positions)))


def names_of(path: Path) -> frozenset[str]:
    """The columns that a file has."""
    with _damage(path), pq.ParquetFile(path) as file:
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
            with _damage(path):
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
        with _damage(path), pq.ParquetFile(path) as file:
            table = _read_group(file, group, self._names, threads=False)
        self._decoded[place] = table
        while len(self._decoded) > 1 and sum(held.nbytes for held in self._decoded.values()) > self._most_bytes:
            self._decoded.popitem(last=False)
        return table


def read_keys(path: Path, layout: Layout) -> Keys:
    """The column `key` of a file.

    Raises:
        StoreDamaged: where the columns are not those of the layout, or what should be keys are none.
    """
    with _damage(path), pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(_schema(layout)):
            raise StoreDamaged(
                f"{path} was written by another release of Triaxis, and its columns are not those of this one. Give "
                "this release a store of its own (`store:` in evaluation.yaml), or delete the old one: rows that "
                "reports/evidence carries come back from there."
            )
        columns = (file.read_row_group(group, columns=["key"]).column("key") for group in range(file.num_row_groups))
        try:
            return Keys.joined([Keys.of_hex(_text_bytes(chunk)) for column in columns for chunk in column.chunks])
        except ValueError as error:
            raise StoreDamaged(f"{path} is damaged: {error}. Delete it and run again.") from error


LATER: Layout = {"stated_usd": "float"}
"""Columns that files of earlier releases lack: all their rows are null there, so that what they hold is not lost."""


def _read_group(file: pq.ParquetFile, group: int, names: Sequence[str], *, threads: bool = True) -> pa.Table:
    """A row group with the columns named."""
    has = frozenset(file.schema_arrow.names)
    present = [name for name in names if name in has or name not in LATER]
    return _completed(file.read_row_group(group, columns=present, use_threads=threads), names)


def _completed(table: pa.Table, names: Sequence[str]) -> pa.Table:
    for name in names:
        if name in LATER and name not in table.column_names:
            table = table.append_column(name, pa.array([None] * table.num_rows, _TYPES[LATER[name]]))
    return table


def foreign_columns(path: Path) -> list[str]:
    """The columns of a file that somebody else wrote.

    Raises:
        ValueError: where it is not a Parquet file that can be read.
    """
    with _foreign():
        return list(pq.read_schema(path).names)


def foreign_rows(path: Path) -> Iterator[tuple[object, ...]]:
    """The rows of a file that somebody else wrote, as Python values and some at a time; nulls are None.

    Raises:
        ValueError: where it is not a Parquet file that can be read.
    """
    with _foreign(), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROW_GROUP):
            yield from zip(*(cast("list[object]", column.to_pylist()) for column in batch.columns), strict=True)


@contextmanager
def _foreign() -> Generator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"not a readable Parquet file: {error}") from error


@dataclass(frozen=True, slots=True)
class ParquetColumns:
    """Some columns of one file, as `ports.evidence.Columns`."""

    _table: pa.Table

    def __len__(self) -> int:
        return self._table.num_rows

    def codes(self, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """A text column as codes into its sorted distinct values; -1 is null."""
        column = self._table.column(name)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        joined = column.unify_dictionaries().combine_chunks()
        pieces = joined.chunks if isinstance(joined, pa.ChunkedArray) else [joined]
        if not pieces:
            return np.empty(0, np.int32), ()
        encoded = cast("pa.DictionaryArray", pieces[0])
        values = cast("list[str]", encoded.dictionary.to_pylist())
        raw = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        used = np.unique(raw[raw >= 0])
        ordered = sorted(used.tolist(), key=values.__getitem__)
        place = np.full(len(values) + 1, -1, np.int32)
        place[ordered] = np.arange(len(ordered), dtype=np.int32)
        return place[raw], tuple(values[i] for i in ordered)

    def floats(self, name: str) -> NDArray[np.float64]:
        """A numeric column; NaN is null."""
        column = self._table.column(name).cast(pa.float64())
        return column.fill_null(_scalar(float("nan"))).to_numpy().astype(np.float64, copy=False)

    def ints(self, name: str) -> Places:
        """A whole-numbered column without nulls."""
        return self._table.column(name).to_numpy().astype(np.int64, copy=False)

    def texts(self, name: str) -> Sequence[str | None]:
        """A text column as it is."""
        return cast("list[str | None]", self._table.column(name).to_pylist())


def columns(path: Path, names: Sequence[str], *, keep: tuple[str, Cell] | None = None) -> ParquetColumns:
    """Loads columns; `keep` names a column and the value that rows must have there.

    Text is read as dictionary codes where the file has it so, which makes a million rows a matter of a second.
    """
    needed = list(dict.fromkeys([*names, keep[0]] if keep else names))
    with _damage(path):
        schema = pq.read_schema(path)
        there = [name for name in needed if name in schema.names or name not in LATER]
        texts = [name for name in there if pa.types.is_string(schema.field(name).type)]
        found = pq.read_table(path, columns=there, read_dictionary=[n for n in texts if n not in _UNIQUE])
        table = _completed(found, needed)
    if keep:
        table = table.filter(pc.equal(table.column(keep[0]), _scalar(keep[1])))
    return ParquetColumns(table)


_UNIQUE = frozenset({"key", "raw", "answer", "attempts", "rows", "body"})
"""Columns whose values hardly repeat: a dictionary of them would only cost."""


def digest(path: Path, layout: Layout) -> str:
    """Hex sha256 of what the columns hold, in row order; no version, compression or grouping of Parquet changes it.

    Per column three sha256 are taken: of one byte a row (1 present, 0 null); of one little-endian 64-bit word a row
    (an integer, the bits of a double, a flag as 0 or 1, the length of a text in UTF-8 bytes; 0 where null); and of all
    texts' UTF-8 bytes joined. The digest is the sha256 of one line a column, `name kind present words bytes`.
    """
    hashes = {name: (hashlib.sha256(), hashlib.sha256(), hashlib.sha256()) for name in layout}
    with _damage(path), pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = _read_group(file, group, list(layout))
            for name, kind in layout.items():
                for mine, piece in zip(hashes[name], _canonical(table.column(name), kind), strict=True):
                    mine.update(piece)
    lines = [f"{name} {layout[name]} {' '.join(h.hexdigest() for h in hashes[name])}\n" for name in layout]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _writer(path: Path, layout: Layout) -> pq.ParquetWriter:
    repeating = [name for name, kind in layout.items() if kind == "text" and name not in _UNIQUE]
    return pq.ParquetWriter(
        path,
        _schema(layout),
        compression="zstd",
        compression_level=3,
        use_dictionary=cast("bool", repeating),
        write_statistics=False,
        store_schema=False,
    )


def _schema(layout: Layout) -> pa.Schema:
    return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in layout.items()])


def _table(layout: Layout, batch: Sequence[tuple[Cell, ...]]) -> pa.Table:
    cells = zip(*batch, strict=True)
    arrays = [_array(column, kind) for column, kind in zip(cells, layout.values(), strict=True)]
    return pa.Table.from_arrays(arrays, schema=_schema(layout))


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


def _scalar(value: Cell) -> pa.Scalar:
    # The stubs admit no plain number here.
    return cast("Callable[[Cell], pa.Scalar]", pa.scalar)(value)


def _pylist(column: pa.ChunkedArray) -> list[Cell]:
    return cast("list[Cell]", column.to_pylist())


@contextmanager
def _damage(path: Path) -> Generator[None]:
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


def _canonical(column: pa.ChunkedArray, kind: Kind) -> tuple[bytes, bytes, bytes]:
    """Presence, words and text of one column, as `digest` says."""
    present = column.is_valid().to_numpy().astype(np.uint8).tobytes()
    match kind:
        case "text":
            lengths = pc.binary_length(column).fill_null(0).to_numpy().astype("<i8")
            text = b"".join(map(_text_bytes, column.chunks))
            return present, lengths.tobytes(), text
        case "int" | "flag":
            words = column.cast(pa.int64()).fill_null(_scalar(0)).to_numpy().astype("<i8")
            return present, words.tobytes(), b""
        case "float":
            # Adding zero turns -0.0 into 0.0: the two are one number.
            return present, (column.fill_null(_scalar(0.0)).to_numpy() + 0.0).astype("<f8").tobytes(), b""


def _text_bytes(chunk: pa.Array) -> bytes:
    """The UTF-8 bytes of a text array's values, one after another, taken from Arrow's own buffer."""
    _, offsets, data = chunk.buffers()
    if data is None or offsets is None or not len(chunk):
        return b""
    bounds = np.frombuffer(memoryview(offsets), dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])].tobytes()
