"""A workspace in a folder, as `ports.workspace.Workspace`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from os import environ
from pathlib import Path
from typing import TypeVar

from triaxis.adapters.models.price_table import PriceTable, packaged
from triaxis.adapters.workspace.corpora import note_unknown_passages
from triaxis.adapters.workspace.dataset_facts import Facts
from triaxis.adapters.workspace.embedding_models import check_embedding_models
from triaxis.adapters.workspace.findings import Findings, Place
from triaxis.adapters.workspace.folder import Asked, Folder, asked_at
from triaxis.adapters.workspace.holdouts import HoldoutCheck
from triaxis.adapters.workspace.imports import Selection
from triaxis.adapters.workspace.prompt_checks import check_prompts
from triaxis.adapters.workspace.read_cases import read_cases
from triaxis.adapters.workspace.read_evaluation import Evaluation, limits_of, read_evaluation, sample_of, split_of
from triaxis.adapters.workspace.read_labels import read_labels
from triaxis.adapters.workspace.read_prices import check_batch_prices, imported_prices, prices_of, read_prices
from triaxis.adapters.workspace.read_responses import ResponseFile, Responses, read_responses
from triaxis.adapters.workspace.read_rubric import RubricFile, read_rubric
from triaxis.adapters.workspace.read_slo import SloFile, read_slo
from triaxis.adapters.workspace.read_suite import read_suite
from triaxis.adapters.workspace.response_tally import Tally
from triaxis.adapters.workspace.route_checks import blinded, check_cascades, check_routers
from triaxis.adapters.workspace.siblings import sharing
from triaxis.adapters.workspace.wire_evaluation import WireEvaluationShell
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.evaluation import HumanLabel, Inputs, Operations, Prices, Source
from triaxis.domain.rubric import Judged, JudgeModel, Similarity
from triaxis.domain.slo import PrecisionObjective
from triaxis.domain.variant import ImportedVariant, ModelVariant, RoutedVariant, Target
from triaxis.rules.truth.ground_truth import column_names

PRICES = "prices.yaml"
T = TypeVar("T")


def _today() -> date:
    return datetime.now(tz=UTC).date()


@dataclass(frozen=True, slots=True)
class FileWorkspace:
    """Reads one evaluation of a folder, with every file that it names."""

    root: Path
    config: str = "evaluation.yaml"
    env: Mapping[str, str] = field(default_factory=lambda: environ)
    today: Callable[[], date] = _today
    table: Callable[[], PriceTable] = packaged

    def read(self) -> Source:
        """Everything the evaluation names.

        Raises:
            InputFaults: with every fault of every file.
        """
        return self._read(_Reading.source)

    def operations(self) -> Operations:
        """Where and how calls are made, without reading the dataset.

        Raises:
            InputFaults: with every fault of the evaluation and its rubric.
        """
        return self._read(_Reading.operations)

    def _read(self, part: Callable[[_Reading], T | None]) -> T:
        findings = Findings()
        folder = Folder(self.root, findings)
        evaluation = read_evaluation(self.config, folder, self.env)
        found = None if evaluation is None else part(_Reading(self, evaluation, folder, findings))
        findings.raise_any()
        assert found is not None, "what cannot be read has at least one fault"
        return found


@dataclass(slots=True)
class _Reading:
    """One reading of a workspace whose evaluation.yaml is a mapping; a file that has faults hides no other's."""

    workspace: FileWorkspace
    evaluation: Evaluation
    folder: Folder
    findings: Findings

    def source(self) -> Source | None:
        """The source; None where something could not be read, for which there is a fault by then."""
        wire = self.evaluation.wire
        cases, rubric = self._cases(), self._rubric()
        slo = self._slo(rubric)
        responses, tallies = self._responses(cases)
        suite, labels, prices = self._suite(cases), self._labels(cases, rubric), self._prices(rubric, tallies)
        if cases is not None:
            note_unknown_passages(self.evaluation.variants.variants, cases, self.findings)
            self._check_tags(Facts.of(cases), rubric, slo)
        if rubric is not None:
            check_cascades(self.evaluation.place, self.evaluation.variants.variants, rubric.rubric, rubric.names)
        check_prompts(self.evaluation.variants.variants, rubric and rubric.rubric, cases or (), self.findings)
        self._check_reports()
        if wire is None or cases is None or rubric is None or slo is None:
            return None
        _note_what_is_off(slo, rubric)
        inputs = Inputs(
            name=self.evaluation.name,
            baseline=wire.baseline,
            variants=self.evaluation.variants.variants,
            cases=cases,
            rubric=blinded(rubric.rubric, self.evaluation.variants.variants),
            slo=slo.slo,
            prices=prices,
            labels=labels,
        )
        operations = self._operations(wire, rubric)
        return Source(
            config=self.evaluation.place.file,
            reports=wire.reports.rstrip("/"),
            inputs=inputs,
            sample=sample_of(wire.dataset.sample),
            split=split_of(wire.dataset.split),
            on_bad_cases=wire.on_bad_cases,
            expectations=suite,
            operations=operations,
            files=tuple(sorted(self.folder.read)),
            dataset=self.evaluation.path("dataset") or "",
            notices=tuple(self.findings.notices),
            responses=responses,
            longest_response=max((tally.longest for tally in tallies.values()), default=0),
        )

    def operations(self) -> Operations | None:
        """Where and how calls are made; None where there is a fault."""
        wire, rubric = self.evaluation.wire, self._rubric()
        return None if wire is None or rubric is None else self._operations(wire, rubric)

    def _operations(self, wire: WireEvaluationShell, rubric: RubricFile) -> Operations:
        return Operations(
            targets=self._targets(rubric),
            limits=limits_of(wire.limits),
            variants=self.evaluation.variants.deliveries,
            judges=rubric.deliveries,
        )

    def _file(self, key: str) -> str | None:
        """The existing file that a key of evaluation.yaml names."""
        written = self.evaluation.path(key)
        return None if written is None else self.folder.resolve(written, self.evaluation.asked(key))

    def _text(self, key: str) -> tuple[str, str] | None:
        name = self._file(key)
        text = None if name is None else self.folder.text(name)
        return None if name is None or text is None else (name, text)

    def _tree(self, key: str) -> Place | None:
        name = self._file(key)
        return None if name is None else self.folder.tree(name)

    def _cases(self) -> tuple[Case, ...] | None:
        name = self._file("dataset")
        if name is None:
            return None
        self.folder.read.add(name)
        return read_cases(self.folder.root / name, name, self.evaluation.columns(), self.findings)

    def _responses(self, cases: Sequence[Case] | None) -> tuple[Responses, Mapping[str, Tally]]:
        """The outputs of imported variants; several variants may share one file."""
        place, by_file = self.evaluation.place, dict[str, list[Selection]]()
        names: dict[str, str | None] = {}
        for selection in self.evaluation.variants.selections:
            # A path that was taken over by `extends` is asked for where it stands.
            if selection.path not in names or place.root.at(selection.place) is not None:
                asked = asked_at(place, (*selection.place, "path"))
                names[selection.path] = self.folder.resolve(selection.path, asked)
            if (name := names[selection.path]) is not None:
                self.folder.read.add(name)
                by_file.setdefault(name, []).append(selection)
        files = [ResponseFile(path=self.folder.root / n, name=n, selections=tuple(s)) for n, s in by_file.items()]
        ids = None if cases is None else {case.id for case in cases}
        responses, tallies = read_responses(files, ids, place)
        for variant, tally in sorted(tallies.items()):
            for notice in tally.notices(variant):
                self.findings.note(f"{place.file}: {notice}")
        return responses, tallies

    def _rubric(self) -> RubricFile | None:
        name = self._file("rubric")
        return None if name is None else read_rubric(name, self.folder, self.workspace.env)

    def _slo(self, rubric: RubricFile | None) -> SloFile | None:
        found = self._tree("slo")
        return None if found is None else read_slo(found, rubric and rubric.names, self.workspace.today(), self.folder)

    def _suite(self, cases: Sequence[Case] | None) -> JsonValue:
        file = self._text("expectations")
        if file is None:
            return None
        return read_suite(file[1], file[0], None if cases is None else column_names(cases), self.findings)

    def _labels(self, cases: Sequence[Case] | None, rubric: RubricFile | None) -> tuple[HumanLabel, ...]:
        name = self._file("human")
        if name is None:
            return ()
        self.folder.read.add(name)
        ids = None if cases is None else {case.id for case in cases}
        return read_labels(self.folder.root / name, name, self.findings, cases=ids, dimensions=rubric and rubric.names)

    def _prices(self, rubric: RubricFile | None, tallies: Mapping[str, Tally]) -> Prices:
        found = self._tree("prices")
        own = {} if found is None else read_prices(found)
        # A prices file that cannot be read makes no model unpriced: its own fault is enough.
        named = self.evaluation.path("prices") is not None
        readable = not named or (found is not None and not self.findings.count(found.file))
        told = self.findings if readable else Findings()
        file = found.file if found else PRICES
        prices = prices_of(self._used(rubric), own, self.workspace.table(), told, file)
        check_batch_prices(self._batched(rubric), prices, told, file)
        check_embedding_models(self._embedding(rubric), own, self.workspace.table(), told)
        place = replace(self.evaluation.place, findings=told)
        imported = imported_prices(self._unpriced(tallies), own, self.workspace.table(), place, file)
        return replace(prices, rows=dict(sorted({**imported, **prices.rows}.items())))

    def _unpriced(self, tallies: Mapping[str, Tally]) -> Iterator[tuple[int, ImportedVariant]]:
        """Every imported variant whose answers need a price, with how many of them."""
        for variant in self.evaluation.variants.variants:
            if isinstance(variant, ImportedVariant) and variant.name in tallies:
                tokens = tallies[variant.name].tokens_alone
                if tokens:
                    yield tokens, variant

    def _batched(self, rubric: RubricFile | None) -> Iterator[tuple[str, Asked]]:
        """Every model that is asked, or would be served, in batches, with where that is said."""
        place, found = self.evaluation.place, self.evaluation.variants
        for variant in found.variants:
            asked = variant.caller if isinstance(variant, RoutedVariant) else variant
            if isinstance(asked, ModelVariant):
                if variant.serving.mode == "batch":
                    yield asked.model, asked_at(place, ("variants", variant.name, "serving", "mode"))
                elif found.deliveries[variant.name].transport == "batch":
                    yield asked.model, asked_at(place, ("variants", variant.name, "transport"))
        for judge, asked in _judges(rubric, "transport"):
            if rubric is not None and rubric.deliveries[judge.name].transport == "batch":
                yield judge.model, asked

    def _used(self, rubric: RubricFile | None) -> Iterator[tuple[str, Asked]]:
        """Every model that will be called, with where it is named."""
        place = self.evaluation.place
        for variant in self.evaluation.variants.variants:
            if isinstance(variant, ModelVariant):
                yield variant.model, asked_at(place, ("variants", variant.name, "model"))
            elif isinstance(variant, RoutedVariant) and variant.caller is not None and not variant.caller.embeds:
                yield variant.caller.model, asked_at(place, ("variants", variant.name, "router", "model"))
        yield from ((judge.model, asked) for judge, asked in _judges(rubric, "model"))
        yield from self._embedding(rubric)

    def _embedding(self, rubric: RubricFile | None) -> Iterator[tuple[str, Asked]]:
        """Every model that will be asked for embeddings, with where it is named."""
        for variant in self.evaluation.variants.variants:
            if isinstance(variant, RoutedVariant) and variant.caller is not None and variant.caller.embeds:
                where = ("variants", variant.name, "router", "embedding")
                yield variant.caller.model, asked_at(self.evaluation.place, where)
        for dimension in rubric.rubric.active if rubric else ():
            if rubric is not None and isinstance(dimension.evaluator, Similarity):
                yield dimension.evaluator.model, asked_at(rubric.place, ("dimensions", dimension.name, "model"))

    def _targets(self, rubric: RubricFile) -> dict[str, Target]:
        """Where each model is reached; one model at one endpoint has one address."""
        targets = dict(self.evaluation.variants.targets)
        for key, target in rubric.targets.items():
            if targets.setdefault(key, target) != target:
                advice = "Give judges and variants one address, or an `endpoint` each."
                rubric.place.fault(("judges",), f"{key} is reached at two addresses, here and by a variant", advice)
        return targets

    def _check_reports(self) -> None:
        """Two evaluations in one reports folder would each take the other's evidence away."""
        place, wire = self.evaluation.place, self.evaluation.wire
        other = None if wire is None else sharing(self.workspace.root, self.workspace.config, wire.reports)
        if other is not None:
            advice = "Give each evaluation a folder of its own, such as `reports: reports/NAME`."
            place.fault(("reports",), f"{other} writes into the same reports folder", advice)

    def _check_tags(self, facts: Facts, rubric: RubricFile | None, slo: SloFile | None) -> None:
        """What the other files say of the dataset's tags."""
        place, wire = self.evaluation.place, self.evaluation.wire
        sample = wire.dataset.sample if wire else None
        for i, tag in enumerate(sample.by if sample else ()):
            facts.check_tag(place, ("dataset", "sample", "by", i), tag)
        if wire is not None:
            split, asked = split_of(wire.dataset.split), self.workspace
            if split is not None:
                facts.check_split(place, ("dataset", "split"), split)
            HoldoutCheck(
                place=place,
                root=asked.root,
                config=asked.config,
                dataset=wire.dataset.path,
                split=split,
                cases=facts.cases,
            ).run()
        check_routers(place, self.evaluation.variants.variants, facts)
        if rubric is not None:
            for dimension in rubric.rubric.dimensions:
                facts.check_where(rubric.place, ("dimensions", dimension.name, "where"), dimension.where)
        if slo is not None:
            for path, objective in zip(slo.paths, slo.slo.objectives, strict=True):
                facts.check_where(slo.place, (*path, "where"), objective.terms.where)
            facts.check_mix(slo.place, ("traffic", "mix"), slo.slo.traffic.mix)
            facts.check_profiles(slo.place, slo.slo.profiles)


