"""The workspace's folder: what may be read from it, and how bytes become text."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from triaxis.adapters.workspace.findings import Findings, Place, near
from triaxis.adapters.workspace.tree import Path as TreePath
from triaxis.adapters.workspace.tree import dotted
from triaxis.adapters.workspace.yaml_lines import parse

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Prompts, rubrics and code; datasets are streamed and have no limit."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a path was asked for, so that a fault names that place."""

    file: str
    line: int
    path: str


@dataclass(slots=True)
class Folder:
    """Reads files inside one root, and remembers which."""

    root: Path
    findings: Findings
    read: set[str] = field(default_factory=set[str])

    def resolve(self, name: str, asked: Asked, near_to: str = "") -> str | None:
        """The path of an existing file, relative to the root with forward slashes; None after adding a fault.

        A path inside a rubric counts from the rubric's folder (`near_to`), else from the root.
        """
        if not self.inside(name, asked):
            return None
        here = [PurePosixPath(near_to, name), PurePosixPath(name)] if near_to else [PurePosixPath(name)]
        try:
            for candidate in here:
                if (self.root / candidate).is_file():
                    return str(candidate) if self._within_root(candidate, asked) else None
            problem, advice = self._why_not(here[0])
        except (OSError, ValueError):
            problem, advice = f"the path {name[:80]!r} cannot be opened", "Give the path of a readable file."
        self._fault(asked, problem, advice)
        return None

    def inside(self, name: str, asked: Asked) -> bool:
        """Whether the path, existing or not, stays inside the workspace as it is written."""
        plain = PurePosixPath(name.replace("\\", "/"))
        odd = plain.is_absolute() or ".." in plain.parts or name.startswith("~") or name[1:2] == ":"
        if odd or "\0" in name or not name.strip():
            advice = "Give a path relative to the workspace, without `..`, and keep the file inside it."
            self._fault(asked, f"the path {name[:80]!r} leaves the workspace", advice)
            return False
        return True

    def _within_root(self, name: PurePosixPath, asked: Asked) -> bool:
        """Whether the file, with symbolic links followed, lies inside the root."""
        if (self.root / name).resolve().is_relative_to(self.root.resolve()):
            return True
        advice = "Copy the file into the workspace: links that lead out of it are not followed."
        self._fault(asked, f"the path {str(name)[:80]!r} is a link that leaves the workspace", advice)
        return False

    def _why_not(self, name: PurePosixPath) -> tuple[str, str]:
        path = self.root / name
        if path.is_dir():
            return f"{str(name)!r} is a folder, not a file", "Name the file inside it."
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        if not beside:
            return f"there is no file {str(name)!r}", "Write the file, or correct the path."
        return f"there is no file {str(name)!r}", f"Write it, or correct the path. {near(name.name, beside)}"

    def _fault(self, asked: Asked, problem: str, advice: str) -> None:
        self.findings.add(asked.file, problem, advice, line=asked.line, path=asked.path)

    def text(self, name: str, most: int = MAX_TEXT_BYTES) -> str | None:
        """The text of a file that `resolve` found; None after adding a fault of the file itself."""
        self.read.add(name)
        try:
            size = (self.root / name).stat().st_size
            if size > most:
                advice = "Move data into a dataset; prompts, rubrics and code are small."
                self.findings.add(name, f"is {size} bytes, over the limit of {most}", advice)
                return None
            return self._decoded(name, (self.root / name).read_bytes())
        except OSError as error:
            advice = "Make the file readable by the user who runs this."
            self.findings.add(name, f"cannot be read: {error.strerror}", advice)
            return None

    def _decoded(self, name: str, data: bytes) -> str | None:
        flaw = encoding_flaw(data)
        if flaw is None:
            return data.removeprefix(codecs.BOM_UTF8).decode().replace("\r\n", "\n")
        line, problem = flaw
        self.findings.add(name, problem, "Save the file as UTF-8 text.", line=line)
        return None

    def tree(self, name: str) -> Place | None:
        """A YAML file as a tree of mappings; None after adding faults where it has no mapping at its top."""
        text = self.text(name)
        if text is None:
            return None
        root, flaws = parse(text)
        for flaw in flaws:
            self.findings.add(name, flaw.problem, flaw.advice, line=flaw.line, path=dotted(flaw.field))
        if root is None:
            return None
        if isinstance(root.value, (tuple, str, bool, int, float)) or root.value is None:
            problem = "is empty" if root.value is None else "holds no mapping at its top"
            self.findings.add(name, problem, "Write `key: value` lines, as the reference page shows.", line=root.line)
            return None
        return Place(name, root, self.findings)


def asked_at(place: Place, path: TreePath) -> Asked:
    """The place in a YAML file that names another file."""
    return Asked(place.file, place.root.line_of(path), dotted(path))


def encoding_flaw(data: bytes) -> tuple[int, str] | None:
    """Line and problem of bytes that are not UTF-8 text; None where they are."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return 1, "is UTF-16, not UTF-8"
    nul = data.find(b"\0")
    if nul >= 0:
        return data.count(b"\n", 0, nul) + 1, "is binary: it holds a zero byte"
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1, f"is not UTF-8 at byte {error.start}"
    return None


def lone_file(path: Path, findings: Findings, asked: str) -> tuple[Folder, str | None]:
    """A file that stands anywhere, as the only one of a folder; None after adding a fault.

    Args:
        path: As somebody wrote it.
        findings: For what is wrong with it.
        asked: The option or argument that names it.
    """
    # `.` and `/` have no name of their own.
    whole = path if path.name else path.absolute()
    folder = Folder(whole.parent, findings)
    return folder, folder.resolve(whole.name or ".", Asked(asked, 0, ""))
