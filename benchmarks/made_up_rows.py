"""Very many rows of evidence, made up column by column: a million cases in a minute, where values one by one take ten.

Inputs are written by the package itself, tables by its own layouts, in the order and the row groups in which it writes
them; only the values never become objects.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (pyarrow's stubs leave most element types unknown)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triaxis.adapters.evidence.files import LAYOUTS
from triaxis.adapters.evidence.tables import attempts_text
from triaxis.adapters.parquet.rows import ROW_GROUP, schema_of, writer_of
from triaxis.domain.rows import Attempt
from triaxis.ports.evidence import TableName
from triaxis.quantities import Tokens

Rows: TypeAlias = NDArray[np.int64]
AT_ONCE = 32 * ROW_GROUP
"""Rows made up at a time."""


def write_rows(
    folder: Path, *, variants: Sequence[str], cases: Sequence[str], dimensions: Sequence[str], model: str
) -> None:
    """Writes generations.parquet and judgments.parquet: each variant answers each case.

    Args:
        folder: Where evidence stands.
        variants: By name.
        cases: Their ids, sorted.
        dimensions: Sorted; the first one is graded, so that the slower estimates are measured too.
        model: The only one.
    """
    answers = len(variants) * len(cases)
    names, ids, scored = pa.array(variants), pa.array(cases), pa.array(dimensions)
    _write(folder, "generations", _generations(names, ids, model), answers)
    _write(folder, "judgments", _judgments(names, ids, scored), answers * len(dimensions))


def _write(folder: Path, table: TableName, parts: Iterator[Mapping[str, pa.Array]], rows: int) -> None:
    layout = LAYOUTS[table]
    with writer_of(folder / f"{table}.parquet", layout) as file:
        for part in parts:
            length = len(next(iter(part.values())))
            cells = [part[name] if name in part else _nulls(length, t) for name, t in _types(table).items()]
            file.write_table(pa.Table.from_arrays(cells, schema=schema_of(layout)), row_group_size=ROW_GROUP)
    print(f"{rows:,} {table}", end=", ", flush=True)


def _types(table: TableName) -> Mapping[str, pa.DataType]:
    schema = schema_of(LAYOUTS[table])
    return dict(zip(schema.names, schema.types, strict=True))


# The stubs of these admit less than pyarrow takes.
_nulls = cast("Callable[[int, pa.DataType], pa.Array]", pa.nulls)
_joined = cast("Callable[..., pa.Array]", pc.binary_join_element_wise)


def _picked(values: pa.Array, places: Rows) -> pa.Array:
    return values.take(cast("pa.IntegerArray", pa.array(places)))


def _spans(rows: int) -> Iterator[Rows]:
    for start in range(0, rows, AT_ONCE):
        yield np.arange(start, min(start + AT_ONCE, rows))


def _generations(variants: pa.Array, cases: pa.Array, model: str) -> Iterator[Mapping[str, pa.Array]]:
    rng = np.random.default_rng(1)
    for rows in _spans(len(variants) * len(cases)):
        prompt, completion = pa.array(rng.integers(20, 900, len(rows))), pa.array(rng.integers(20, 900, len(rows)))
        yield {
            "variant": _picked(variants, rows // len(cases)),
            "case_id": _picked(cases, rows % len(cases)),
            "sample": pa.array(np.zeros(len(rows), np.int64)),
            "key": _keys(rng, len(rows)),
            "model": pa.repeat(model, len(rows)),
            "outcome": pa.repeat("answered", len(rows)),
            "finish_reason": pa.repeat("stop", len(rows)),
            "answer": pa.repeat("everything", len(rows)),
            "input_tokens": prompt,
            "cached_tokens": pa.array(np.zeros(len(rows), np.int64)),
            "output_tokens": completion,
            "client": pa.repeat("made up", len(rows)),
            "attempts": _attempts(rows, prompt, completion, model),
            "raw": pa.repeat('{"made": "up"}', len(rows)),
        }


def _keys(rng: np.random.Generator, count: int) -> pa.Array:
    """Different texts of 64 hex digits."""
    digits = rng.bytes(32 * count).hex()
    return pa.array([digits[at : at + 64] for at in range(0, len(digits), 64)])


def _attempts(rows: Rows, prompt: pa.Array, completion: pa.Array, model: str) -> pa.Array:
    """One answered call each, in the text that the package makes of one, with the numbers in it replaced."""
    usage = Tokens(input=-2, cached=0, output=-3)
    one = Attempt(key="", at_ns=-1, model=model, endpoint=None, outcome="answered", usage=usage, upper=Tokens(input=9))
    numbers = {"-1": pa.array(1_700_000_000_000_000_000 + rows), "-2": prompt, "-3": completion}
    pieces: list[pa.Array | str] = []
    rest = attempts_text([one]) or ""
    for mark in sorted(numbers, key=rest.index):
        before, _, rest = rest.partition(mark)
        pieces += [before, numbers[mark].cast(pa.string())]
    return _joined(*pieces, rest, "")


def _judgments(variants: pa.Array, cases: pa.Array, dimensions: pa.Array) -> Iterator[Mapping[str, pa.Array]]:
    rng = np.random.default_rng(2)
    each = len(cases) * len(dimensions)
    for rows in _spans(len(variants) * each):
        place, dimension = rows // each, rows % len(dimensions)
        scores = (rng.random(len(rows)) < 0.97 - 0.02 * place).astype(np.float64)
        scores[dimension == 0] *= rng.random(int((dimension == 0).sum())).round(3)
        yield {
            "variant": _picked(variants, place),
            "case_id": _picked(cases, rows % each // len(dimensions)),
            "sample": pa.array(np.zeros(len(rows), np.int64)),
            "dimension": _picked(dimensions, dimension),
            "outcome": pa.repeat("scored", len(rows)),
            "score": pa.array(scores),
        }
