"""`reports/evidence/inputs`: everything that decides a scorecard besides the rows, as `prepare` resolved it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from triaxis.adapters.atomic import write_whole
from triaxis.adapters.evidence import tables
from triaxis.adapters.evidence.cases import stored_cases
from triaxis.adapters.evidence.codec import decode, encode
from triaxis.adapters.evidence.routes import route_cells, routes_of
from triaxis.adapters.parquet import rows as parquet
from triaxis.adapters.store.bulk import collector_paused
from triaxis.adapters.untouched import Seen, seen
from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import Inputs, Prices, Validation
from triaxis.domain.looks import Looks
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.rubric import Dimension, PythonFunction, Rubric
from triaxis.domain.slo import Slo
from triaxis.domain.variant import Variant
from triaxis.errors import NotMade, StoreDamaged

T = TypeVar("T")
RESPONSES = "responses.parquet"
LOOKS = "looks.json"
ROUTES = "routes.parquet"
"""What routers decided. Not there where none decides before the answers are known; its hash stands in hashes.json."""
INDEX = "evaluators/index.json"
"""Which of the workspace's files each evaluator was copied from. It is there even when there is none, because DVC
versions no empty folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The content of variants.json."""

    name: str
    baseline: str
    variants: tuple[Variant, ...]


class InputFiles:
    """The files of one `inputs` folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: tuple[dict[Path, Seen], Inputs] | None = None

    def write(
        self,
        inputs: Inputs,
        validation: Validation,
        hashes: Mapping[str, str],
        responses: Iterable[ImportedResponse],
    ) -> None:
        """Writes all of them, leaves equal ones alone, and deletes what is no part of the inputs."""
        sources = _sources(inputs.rubric)
        texts: dict[str, bytes] = {
            "variants.json": encode(Variants(name=inputs.name, baseline=inputs.baseline, variants=inputs.variants)),
            "rubric.json": encode(_with_sources(inputs.rubric, {file: copy_of(file) for file in sources})),
            "slo.json": encode(inputs.slo),
            "prices.json": encode(inputs.prices),
            "validation.json": encode(validation),
            "hashes.json": encode(dict(hashes)),
            INDEX: encode({copy_of(file): file for file in sources}),
            **{copy_of(file): source.encode() for file, source in sources.items()},
        }
        if inputs.looks is not None:
            texts[LOOKS] = encode(inputs.looks)
        for name, content in texts.items():
            write_whole(self._folder / name, content)
        parquet.write_table(self._folder / "cases.parquet", tables.CASES, map(tables.case_cells, inputs.cases))
        parquet.write_table(self._folder / "labels.parquet", tables.LABELS, map(tables.label_cells, inputs.labels))
        # There even when there is none, because stages depend on it; by variant, case and sample.
        lines = map(tables.response_cells, responses)
        parquet.write_sorted(self._folder / RESPONSES, tables.RESPONSES, lines, by=("variant", "case_id", "sample"))
        if inputs.routes:
            parquet.write_table(self._folder / ROUTES, tables.ROUTES, route_cells(inputs))
        routes = {ROUTES} if inputs.routes else set[str]()
        self._clear({*texts, "cases.parquet", "labels.parquet", RESPONSES, *routes})

    def responses(self) -> Iterator[ImportedResponse]:
        """The imported outputs, in the file's order."""
        return map(tables.response_of, parquet.scan(self._present(RESPONSES), list(tables.RESPONSES)))

    def case_ids(self) -> Iterator[str]:
        """The ids of the cases, in the file's order."""
        return (str(case_id) for (case_id,) in parquet.scan(self._present("cases.parquet"), ["id"]))

    @collector_paused()
    def read(self) -> Inputs:
        """The inputs as they were written; every stage of a run asks for them, and the files are read once."""
        files = {path: seen(path) for path in self._folder.rglob("*") if path.is_file()}
        if self._last is None or self._last[0] != files:
            self._last = files, self._read()
        return self._last[1]

    def _read(self) -> Inputs:
        variants = self._value("variants.json", Variants)
        rubric, routes = self._value("rubric.json", Rubric), self._folder / ROUTES
        return Inputs(
            name=variants.name,
            baseline=variants.baseline,
            variants=variants.variants,
            cases=stored_cases(self._present("cases.parquet")),
            rubric=_with_sources(rubric, {file: self._text(copy_of(file)) for file in _sources(rubric)}),
            slo=self._value("slo.json", Slo),
            prices=self._value("prices.json", Prices),
            labels=tuple(map(tables.label_of, parquet.scan(self._present("labels.parquet"), list(tables.LABELS)))),
            looks=self._value(LOOKS, Looks) if (self._folder / LOOKS).is_file() else None,
            routes=routes_of(parquet.scan(routes, list(tables.ROUTES))) if routes.is_file() else {},
        )

    def prices(self) -> Prices:
        """The price rows alone."""
        return self._value("prices.json", Prices)

    def validation(self) -> Validation:
        """The outcome of the validation."""
        return self._value("validation.json", Validation)

    def hashes(self) -> Mapping[str, str]:
        """The hashes by name; empty where there are none yet."""
        path = self._folder / "hashes.json"
        return json.loads(path.read_bytes()) if path.is_file() else {}

    def _value(self, name: str, kind: type[T]) -> T:
        try:
            said: JsonValue = json.loads(self._text(name))
            return decode(kind, said)
        except ValueError as error:
            raise StoreDamaged(
                f"{self._folder / name} is damaged: {error}; `triaxis prepare` makes it again"
            ) from error

    def _text(self, name: str) -> str:
        return self._present(name).read_bytes().decode()

    def _present(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            raise NotMade(shown(path), "prepare")
        return path

    def _clear(self, names: Iterable[str]) -> None:
        keep = {self._folder / name for name in names}
        for path in sorted(self._folder.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in keep:
                path.unlink()


def shown(path: Path) -> str:
    """A file of the evidence as a person finds it, from the reports folder on."""
    from_evidence = path.parts[::-1].index("evidence") + 1
    return str(Path(*path.parts[-from_evidence - 1 :]))


def copy_of(file: str) -> str:
    """Where the copy of a workspace's evaluator stands within `inputs`."""
    parts = [part for part in PurePosixPath(file).parts if part not in ("/", "..", "evaluators")]
    return f"evaluators/{'__'.join(parts)}"


def _sources(rubric: Rubric) -> dict[str, str]:
    """The source of each Python evaluator, by its file in the workspace."""
    own = [d.evaluator for d in rubric.dimensions if isinstance(d.evaluator, PythonFunction)]
    return {evaluator.file: evaluator.source for evaluator in own}


def _with_sources(rubric: Rubric, sources: Mapping[str, str]) -> Rubric:
    """The rubric whose Python evaluators have these sources, or references to them."""

    def changed(dimension: Dimension) -> Dimension:
        evaluator = dimension.evaluator
        if not isinstance(evaluator, PythonFunction):
            return dimension
        return replace(dimension, evaluator=replace(evaluator, source=sources[evaluator.file]))

    return replace(rubric, dimensions=tuple(map(changed, rubric.dimensions)))
