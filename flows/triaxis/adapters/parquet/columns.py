"""Parquet, column by column: where a million rows are read or written and none of them is wanted as such."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (pyarrow's stubs leave most element types unknown; everything that leaves this module is typed by hand)

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triaxis.adapters.atomic import replacing
from triaxis.adapters.parquet.rows import (
    LATER,
    ROW_GROUP,
    UNIQUE,
    Cell,
    Kind,
    Layout,
    completed,
    damage_of,
    read_groups,
    scalar,
    schema_of,
    writer_of,
)
from triaxis.domain.keys import DIGITS, Keys, Places
from triaxis.errors import StoreDamaged


def read_keys(path: Path, layout: Layout) -> Keys:
    """The column `key` of a file.

    Raises:
        StoreDamaged: where the columns are not those of the layout, or what should be keys are none.
    """
    with damage_of(path), pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(schema_of(layout)):
            raise StoreDamaged(
                f"{path} was written by another release of Triaxis, and its columns are not those of this one. Give "
                "this release a store of its own (`store:` in evaluation.yaml), or delete the old one: rows that "
                "reports/evidence carries come back from there."
            )
        columns = (file.read_row_group(group, columns=["key"]).column("key") for group in range(file.num_row_groups))
        try:
            return Keys.joined([Keys.of_hex(text_bytes(chunk)) for column in columns for chunk in column.chunks])
        except ValueError as error:
            raise StoreDamaged(f"{path} is damaged: {error}. Delete it and run again.") from error


AT_ONCE = 8
"""Row groups in memory at a time, where a table is read in parts."""
MOST_BYTES = 1 << 24
"""Of row groups that are hashed together, with all their columns."""


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
        used = np.zeros(len(values) + 1, np.bool_)
        used[raw] = True  # of a null the last entry, which no value has
        ordered = sorted(np.flatnonzero(used[:-1]).tolist(), key=values.__getitem__)
        if ordered == list(range(len(values))):
            return raw, tuple(values)
        place = np.full(len(values) + 1, -1, np.int32)
        place[ordered] = np.arange(len(ordered), dtype=np.int32)
        return place[raw], tuple([values[i] for i in ordered])

    def floats(self, name: str) -> NDArray[np.float64]:
        """A numeric column; NaN is null."""
        column = self._table.column(name).cast(pa.float64())
        return column.fill_null(scalar(float("nan"))).to_numpy().astype(np.float64, copy=False)

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
    with damage_of(path):
        there, coded = _readable(pq.read_schema(path), needed)
        table = completed(pq.read_table(path, columns=there, read_dictionary=coded), needed)
    if keep:
        table = table.filter(pc.equal(table.column(keep[0]), scalar(keep[1])))
    return ParquetColumns(table)


def parts(path: Path, names: Sequence[str]) -> Iterator[ParquetColumns]:
    """Loads columns some row groups at a time, in the file's order; of a file without rows there is one empty part."""
    with damage_of(path):
        there, coded = _readable(pq.read_schema(path), names)
    with damage_of(path), pq.ParquetFile(path, read_dictionary=coded) as file:
        for start in range(0, max(1, file.num_row_groups), AT_ONCE):
            groups = range(start, min(start + AT_ONCE, file.num_row_groups))
            yield ParquetColumns(completed(file.read_row_groups(list(groups), columns=there), names))


def _readable(schema: pa.Schema, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of the columns that the file has, and those of them that are read as dictionary codes."""
    there = [name for name in names if name in schema.names or name not in LATER]
    return there, [name for name in there if pa.types.is_string(schema.field(name).type) and name not in UNIQUE]


def write_columns(path: Path, layout: Layout, columns: Sequence[Keys | NDArray[np.int64]]) -> None:
    """Writes whole columns in the order of the layout, keys as text and whole numbers: the bytes of `write_table`."""
    arrays = [_text_of(column) if isinstance(column, Keys) else _whole(column) for column in columns]
    table = pa.Table.from_arrays(arrays, schema=schema_of(layout))
    with replacing(path) as draft, writer_of(draft, layout) as file:
        if len(table):
            file.write_table(table, row_group_size=ROW_GROUP)


def _text_of(keys: Keys) -> pa.Array:
    ends = np.arange(len(keys) + 1, dtype=np.int32) * DIGITS
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(keys.hex().encode())]
    return pa.Array.from_buffers(pa.string(), len(keys), buffers)


def _whole(numbers: NDArray[np.int64]) -> pa.Array:
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers.astype("<i8").tobytes())])


def digest(path: Path, layout: Layout) -> str:
    """Hex sha256 of what the columns hold, in row order; no version, compression or grouping of Parquet changes it.

    Per column three sha256 are taken: of one byte a row (1 present, 0 null); of one little-endian 64-bit word a row
    (an integer, the bits of a double, a flag as 0 or 1, the length of a text in UTF-8 bytes; 0 where null); and of all
    texts' UTF-8 bytes joined. The digest is the sha256 of one line a column, `name kind present words bytes`.
    """
    hashes = {name: (hashlib.sha256(), hashlib.sha256(), hashlib.sha256()) for name in layout}
    with damage_of(path), pq.ParquetFile(path) as file:
        for groups in _together(file):
            table = read_groups(file, groups, list(layout))
            for name, kind in layout.items():
                for mine, piece in zip(hashes[name], _canonical(table.column(name), kind), strict=True):
                    mine.update(piece)
    lines = [f"{name} {layout[name]} {' '.join(h.hexdigest() for h in hashes[name])}\n" for name in layout]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _together(file: pq.ParquetFile) -> Iterator[list[int]]:
    """The row groups, small ones some at a time, which saves most of the work that each read takes by itself."""
    groups: list[int] = []
    held = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).total_byte_size
        if groups and (held + size > MOST_BYTES or len(groups) == AT_ONCE):
            yield groups
            groups, held = [], 0
        groups.append(group)
        held += size
    if groups:
        yield groups


def _canonical(column: pa.ChunkedArray, kind: Kind) -> tuple[bytes, bytes, bytes]:
    """Presence, words and text of one column, as `digest` says."""
    present = column.is_valid().to_numpy().astype(np.uint8).tobytes()
    match kind:
        case "text":
            lengths = pc.binary_length(column).fill_null(0).to_numpy().astype("<i8")
            text = b"".join(map(text_bytes, column.chunks))
            return present, lengths.tobytes(), text
        case "int" | "flag":
            words = column.cast(pa.int64()).fill_null(scalar(0)).to_numpy().astype("<i8")
            return present, words.tobytes(), b""
        case "float":
            # Adding zero turns -0.0 into 0.0: the two are one number.
            return present, (column.fill_null(scalar(0.0)).to_numpy() + 0.0).astype("<f8").tobytes(), b""


def text_bytes(chunk: pa.Array) -> bytes:
    """The UTF-8 bytes of a text array's values, one after another, taken from Arrow's own buffer."""
    _, offsets, data = chunk.buffers()
    if data is None or offsets is None or not len(chunk):
        return b""
    bounds = np.frombuffer(memoryview(offsets), dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])].tobytes()
