"""rubric.yaml, with the prompts, schemas and code that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from triaxis.adapters.workspace.endpoints import delivery_of, resolve_endpoint
from triaxis.adapters.workspace.environment import expanded
from triaxis.adapters.workspace.evaluators import EvaluatorReader, JudgeEntry
from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.folder import Folder
from triaxis.adapters.workspace.params import params_of
from triaxis.adapters.workspace.secrets import without_keys
from triaxis.adapters.workspace.tree import Node
from triaxis.adapters.workspace.wire import read
from triaxis.adapters.workspace.wire_rubric import EVALUATORS, WireDimension, WireJudge, WireRubricShell
from triaxis.domain.evaluation import target_key
from triaxis.domain.rubric import Dimension, Judged, JudgeModel, Rubric, Similarity
from triaxis.domain.variant import Delivery, Target


@dataclass(frozen=True, slots=True)
class RubricFile:
    """A rubric as far as it could be read."""

    place: Place
    rubric: Rubric
    targets: Mapping[str, Target]
    """Where the judges and embedding models of enabled dimensions are reached."""
    deliveries: Mapping[str, Delivery]
    """How judges' calls are made, by name."""
    names: tuple[str, ...]
    """Every dimension that the file names, whether it could be read or not."""


def read_rubric(name: str, folder: Folder, env: Mapping[str, str]) -> RubricFile | None:
    """The rubric; None after adding a fault where the file cannot be read at all."""
    found = folder.tree(name)
    if found is None:
        return None
    written = without_keys(found)
    place = expanded(written, env)
    read(WireRubricShell, place, place.root)
    judges = _judges(place, written.root)
    reader = EvaluatorReader(place, folder, str(PurePosixPath(name).parent), judges, written.root)
    entries = _entries(place.root, "dimensions")
    read_dimensions = (_dimension(reader, name, node) for name, node in entries.items())
    dimensions = sorted((d for d in read_dimensions if d is not None), key=lambda d: d.name)
    targets = dict(_targets(dimensions, judges, place))
    _note_what_is_off(place, dimensions)
    deliveries = {name: judge.delivery for name, judge in judges.items()}
    return RubricFile(place, Rubric(dimensions=tuple(dimensions)), targets, deliveries, tuple(sorted(entries)))


def _entries(root: Node, key: str) -> Mapping[str, Node]:
    node = root.child(key)
    return {} if node is None else node.entries


def _judges(place: Place, written: Node) -> dict[str, JudgeEntry]:
    """The judges by name; one without a model is there and empty."""
    judges: dict[str, JudgeEntry] = {}
    for name, node in _entries(place.root, "judges").items():
        path = ("judges", name)
        wire = read(WireJudge, place, node, path) if node.value is not None else WireJudge()
        if wire is None or wire.model is None:
            judges[name] = JudgeEntry(None, None, Delivery())
            continue
        raw = _entries(written, "judges")[name]
        endpoint = resolve_endpoint(place, path, raw, wire.model, (wire.api_base, wire.endpoint))
        params = params_of(place, (*path, "params"), node.child("params"))
        model = JudgeModel(name=name, model=wire.model, endpoint=endpoint, params=params)
        target = Target(model=wire.model, api_base=wire.api_base)
        delivery = delivery_of(place, path, target, wire.transport, wire.fallback)
        judges[name] = JudgeEntry(model, wire.api_base, delivery)
    return judges


def _dimension(reader: EvaluatorReader, name: str, node: Node) -> Dimension | None:
    path = ("dimensions", name)
    kind = node.child("evaluator")
    if not node.entries or kind is None:
        reader.place.fault((*path, "evaluator"), "is required and missing", f"It has: {', '.join(EVALUATORS)}.")
        return None
    model = EVALUATORS.get(kind.value) if isinstance(kind.value, str) else None
    if model is None:
        shown = str(kind.plain())[:60]
        reader.place.fault((*path, "evaluator"), f"there is no evaluator {shown!r}", near(shown, EVALUATORS))
        return None
    wire = read(model, reader.place, node, path)
    return None if wire is None else _resolved(reader, name, wire)


def _resolved(reader: EvaluatorReader, name: str, wire: WireDimension) -> Dimension | None:
    evaluator = reader.evaluator(("dimensions", name), wire)
    if evaluator is None:
        return None
    return Dimension(
        name=name,
        evaluator=evaluator,
        where=dict(wire.where),
        weight=wire.weight,
        normalize=wire.normalize,
        enabled=wire.enabled,
    )


def _targets(dimensions: list[Dimension], judges: Mapping[str, JudgeEntry], place: Place) -> list[tuple[str, Target]]:
    found: list[tuple[str, Target]] = []
    for dimension in dimensions:
        evaluator = dimension.evaluator
        if dimension.off is None and isinstance(evaluator, Judged):
            for judge in evaluator.judges:
                target = Target(model=judge.model, api_base=judges[judge.name].api_base)
                found.append((target_key(judge.model, judge.endpoint), target))
        elif dimension.off is None and isinstance(evaluator, Similarity):
            address = place.root.at(("dimensions", dimension.name, "api_base"))
            base = address.value if address is not None and isinstance(address.value, str) else None
            found.append(
                (target_key(evaluator.model, evaluator.endpoint), Target(model=evaluator.model, api_base=base))
            )
    return found


def _note_what_is_off(place: Place, dimensions: list[Dimension]) -> None:
    for dimension in dimensions:
        if isinstance(dimension.evaluator, Judged) and dimension.off is not None:
            place.findings.note(f"{place.file}: dimension {dimension.name!r} is off: {dimension.off}.")
