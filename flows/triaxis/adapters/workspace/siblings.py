"""The other evaluations of a folder, of which each needs a reports folder of its own."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from triaxis.adapters.workspace.yaml_lines import parse

_MARKS = ("dataset", "rubric", "slo", "variants")
"""Keys that every evaluation has, and hardly any other YAML file."""


def sharing(root: Path, config: str, reports: str) -> str | None:
    """The name of another evaluation beside `config` that writes into the same reports folder; None where none does."""
    return next((name for name, said in _others(root, config) if PurePosixPath(said) == PurePosixPath(reports)), None)


def _others(root: Path, config: str) -> list[tuple[str, str]]:
    """Names and reports folders of the evaluations in the root; a file that is none, or is broken, is passed over."""
    found: list[tuple[str, str]] = []
    for path in sorted(root.glob("*.yaml")):
        if path.name == config or not path.is_file():
            continue
        tree, _ = parse(path.read_text(encoding="utf-8", errors="replace"))
        if tree is not None and all(tree.child(mark) for mark in _MARKS):
            reports = tree.child("reports")
            found.append((path.name, str(reports.value) if reports is not None else "reports"))
    return found
