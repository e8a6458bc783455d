"""evaluation.yaml: what is evaluated, and how calls are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from triaxis.adapters.workspace.case_values import ALIASES, KEYS
from triaxis.adapters.workspace.environment import expanded
from triaxis.adapters.workspace.factorial import with_factorial, without_copies
from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.folder import Asked, Folder, asked_at
from triaxis.adapters.workspace.secrets import without_keys
from triaxis.adapters.workspace.store_setting import check_store
from triaxis.adapters.workspace.tree import Node
from triaxis.adapters.workspace.variants import Variants, read_variants
from triaxis.adapters.workspace.wire import read
from triaxis.adapters.workspace.wire_evaluation import WireEvaluationShell, WireLimits, WireSample, WireSplit
from triaxis.domain.evaluation import Sample
from triaxis.domain.looks import Split
from triaxis.domain.variant import Limits


@dataclass(frozen=True, slots=True)
class Evaluation:
    """evaluation.yaml as far as it could be read; `wire` is None where its own keys have faults."""

    place: Place
    wire: WireEvaluationShell | None
    variants: Variants

    @property
    def name(self) -> str:
        """What the evaluation is called."""
        given = self.wire.name if self.wire else None
        return given or PurePosixPath(self.place.file).stem

    def path(self, key: str) -> str | None:
        """The path that a key gives, where it gives one; read from the tree, so that other faults do not hide it."""
        node = self.place.root.child(key)
        node = node.child("path") if node is not None and key == "dataset" else node
        return node.value if node is not None and isinstance(node.value, str) else None

    def asked(self, key: str) -> Asked:
        """Where the file gives the path under a key."""
        return asked_at(self.place, ("dataset", "path") if key == "dataset" else (key,))

    def columns(self) -> Mapping[str, str]:
        """How the dataset's columns are named."""
        return self.wire.dataset.columns if self.wire else {}


def read_evaluation(config: str, folder: Folder, env: Mapping[str, str]) -> Evaluation | None:
    """The evaluation; None after adding a fault where the file cannot be read at all."""
    name = folder.resolve(config, Asked("--config" if config != "evaluation.yaml" else config, 0, ""))
    found = None if name is None else folder.tree(name)
    if found is None:
        return None
    design = with_factorial(without_keys(Place(found.file, _with_dataset(found.root), found.findings)))
    written = design.written
    place = expanded(written, env)
    wire = read(WireEvaluationShell, place, place.root)
    variants = read_variants(place, written.root, folder, design.factors)
    without_copies(place.findings, design.added)
    _check_baseline(place, variants)
    reports = place.root.child("reports")
    if reports is not None and isinstance(reports.value, str):
        folder.inside(reports.value, asked_at(place, ("reports",)))
    check_store(place, folder)
    if wire is not None:
        _check_columns(place, wire)
    return Evaluation(place, wire, variants)


def _with_dataset(root: Node) -> Node:
    """The file with a dataset given as a path written out as a mapping."""
    dataset = root.child("dataset")
    if dataset is None or not isinstance(dataset.value, str):
        return root
    return Node({**root.entries, "dataset": Node({"path": dataset}, dataset.line)}, root.line)


def _check_baseline(place: Place, variants: Variants) -> None:
    node = place.root.child("baseline")
    name = node.value if node is not None else None
    if isinstance(name, str) and variants.names and name not in variants.names:
        place.fault(("baseline",), f"there is no variant {name[:60]!r}", near(name, variants.names))


def _check_columns(place: Place, wire: WireEvaluationShell) -> None:
    for key in wire.dataset.columns:
        if key not in KEYS and not (key.startswith("slice.") and key != "slice."):
            known = near(key, KEYS | ALIASES.keys())
            place.fault(("dataset", "columns", key), f"{key[:60]!r} is no key of a case", f"{known} Or slice.TAG.")
    columns = list(wire.dataset.columns.values())
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        place.fault(("dataset", "columns"), f"the column {column!r} is used twice", "Use each column for one key.")


def sample_of(wire: WireSample | None) -> Sample | None:
    """The sample to draw, where the file asks for one."""
    return None if wire is None else Sample(cases=wire.cases, by=tuple(wire.by), seed=wire.seed)


def split_of(wire: WireSplit | None) -> Split | None:
    """The side of the dataset to look at, where the file asks for one."""
    return None if wire is None else Split(holdout=wire.holdout, use=wire.use, by=tuple(wire.by), seed=wire.seed)


def limits_of(wire: WireLimits) -> Limits:
    """The bounds on a run."""
    return Limits(
        max_usd=wire.max_usd,
        concurrency=wire.concurrency,
        requests_per_min=wire.requests_per_min,
        tokens_per_min=wire.tokens_per_min,
        max_attempts=wire.max_attempts,
        batch_rows=wire.batch_rows,
        batch_rounds=wire.batch_rounds,
        connect_timeout_s=wire.connect_timeout_s,
        first_token_timeout_s=wire.first_token_timeout_s,
        total_timeout_s=wire.total_timeout_s,
    )
