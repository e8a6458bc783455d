"""The other evaluations of a folder, of which each needs a reports folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from triaxis.adapters.workspace.tree import Node
from triaxis.adapters.workspace.yaml_lines import parse

_MARKS = ("dataset", "rubric", "slo", "variants")
"""Keys that every evaluation has, and hardly any other YAML file."""


def sharing(root: Path, config: str, reports: str) -> str | None:
    """The name of another evaluation beside `config` that writes into the same reports folder; None where none does."""
    return next((name for name, tree in others(root, config) if same_path(_reports(tree), reports)), None)


def others(root: Path, config: str) -> Iterator[tuple[str, Node]]:
    """Names and contents of the evaluations in the root; a file that is none, or is broken, is passed over."""
    for path in sorted(root.glob("*.yaml")):
        if path.name == config or not path.is_file():
            continue
        tree, _ = parse(path.read_text(encoding="utf-8", errors="replace"))
        if tree is not None and all(tree.child(mark) for mark in _MARKS):
            yield path.name, tree


def same_path(one: str, other: str) -> bool:
    """Whether two relative paths are spelled alike but for slashes and dots that say nothing."""
    return PurePosixPath(one) == PurePosixPath(other)


def _reports(tree: Node) -> str:
    reports = tree.child("reports")
    return str(reports.value) if reports is not None else "reports"
