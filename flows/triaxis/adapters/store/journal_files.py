"""What journals say that this process does not write: those of dead processes, and of others that live."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triaxis.adapters.store.journal import Entries
from triaxis.adapters.store.row_codec import Fields, attempt_from, row_from
from triaxis.errors import StoreDamaged


def read_journal(path: Path, into: Entries) -> None:
    """Adds what a journal file says. A last line that was torn by a kill says nothing.

    Raises:
        StoreDamaged: for any other line that cannot be read, since it may have held something paid for.
    """
    JournalFile(path, entries=into).read()


@dataclass(slots=True)
class JournalFile:
    """One journal as far as it was read; it only ever grows."""

    path: Path
    entries: Entries = field(default_factory=Entries)
    _read: int = 0
    """Bytes of whole lines."""
    _lines: int = 0

    def read(self) -> Entries:
        """What it says by now; only what is new is read.

        Raises:
            StoreDamaged: as `read_journal`.
            FileNotFoundError: where it was sealed and deleted.
        """
        with self.path.open("rb") as file:
            file.seek(self._read)
            *lines, torn = file.read().split(b"\n")
        del torn
        for line in lines:
            self._lines += 1
            self._enter(line)
            self._read += len(line) + 1
        return self.entries

    def _enter(self, line: bytes) -> None:
        try:
            _enter(json.loads(line), self.entries)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreDamaged(
                f"{self.path} line {self._lines} is damaged. It may hold an answer that was paid for; to give that up, "
                "delete the line and run again."
            ) from error


class JournalFiles:
    """The journals of a folder, each read as far as it is new."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, JournalFile] = {}

    def paths(self) -> list[Path]:
        """The journals there are."""
        return sorted(self._folder.glob("*.jsonl"))

    def read(self, paths: Sequence[Path]) -> list[Entries]:
        """What some of them say; one that is gone was sealed."""
        self._known = {path: self._known.get(path) or JournalFile(path) for path in paths}
        found: list[Entries] = []
        for file in self._known.values():
            try:
                found.append(file.read())
            except FileNotFoundError:
                continue
        return found


def _enter(line: Fields, into: Entries) -> None:
    if "intend" in line:
        into.intend(attempt_from(line["intend"]))
    else:
        row = line.get("row")
        into.settle(attempt_from(line["settle"]), None if row is None else row_from(row))
