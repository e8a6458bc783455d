"""What was found while reading: every fault of every file, and what is odd but legal."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from triaxis.adapters.workspace.tree import Node, Path, dotted
from triaxis.errors import Fault, InputFaults

MOST_PER_FILE = 1000
"""Faults kept of one file; a systematic slip in a large dataset is clear long before."""
MOST_NAMES = 12
"""Names listed in an advice."""
MOST_COMPARED = 2000
"""Names among which a near one is looked for; comparing with all ids of a large dataset would take minutes."""


@dataclass(slots=True)
class Findings:
    """Collects faults so that one file's do not hide another's."""

    faults: list[Fault] = field(default_factory=list[Fault])
    notices: list[str] = field(default_factory=list[str])
    _count: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, file: str, problem: str, advice: str, *, line: int = 0, case: str = "", path: str = "") -> None:
        """One fault; past the limit of a file they are only counted."""
        self._count[file] = self._count.get(file, 0) + 1
        if self._count[file] <= MOST_PER_FILE:
            fault = Fault(file=file, line=line, case=case, field=path, problem=problem, advice=advice)
            self.faults.append(fault)

    def note(self, notice: str) -> None:
        """One sentence on what is odd but legal."""
        if notice not in self.notices:
            self.notices.append(notice)

    def count(self, file: str) -> int:
        """How many faults the file has so far."""
        return self._count.get(file, 0)

    def raise_any(self) -> None:
        """Raises what was found.

        Raises:
            InputFaults: where there is a fault.
        """
        more = [
            Fault(
                file=file,
                line=10**9,
                problem=f"has {count - MOST_PER_FILE} more faults",
                advice="Correct those above first: most are of one kind.",
            )
            for file, count in self._count.items()
            if count > MOST_PER_FILE
        ]
        if self.faults:
            raise InputFaults(*dict.fromkeys([*self.faults, *more]))


@dataclass(frozen=True, slots=True)
class Place:
    """A parsed file whose faults are reported with their lines."""

    file: str
    root: Node
    findings: Findings

    def fault(self, path: Path, problem: str, advice: str) -> None:
        """A fault at a path of the file, in the line of the deepest entry that exists."""
        line = self.root.line_of(path)
        self.findings.add(self.file, problem, advice, line=line, path=dotted(path))


def near(name: str, known: Iterable[str]) -> str:
    """Advice for a name that does not exist: the nearest one that does, and all of them."""
    names = sorted(set(known))
    if len(names) > MOST_COMPARED:
        return f"There are {len(names)}: look it up there."
    close = difflib.get_close_matches(name, names, n=1) or [n for n in names if n.casefold() == name.casefold()]
    if not names:
        return "There are none."
    shown = ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
    return (f"Did you mean {close[0]!r}? " if close else "") + f"It has: {shown}."
