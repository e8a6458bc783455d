"""`reports/evidence` as files: canonical JSON and deterministic Parquet, each written whole."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from triaxis.adapters.atomic import write_whole
from triaxis.adapters.evidence import tables
from triaxis.adapters.evidence.codec import decode, encode
from triaxis.adapters.evidence.inputs import InputFiles, shown
from triaxis.adapters.parquet import rows as parquet
from triaxis.adapters.parquet.attempts import attempts_by_variant, attempts_of_keys
from triaxis.adapters.parquet.columns import ParquetColumns, columns, digest, parts
from triaxis.adapters.parquet.rows import Cell, Layout
from triaxis.adapters.store.row_codec import attempts_of, each_once, row_from
from triaxis.domain.attempts import AttemptColumns
from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import Inputs, Validation
from triaxis.domain.keys import Keys, Places
from triaxis.domain.measures import Measures
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rows import IMPORTED, Attempt, Generation, Judgment, ProbeRow, Row
from triaxis.errors import NotMade, StoreDamaged
from triaxis.ports.evidence import TableName

Line: TypeAlias = tuple[Cell, ...]
LAYOUTS: Mapping[TableName, Layout] = {
    "generations": tables.GENERATIONS,
    "probes": tables.PROBES,
    "judgments": tables.JUDGMENTS,
}
_ATTEMPTS: Mapping[TableName, Sequence[str]] = {
    "generations": ("variant", "key", "model", "endpoint", "attempts", "busy_core_s"),
    "judgments": ("variant", "attempts"),
}
"""The columns that tell of attempts."""
_STAGES: Mapping[TableName, str] = {"generations": "generate", "probes": "probe", "judgments": "judge"}


class FileEvidence:
    """`ports.evidence.Evidence` in the folder `evidence` of a reports folder."""

    def __init__(self, reports: Path) -> None:
        self._reports, self._folder = reports, reports / "evidence"
        self._inputs = InputFiles(self._folder / "inputs")

    def write_inputs(
        self,
        inputs: Inputs,
        validation: Validation,
        hashes: Mapping[str, str],
        responses: Iterable[ImportedResponse] = (),
    ) -> None:
        """Writes `inputs/` and clears away what is no part of it."""
        self._inputs.write(inputs, validation, hashes, responses)

    def responses(self) -> Iterator[ImportedResponse]:
        """The imported outputs, by variant, case and sample."""
        return self._inputs.responses()

    def inputs(self) -> Inputs:
        """The inputs as `prepare` resolved them."""
        return self._inputs.read()

    def case_ids(self) -> Iterator[str]:
        """The ids of the cases, in their order."""
        return self._inputs.case_ids()

    def validation(self) -> Validation:
        """The outcome of the last validation."""
        return self._inputs.validation()

    def hashes(self) -> Mapping[str, str]:
        """The hashes that `write_inputs` was given; empty where nothing is prepared."""
        return self._inputs.hashes()

    def write_generations(self, rows: Iterable[Generation]) -> None:
        """Writes generations.parquet, by variant, case and sample."""
        self._write("generations", map(tables.generation_cells, rows), by=("variant", "case_id", "sample"))

    def generations(self, *, attempts: bool = True) -> Iterator[Generation]:
        """Reads generations.parquet, in its order; with or without the attempts behind each answer."""
        make = tables.generation_of if attempts else partial(tables.generation_of, attempted=False)
        return map(make, self._scan("generations"))

    def write_probes(self, probes: Iterable[ProbeRow], rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Writes probes.parquet: requests by variant, block and index, then the paid blocks by key."""
        paid = {row.key: row for row in rows}
        sent: dict[str, list[Attempt]] = {}
        for attempt in attempts:
            sent.setdefault(attempt.key, []).append(attempt)
        blocks = (tables.block_cells(paid.get(k), each_once(sent.get(k, ()))) for k in sorted({*paid, *sent}))
        self._write("probes", chain(map(tables.probe_cells, probes), blocks), by=_BY_SCHEDULE, place=_scheduled)

    def probes(self) -> Iterator[ProbeRow]:
        """Reads the measured requests, warm-up excluded."""
        return (tables.probe_of(line) for line in self._scan("probes") if line[0] == "request")

    def write_judgments(self, rows: Iterable[Judgment]) -> None:
        """Writes judgments.parquet, by variant, case, sample and dimension."""
        self._write("judgments", map(tables.judgment_cells, rows), by=("variant", "case_id", "sample", "dimension"))

    def judgments(self) -> Iterator[Judgment]:
        """Reads judgments.parquet, in its order."""
        return map(tables.judgment_of, self._scan("judgments"))

    def columns(self, table: TableName, names: Sequence[str]) -> ParquetColumns:
        """Some columns of a stage's table; of probes, only the measured requests."""
        keep = ("line", "request") if table == "probes" else None
        return columns(self._present(table), names, keep=keep)

    def parts(self, table: TableName, names: Sequence[str]) -> Iterator[ParquetColumns]:
        """The same of generations or judgments in parts, at least one, of so many rows as fit into memory."""
        return parts(self._present(table), names)

    def attempts(self, table: TableName) -> Iterator[tuple[str, AttemptColumns]]:
        """Every attempt behind a table, by variant, in the order of their names; one may stand there more than once."""
        if table == "probes":
            return attempts_of_keys(self._present(table), self._blocks_of_users(), attempts_of)
        return attempts_by_variant(self._present(table), _ATTEMPTS[table], attempts_of)

    def paid_keys(self, table: TableName) -> Keys:
        """The keys of the paid rows that a table carries, and of attempts that made none; none without the table."""
        return Keys.joined(keys for keys, _ in self._paid_places(table))

    def paid(self, table: TableName, keys: Keys) -> Iterator[tuple[Row | None, tuple[Attempt, ...]]]:
        """The paid rows among `keys` that a table carries, with the attempts behind them."""
        places = [places[mine.among(keys)] for mine, places in self._paid_places(table)]
        wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *places]))
        if not len(wanted):
            return iter(())
        if table == "judgments":
            return self._paid_judgments(wanted)
        return self._paid_lines(table, wanted)

    def evidence_sha256(self) -> str:
        """The sha256 of one line a table, `name digest`, as `parquet.columns.digest` takes it over canonical rows."""
        lines = [f"{name} {digest(self._present(name), layout)}\n" for name, layout in LAYOUTS.items()]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def write_measures(self, measures: Measures) -> None:
        """Writes measures.json."""
        write_whole(self._folder / "measures.json", encode(measures))

    def measures(self) -> Measures:
        """Reads measures.json."""
        try:
            return decode(Measures, self.read_json("evidence/measures.json"))
        except ValueError as error:
            path = self._folder / "measures.json"
            raise StoreDamaged(f"{path} is damaged: {error}. Delete it and run again") from error

    def write_json(self, path: str, value: JsonValue) -> None:
        """A canonical JSON file at a path relative to the reports folder."""
        write_whole(self._reports / path, encode(value))

    def read_json(self, path: str) -> JsonValue:
        """A JSON file at a path relative to the reports folder.

        Raises:
            StoreDamaged: where it is missing or no JSON.
        """
        file = self._reports / path
        try:
            value: JsonValue = json.loads(file.read_bytes())
        except FileNotFoundError as error:
            raise NotMade(f"{self._reports.name}/{path}", "run") from error
        except ValueError as error:
            raise StoreDamaged(f"{file} is damaged: {error}. Delete it; `triaxis run` makes it again") from error
        return value

    def copy(self, into: Path) -> None:
        """Copies the evidence into another reports folder."""
        shutil.copytree(self._folder, into / self._folder.name)

    def read_text(self, path: str) -> str:
        """A text file at a path relative to the reports folder."""
        return (self._reports / path).read_bytes().decode()

    def write_text(self, path: str, text: str) -> None:
        """A text file at a path relative to the reports folder."""
        write_whole(self._reports / path, text.encode("utf-8", "replace"))

    def _path(self, table: TableName) -> Path:
        return self._folder / f"{table}.parquet"

    def _present(self, table: TableName) -> Path:
        path = self._path(table)
        if not path.is_file():
            raise NotMade(shown(path), _STAGES[table])
        return path

    def _scan(self, table: TableName) -> Iterator[Line]:
        return parquet.scan(self._present(table), list(LAYOUTS[table]))

    def _write(
        self,
        table: TableName,
        lines: Iterable[Line],
        *,
        by: Sequence[str],
        place: Callable[[tuple[Any, ...]], Any] = tuple,
    ) -> None:
        parquet.write_sorted(self._path(table), LAYOUTS[table], lines, by=by, place=place)

    def _blocks_of_users(self) -> dict[str, set[str]]:
        """The blocks that each variant's requests were read from, by variant."""
        blocks: dict[str, set[str]] = {}
        for variant, key in parquet.scan(self._path("probes"), ["variant", "key"]):
            if variant is not None:
                blocks.setdefault(str(variant), set()).add(str(key))
        return blocks

    def _paid_places(self, table: TableName) -> Iterator[tuple[Keys, Places]]:
        """Keys with the lines that carry them, some thousand at a time."""
        path = self._path(table)
        if not path.is_file():
            return
        names = {"generations": ["key", "client"], "probes": ["key", "line"], "judgments": ["keys"]}[table]
        free = {"generations": [IMPORTED], "probes": ["request", "warmup"], "judgments": []}[table]
        lines = enumerate(parquet.scan(path, names))
        while chunk := list(islice(lines, parquet.ROW_GROUP)):
            held = [
                (key, place)
                for place, (said, *mark) in chunk
                if said and not any(word in free for word in mark)
                for key in str(said).split()
            ]
            yield Keys.of([key for key, _ in held]), np.array([place for _, place in held], np.int64)

    def _paid_lines(self, table: TableName, places: Places) -> Iterator[tuple[Row | None, tuple[Attempt, ...]]]:
        """What lines of one row each carry: a paid row, or attempts that made none."""
        names = list(LAYOUTS[table])
        for cells in parquet.pick(self._path(table), names, places.tolist()):
            line: dict[str, Any] = dict(zip(names, cells, strict=True))
            line["kind"] = "probe" if table == "probes" else "call"
            yield (row_from(line) if line["outcome"] else None), attempts_of(line["attempts"], line)

    def _paid_judgments(self, places: Places) -> Iterator[tuple[Row | None, tuple[Attempt, ...]]]:
        """What judgments carry: every reply that they rest on."""
        for rows, attempts in parquet.pick(self._path("judgments"), ["rows", "attempts"], places.tolist()):
            yield None, attempts_of(None if attempts is None else str(attempts))
            yield from ((row, ()) for row in tables.judge_rows(str(rows)))


_BY_SCHEDULE = ("line", "variant", "block", "index", "key")


def _scheduled(cells: tuple[Any, ...]) -> tuple[bool, str, int, int, str]:
    """Where a line of probes stands: requests by variant, block and index, then paid blocks by key."""
    line, variant, block, index, key = cells
    return line == "block", variant or "", block or 0, index or 0, key