def _judges(rubric: RubricFile | None, key: str) -> Iterator[tuple[JudgeModel, Asked]]:
    """Every judge that a dimension asks, with where a key of it is written; one may come several times."""
    for dimension in rubric.rubric.active if rubric else ():
        if rubric is not None and isinstance(dimension.evaluator, Judged):
            yield from (
                (judge, asked_at(rubric.place, ("judges", judge.name, key))) for judge in dimension.evaluator.judges
            )


def _note_what_is_off(slo: SloFile, rubric: RubricFile) -> None:
    off = {d.name: d.off for d in rubric.rubric.dimensions if d.off is not None}
    for objective in slo.slo.objectives:
        if isinstance(objective, PrecisionObjective) and objective.dimension in off:
            slo.place.findings.note(
                f"{slo.place.file}: the objective of {objective.dimension!r} is inconclusive while that dimension is "
                f"off: {off[objective.dimension]}."
            )


def reports_of(root: Path, config: str) -> str:
    """The reports folder that an evaluation names, relative to the root, without reading anything else.

    Raises:
        InputFaults: with every fault of every file, where this file does not say it soundly.
    """
    findings = Findings()
    folder = Folder(root, findings)
    name = folder.resolve(config, Asked("--config" if config != "evaluation.yaml" else config, 0, ""))
    found = None if name is None else folder.tree(name)
    node = None if found is None else found.root.child("reports")
    said = node.value if node is not None and isinstance(node.value, str) else "reports"
    if found is not None:
        folder.inside(said, asked_at(found, ("reports",)))
    if findings.faults:
        FileWorkspace(root, config).read()
    return said.rstrip("/")
