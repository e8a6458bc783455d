"""Parquet files that somebody else wrote."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (pyarrow's stubs leave most element types unknown; everything that leaves this module is typed by hand)

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from triaxis.adapters.parquet.rows import ROW_GROUP

_ROW_LABELS = re.compile(r"__index_level_\d+__")
"""What pandas calls the nameless labels of rows that were filtered or shuffled before they were written."""


def foreign_columns(path: Path) -> list[str]:
    """The columns of a file that somebody else wrote, but for the row labels that pandas adds.

    Raises:
        ValueError: where it is not a Parquet file that can be read.
    """
    with _foreign():
        return [name for name in pq.read_schema(path).names if not _ROW_LABELS.fullmatch(name)]


def foreign_rows(path: Path) -> Iterator[tuple[object, ...]]:
    """The rows in `foreign_columns`, as Python values and some at a time; nulls are None.

    Raises:
        ValueError: where it is not a Parquet file that can be read.
    """
    with _foreign(), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROW_GROUP):
            meant = (
                c for name, c in zip(batch.schema.names, batch.columns, strict=True) if not _ROW_LABELS.fullmatch(name)
            )
            yield from zip(*(cast("list[object]", column.to_pylist()) for column in meant), strict=True)


@contextmanager
def _foreign() -> Generator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"not a readable Parquet file: {error}") from error
