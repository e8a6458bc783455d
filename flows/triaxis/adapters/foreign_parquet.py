"""Parquet files that somebody else wrote."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# (pyarrow's stubs leave most element types unknown; everything that leaves this module is typed by hand)

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from triaxis.adapters.parquet_files import ROW_GROUP


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
