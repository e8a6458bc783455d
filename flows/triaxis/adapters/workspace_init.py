"""Writes a workspace that runs, or completes a folder that is there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from triaxis.adapters.dvc.files import DVC_YAML, Pipeline, dvc_file, dvc_yaml
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.adapters.workspace.file_workspace import FileWorkspace
from triaxis.domain.evaluation import Source
from triaxis.errors import Fault, InputFaults

Outcome: TypeAlias = Literal["written", "kept"]

CONFIG = "evaluation.yaml"
VERSIONED = ("datasets", "rubrics")
"""Folders whose files get a .dvc file: ground truth and what it is held against."""
MOST_IN_GIT = 10 * 1024 * 1024
"""Bytes; a larger dataset is for `dvc add`, which keeps it out of git."""
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
    source = FileWorkspace(folder).read()
    outcomes.append((DVC_YAML, _stages(folder, source)))
    outcomes.extend(_versions(folder, source))
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


def _stages(folder: Path, source: Source) -> Outcome:
    """dvc.yaml, whose first stage depends on every file that the evaluation names."""
    pipeline = Pipeline(config=source.config, reports=source.reports, files=source.files)
    return _written(folder, DVC_YAML, dvc_yaml(pipeline).encode())


def _versions(folder: Path, source: Source) -> Iterator[tuple[str, Outcome]]:
    """A .dvc file for each input small enough to be in git, by which `dvc status` knows its version."""
    md5s = Md5s(folder)
    for file in source.files:
        size, md5 = md5s.size(file), md5s.of(file)
        if PurePosixPath(file).parts[0] in VERSIONED and size <= MOST_IN_GIT and md5 is not None:
            name = PurePosixPath(file).name
            yield f"{file}.dvc", _written(folder, f"{file}.dvc", dvc_file(name, md5, size).encode())


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
