"""The attempts that stand as JSON in cells of a table, read into columns: Arrow parses a million in a second."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (pyarrow's stubs leave most element types unknown; everything that leaves this module is typed by hand)

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triaxis.adapters.parquet.columns import AT_ONCE, text_bytes
from triaxis.adapters.parquet.rows import damage_of, scalar
from triaxis.domain.attempts import KINDS, UNTOLD, AttemptColumns
from triaxis.domain.keys import Keys
from triaxis.domain.rows import Attempt

_COUNTS = pa.struct([pa.field(kind, pa.int64()) for kind in KINDS])
_ATTEMPT = pa.struct(
    [
        pa.field("key", pa.string()),
        pa.field("at_ns", pa.int64()),
        pa.field("part", pa.int64()),
        pa.field("batch", pa.string()),
        pa.field("model", pa.string()),
        pa.field("outcome", pa.string()),
        pa.field("may_bill", pa.bool_()),
        pa.field("usage", _COUNTS),
        pa.field("upper", _COUNTS),
    ]
)
"""What is read of an attempt; `row_codec.attempt_facts` writes it."""
_PARSE = pj.ParseOptions(
    explicit_schema=pa.schema([pa.field("cell", pa.list_(_ATTEMPT))]), unexpected_field_behavior="ignore"
)
Reading: TypeAlias = Callable[[str, Mapping[str, Any] | None], Sequence[Attempt]]
"""How Python reads a cell; where its attempts share the key, model and endpoint of their line, it is shown the line."""
_SHARED = ("key", "model", "endpoint")
"""What stands in the line where its attempts do not say it."""


def attempts_by_variant(path: Path, names: Sequence[str], read: Reading) -> Iterator[tuple[str, AttemptColumns]]:
    """The attempts behind the lines of each variant, of a table that is sorted by variant.

    Args:
        path: The table.
        names: Its columns `variant` and `attempts`; `key`, `model` and `endpoint` where attempts share those of their
            line; `busy_core_s` where that is known.
        read: For the cells that Arrow refuses.
    """
    for variant, parts in groupby(_parts(path, names, read), key=itemgetter(0)):
        yield variant, AttemptColumns.joined([part for _, part in parts])


def _parts(path: Path, names: Sequence[str], read: Reading) -> Iterator[tuple[str, AttemptColumns]]:
    """The same in pieces: the lines of one variant in some row groups each."""
    with damage_of(path), pq.ParquetFile(path) as file:
        for start in range(0, file.num_row_groups, AT_ONCE):
            groups = list(range(start, min(start + AT_ONCE, file.num_row_groups)))
            lines = file.read_row_groups(groups, columns=list(names), use_threads=False)
            told = lines.filter(pc.is_valid(lines.column("attempts")))
            for variant in cast("list[str]", pc.unique(lines.column("variant")).to_pylist()):
                yield variant, _attempts(told.filter(pc.equal(told.column("variant"), scalar(variant))), read)


def attempts_of_keys(
    path: Path, keys: Mapping[str, Collection[str]], read: Reading
) -> Iterator[tuple[str, AttemptColumns]]:
    """The attempts of the lines that paid for what was measured of each variant, by name.

    Args:
        path: The table of probes.
        keys: By variant, of the lines.
        read: For the cells that Arrow refuses.
    """
    with damage_of(path):
        lines = pq.read_table(path, columns=["variant", *_SHARED, "attempts"], use_threads=False)
    paid = lines.filter(pc.and_(pc.is_null(lines.column("variant")), pc.is_valid(lines.column("attempts"))))
    for variant, mine in sorted(keys.items()):
        yield variant, _attempts(paid.filter(pc.is_in(paid.column("key"), pa.array(mine, pa.string()))), read)


def _attempts(lines: pa.Table, read: Reading) -> AttemptColumns:
    """The attempts behind some lines, in their order, of which all tell of some."""
    if not lines.num_rows:
        return AttemptColumns.of([])
    try:
        return _parsed(lines.combine_chunks())
    except pa.ArrowInvalid:
        # Python reads what Arrow does not, such as half of a surrogate pair.
        return _read(lines, read)


def _parsed(lines: pa.Table) -> AttemptColumns:
    lists = _lists(lines.column("attempts"))
    line, attempts = pc.list_parent_indices(lists), cast("pa.StructArray", lists.flatten())

    def said(name: str) -> pa.Array | pa.ChunkedArray:
        """By the line, or else by the attempt."""
        return lines.column(name).take(line) if name in lines.column_names else attempts.field(name)

    models, model_names = _codes(said("model"))
    return AttemptColumns(
        keys=Keys.naming(cast("list[str]", said("key").to_pylist())),
        at_ns=_whole(attempts.field("at_ns")),
        part=_whole(attempts.field("part")),
        models=models,
        model_names=model_names,
        batched=_flags(attempts.field("batch").is_valid()),
        answered=_flags(pc.equal(attempts.field("outcome"), scalar("answered"))),
        unknown=_flags(pc.equal(attempts.field("outcome"), scalar("unknown"))),
        may_bill=_flags(attempts.field("may_bill").fill_null(scalar(value=True))),
        usage=_counts(attempts, "usage"),
        upper=_counts(attempts, "upper"),
        busy_core_s=_seconds(said("busy_core_s"))
        if "busy_core_s" in lines.column_names
        else np.full(len(line), np.nan),
    )


def _lists(cells: pa.ChunkedArray) -> pa.ListArray:
    """The attempts of each cell, whose text becomes a line of JSON."""
    ends = (pa.scalar('{"cell":'), cells, pa.scalar("}\n"), pa.scalar(""))
    # The stubs admit columns alone.
    text = cast("Callable[..., pa.ChunkedArray]", pc.binary_join_element_wise)(*ends)
    buffer = b"".join(map(text_bytes, text.chunks))
    found = pj.read_json(
        BytesIO(buffer),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(buffer)),
        parse_options=_PARSE,
    )
    return cast("pa.ListArray", found.column("cell").combine_chunks())


def _read(lines: pa.Table, read: Reading) -> AttemptColumns:
    """The same, one attempt after another."""
    found: list[Attempt] = []
    seconds: list[float | None] = []
    for line in lines.to_pylist():
        mine = read(line["attempts"], line if "key" in line else None)
        found += mine
        seconds += [line.get("busy_core_s")] * len(mine)
    return AttemptColumns.of(found, seconds)


def _codes(texts: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    joined = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    encoded = joined.dictionary_encode()
    return _whole(encoded.indices), tuple(cast("list[str]", encoded.dictionary.to_pylist()))


def _whole(numbers: pa.Array) -> NDArray[np.int64]:
    return numbers.to_numpy(zero_copy_only=False).astype(np.int64)


def _flags(values: pa.Array) -> NDArray[np.bool_]:
    return values.to_numpy(zero_copy_only=False)


def _counts(attempts: pa.StructArray, name: str) -> NDArray[np.int64]:
    kinds = (pc.struct_field(attempts, [name, kind]).fill_null(UNTOLD) for kind in KINDS)
    return np.column_stack([_whole(counts) for counts in kinds])


def _seconds(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    return column.fill_null(scalar(float("nan"))).to_numpy().astype(np.float64)
