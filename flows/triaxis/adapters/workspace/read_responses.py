"""The outputs of imported variants: every row checked, each case answered, and read again when they are wanted.

Files are read row by row and never held, since outputs of many variants may not fit into memory; what is kept of a row
is in which line its case was answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triaxis.adapters.workspace.data_files import DataFile
from triaxis.adapters.workspace.findings import MOST_PER_FILE, Findings, Place, near
from triaxis.adapters.workspace.imports import Met, Selection
from triaxis.adapters.workspace.response_files import Given, rows_given
from triaxis.adapters.workspace.response_tally import Tally
from triaxis.adapters.workspace.response_values import read_response, typed_cells
from triaxis.domain.responses import ImportedResponse

SHOWN = 3
"""Cases named where many lack an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFile:
    """One file, and the variants whose outputs it holds."""

    path: Path
    name: str
    selections: tuple[Selection, ...]

    def rows(self, findings: Findings) -> Iterator[Given]:
        """Its rows under its own names."""
        named = frozenset(name for selection in self.selections for name in selection.names)
        ids = frozenset(selection.columns.get("id", "id") for selection in self.selections)
        return rows_given(DataFile(self.path, self.name, findings), named, ids)


def response_of(given: Given, selection: Selection, name: str, findings: Findings) -> ImportedResponse | None:
    """The output that a row is of a variant; None after adding faults."""
    if given.batch is not None:
        return replace(given.batch.response, variant=selection.variant)
    row = selection.named(given.row)
    case = row.get("id")
    shown = case if isinstance(case, str) else ""

    def wrong(key: str, problem: str, advice: str) -> None:
        findings.add(name, problem, advice, line=given.line, case=shown, path=selection.columns.get(key, key))

    return read_response(typed_cells(row) if given.cells else row, selection.variant, wrong)


@dataclass(frozen=True, slots=True)
class Responses:
    """The outputs of sound files, by whoever asks for them; `Source.responses`."""

    files: tuple[ResponseFile, ...]
    order: Mapping[tuple[str, str], Sequence[str]]
    """By variant and case that has several, their contents in order, which numbers the repeats."""

    def __iter__(self) -> Iterator[ImportedResponse]:
        """Every output, read anew.

        Raises:
            InputFaults: where a file was changed since it was checked, and has faults now.
        """
        findings = Findings()
        for file in self.files:
            seen = Counter[tuple[str, str, str]]()
            for given in file.rows(findings):
                for selection in file.selections:
                    if selection.matches(given.row):
                        response = response_of(given, selection, file.name, findings)
                        findings.raise_any()
                        assert response is not None, "a row that cannot be read has at least one fault"
                        yield self._numbered(response, seen)
        findings.raise_any()

    def _numbered(self, response: ImportedResponse, seen: Counter[tuple[str, str, str]]) -> ImportedResponse:
        contents = self.order.get((response.variant, response.case_id))
        if contents is None:
            return response
        content = response.content
        seen[response.variant, response.case_id, content] += 1
        first = contents.index(content) if content in contents else 0
        return replace(response, sample=first + seen[response.variant, response.case_id, content] - 1)


def read_responses(
    files: Sequence[ResponseFile], cases: Collection[str] | None, place: Place
) -> tuple[Responses, Mapping[str, Tally]]:
    """The outputs, with faults of every row and every case, and what was counted of each variant.

    Args:
        files: Each once, with all of its variants.
        cases: Ids of the dataset, None where it could not be read.
        place: The evaluation, which names columns and values.
    """
    known = None if cases is None else {case: number for number, case in enumerate(sorted(cases))}
    tallies: dict[str, Tally] = {}
    order: dict[tuple[str, str], Sequence[str]] = {}
    for file in files:
        readings = [_Reading(file.name, selection, known, place) for selection in file.selections]
        for given in file.rows(place.findings):
            for reading in readings:
                reading.look(given)
        for reading in readings:
            reading.close()
            tallies[reading.selection.variant] = reading.tally
            order |= {(reading.selection.variant, case): sorted(c) for case, c in reading.repeats.items()}
    return Responses(tuple(files), order), tallies


@dataclass(slots=True)
class _Reading:
    """One variant's reading of one file."""

    name: str
    selection: Selection
    known: Mapping[str, int] | None
    place: Place
    tally: Tally = field(default_factory=Tally)
    repeats: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Contents by case, where a case may have several."""
    strange: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Lines of cases that the dataset lacks."""
    met: Met = field(default_factory=Met)
    rows: int = 0
    _times: NDArray[np.int32] = field(init=False)
    """By the case's number, how often it was answered."""
    _first: NDArray[np.int64] = field(init=False)
    """By the case's number, in which line first."""

    def __post_init__(self) -> None:
        self._times, self._first = np.zeros(len(self.known or ()), np.int32), np.zeros(len(self.known or ()), np.int64)

    def look(self, given: Given) -> None:
        """Takes in one row of the file."""
        self.rows += 1
        self.met.note(given.row, self.selection)
        if not self.selection.matches(given.row):
            return
        self.met.chosen += 1
        response = response_of(given, self.selection, self.name, self.place.findings)
        case = given.row.get(self.selection.columns.get("id", "id"))
        known = isinstance(case, str) and bool(case.strip()) and self._note_case(case, given.line)
        if response is not None and known:
            self.tally.count(response, given.batch)
            if self.selection.samples > 1:
                self.repeats.setdefault(response.case_id, []).append(response.content)

    def _note_case(self, case: str, line: int) -> bool:
        """Whether the dataset has the case, as far as it is known; a case answered too often is a fault."""
        if self.known is None:
            return True
        number = self.known.get(case)
        if number is None:
            self.strange.append((line, case))
            return False
        most = self.selection.samples
        if self._times[number] >= most:
            where = f"in line {self._first[number]}" if line else "before"
            problem = f"the id stands {where} already" if most == 1 else f"`samples` says {most}, and this is one more"
            advice = "Remove one of them, or raise `samples` of the variant: answers that one case may have."
            self.place.findings.add(self.name, problem, advice, line=line, case=case, path="id")
        elif not self._times[number]:
            self._first[number] = line
        self._times[number] += 1
        return True

    def close(self) -> None:
        """What only the whole file can tell."""
        findings = self.place.findings
        if not self.rows:
            if not findings.count(self.name):
                findings.add(self.name, "holds no response", 'Write one a line: {"id": "case-1", "response": "text"}.')
            return
        self.met.check(self.selection, self.name, self.place)
        if self.known is None or not self.met.chosen:
            return
        lacking = [case for case, number in self.known.items() if not self._times[number]]
        if lacking:
            self._tell_lacking(lacking)
            for line, case in self.strange[: MOST_PER_FILE + 1]:
                problem = f"the dataset has no case {case[:60]!r}"
                findings.add(self.name, problem, near(case, self.known), line=line, case=case, path="id")
        elif self.strange:
            more, first = len(self.strange), self.strange[0][1][:60]
            findings.note(f"{self.name}: {more} rows are of cases that the dataset lacks, such as {first!r}: left out.")

    def _tell_lacking(self, lacking: Sequence[str]) -> None:
        assert self.known is not None
        shown = ", ".join(map(repr, lacking[:SHOWN])) + (
            f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        )
        problem = f"{len(lacking)} of {len(self.known)} cases have no row for {self.selection.variant}: {shown}"
        advice = "Add a row for each; a call that failed is written as a row with `error`."
        self.place.findings.add(self.name, problem, advice)
