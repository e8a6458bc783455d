"""The evidence behind the current scorecard: inputs as resolved, and rows, as files that each stage owns whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.attempts import AttemptColumns
from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import Inputs, Validation
from triaxis.domain.keys import Keys
from triaxis.domain.measures import Measures
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rows import Attempt, Generation, Judgment, ProbeRow, Row

TableName: TypeAlias = Literal["generations", "probes", "judgments"]


class Columns(Protocol):
    """Some columns of one table, all of the same length, in the file's row order."""

    def __len__(self) -> int: ...

    def codes(self, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """A text column as codes into its sorted distinct values; -1 is null."""
        ...

    def floats(self, name: str) -> NDArray[np.float64]:
        """A numeric column; NaN is null."""
        ...

    def texts(self, name: str) -> Sequence[str | None]:
        """A text column as it is."""
        ...


class Evidence(Protocol):
    """Reads and writes `reports/evidence`. Every write is whole: a temporary file, then a rename.

    Tables are written in a fixed order (variant, case, sample or block and index, dimension), whatever the order in
    which rows came, so that equal rows make equal bytes.
    """

    def write_inputs(
        self,
        inputs: Inputs,
        validation: Validation,
        hashes: Mapping[str, str],
        responses: Iterable[ImportedResponse] = (),
    ) -> None:
        """Writes `inputs/`, with the hashes of `CreatedFrom` but the evidence's, and the imported outputs."""
        ...

    def responses(self) -> Iterator[ImportedResponse]:
        """The imported outputs, by variant, case and sample; read as they are asked for."""
        ...

    def hashes(self) -> Mapping[str, str]:
        """The hashes that `write_inputs` was given; empty where nothing was prepared yet."""
        ...

    def inputs(self) -> Inputs:
        """The inputs as `prepare` resolved them."""
        ...

    def case_ids(self) -> Iterator[str]:
        """The ids of the inputs' cases, in their order, without reading the rest of them."""
        ...

    def validation(self) -> Validation:
        """The outcome of the last validation."""
        ...

    def write_generations(self, rows: Iterable[Generation]) -> None:
        """Writes generations.parquet."""
        ...

    def generations(self, *, attempts: bool = True) -> Iterator[Generation]:
        """Reads generations.parquet, in its order; with or without the attempts behind each answer."""
        ...

    def write_probes(self, probes: Iterable[ProbeRow], rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Writes probes.parquet: the measured requests, and the paid block rows behind them."""
        ...

    def probes(self) -> Iterator[ProbeRow]:
        """Reads the measured requests, warm-up excluded."""
        ...

    def write_judgments(self, rows: Iterable[Judgment]) -> None:
        """Writes judgments.parquet."""
        ...

    def judgments(self) -> Iterator[Judgment]:
        """Reads judgments.parquet, in its order."""
        ...

    def columns(self, table: TableName, names: Sequence[str]) -> Columns:
        """Some columns of a stage's table, without reading the rest.

        generations: variant, case_id, sample, key, model, endpoint, outcome, error, finish_reason, answer,
            input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, busy_core_s, stated_usd,
            client, raw
        probes: variant, case_id, block, index, scheduled_ns, sent_ns, first_ns, last_ns, error, the five token
            columns, client, key
        judgments: variant, case_id, sample, dimension, outcome, score, why, judge
        """
        ...

    def parts(self, table: TableName, names: Sequence[str]) -> Iterator[Columns]:
        """The same of generations or judgments in parts, at least one, of so many rows as fit into memory."""
        ...

    def attempts(self, table: TableName) -> Iterator[tuple[str, AttemptColumns]]:
        """Every attempt behind a table, by variant, in the order of their names; one may stand there more than once.

        Busy seconds come with those of generations alone.
        """
        ...

    def paid_keys(self, table: TableName) -> Keys:
        """The keys of the paid rows that a table carries, and of attempts that made none; none without the table."""
        ...

    def paid(self, table: TableName, keys: Keys) -> Iterator[tuple[Row | None, tuple[Attempt, ...]]]:
        """The paid rows among `keys` that a table carries, with attempts behind them; a row may come more than once."""
        ...

    def evidence_sha256(self) -> str:
        """Over canonical rows, not Parquet bytes."""
        ...

    def write_measures(self, measures: Measures) -> None:
        """Writes measures.json."""
        ...

    def measures(self) -> Measures:
        """Reads measures.json."""
        ...

    def write_json(self, path: str, value: JsonValue) -> None:
        """A canonical JSON file, RFC 8785 and a final newline, at a path relative to the reports folder."""
        ...

    def read_json(self, path: str) -> JsonValue:
        """A JSON file at a path relative to the reports folder."""
        ...

    def read_text(self, path: str) -> str:
        """A text file at a path relative to the reports folder."""
        ...

    def write_text(self, path: str, text: str) -> None:
        """A text file at a path relative to the reports folder."""
        ...
