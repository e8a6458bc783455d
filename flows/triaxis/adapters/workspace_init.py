"""Writes a workspace that runs, or completes a folder that is there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from triaxis.adapters.dvc_files import DVC_YAML, Pipeline, dvc_yaml
from triaxis.adapters.workspace.file_workspace import FileWorkspace
from triaxis.errors import Fault, InputFaults

Outcome: TypeAlias = Literal["written", "kept"]

CONFIG = "evaluation.yaml"
_GENERAL = (".gitignore", "README.md")
"""Files that any workspace has; the others are of the example, and are only added to a folder without an evaluation."""
_RENAMED = {"gitignore": ".gitignore"}
"""Packaged under another name, so that no tool takes it for this package's own."""


def write_workspace_files(folder: Path) -> list[tuple[str, Outcome]]:
    """Writes what is missing and changes nothing that is there; each path with what became of it.

    A folder with an evaluation.yaml of its own gets only what every workspace has, and a dvc.yaml with its stages.

    Raises:
        InputFaults: where a file stands in the place of a folder, or the folder's own evaluation has faults.
    """
    adopted = (folder / CONFIG).exists()
    # The evaluation comes last: a folder that has one counts as whole the next time.
    packaged = sorted(_packaged(), key=lambda entry: (entry[0] == CONFIG, entry[0]))
    outcomes: list[tuple[str, Outcome]] = [
        (name, _written(folder, name, source.read_bytes()))
        for name, source in packaged
        if not adopted or name in _GENERAL
    ]
    if adopted:
        outcomes.append((CONFIG, "kept"))
    outcomes.append((DVC_YAML, _stages(folder)))
    return sorted(outcomes)


def _packaged() -> Iterator[tuple[str, Traversable]]:
    """The example's files, by their path in a workspace."""
    return _below(files("triaxis.adapters").joinpath("init_files"), PurePosixPath())


def _below(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        here = path / _RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            yield from _below(entry, here)
        else:
            yield str(here), entry


def _stages(folder: Path) -> Outcome:
    """dvc.yaml, whose first stage depends on every file that the evaluation names."""
    if (folder / DVC_YAML).exists():
        return "kept"
    source = FileWorkspace(folder).read()
    pipeline = Pipeline(config=source.config, reports=source.reports, files=source.files)
    return _written(folder, DVC_YAML, dvc_yaml(pipeline).encode())


def _written(folder: Path, name: str, data: bytes) -> Outcome:
    path = folder / name
    if path.exists() or path.is_symlink():
        return "kept"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive, so that a file that appears in between is kept as well.
        with path.open("xb") as handle:
            handle.write(data)
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise InputFaults(
            Fault(file=str(path), problem=problem, advice="Name a folder that can be written.")
        ) from error
    return "written"
