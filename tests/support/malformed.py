"""Malformed inputs: each a small edit of the valid workspace, with the fault it must end in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from build_workspace import PATHS, write_workspace

from triaxis.adapters.workspace.file_workspace import FileWorkspace
from triaxis.domain.evaluation import Source
from triaxis.errors import Fault, InputFaults

Swap: TypeAlias = tuple[str, str]
"""Text of the valid file, and what stands there instead."""
Edit: TypeAlias = str | bytes | Swap | Sequence[Swap] | None
"""The whole file, one or more changes of it, or None to remove it."""


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One malformed workspace and where its first fault must point."""

    name: str
    edits: Mapping[str, Edit]
    """By name of `build_workspace.PATHS`, or by path."""
    file: str
    """By name, or by path."""
    line: int | None = None
    case: str | None = None
    field: str = ""
    says: str = ""
    """A part of the problem or of the advice."""
    hides: str = ""
    """Text that nothing printed may hold."""

    @property
    def path(self) -> str:
        """The path that the fault must name."""
        return PATHS.get(self.file, self.file)


def written(root: Path, edits: Mapping[str, Edit]) -> Path:
    """The valid workspace with the edits made."""
    write_workspace(root)
    for name, edit in edits.items():
        path = root / PATHS.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if edit is None:
            path.unlink()
        elif isinstance(edit, bytes):
            path.write_bytes(edit)
        elif isinstance(edit, str):
            path.write_text(edit, encoding="utf-8")
        else:
            _swap(path, edit)
    return root


def _swap(path: Path, edit: Swap | Sequence[Swap]) -> None:
    text = path.read_text(encoding="utf-8")
    swaps: Sequence[Swap] = (
        [(edit[0], edit[1])]
        if isinstance(edit[0], str) and isinstance(edit[1], str)
        else [swap for swap in edit if isinstance(swap, tuple)]
    )
    for old, new in swaps:
        assert text.count(old) >= 1, f"the valid file has no {old!r}"
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def read(root: Path, env: Mapping[str, str] | None = None) -> Source:
    """The workspace as read, with an environment of its own."""
    return FileWorkspace(root, env=env or {}).read()


def faults_of(root: Path, env: Mapping[str, str] | None = None) -> tuple[Fault, ...]:
    """Every fault of a workspace; none where it can be read."""
    try:
        read(root, env)
    except InputFaults as error:
        return error.faults
    return ()


def matching(faults: Sequence[Fault], bad: Bad) -> list[Fault]:
    """The faults that point where this one must."""
    return [
        fault
        for fault in faults
        if fault.file == bad.path
        and (bad.line is None or fault.line == bad.line)
        and (bad.case is None or fault.case == bad.case)
        and bad.field in fault.field
        and bad.says in f"{fault.problem}. {fault.advice}"
    ]
