"""The dataset: every row of its file as a case, and each id once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from triaxis.adapters.workspace.batch_inputs import case_row, is_batch_input, left_out
from triaxis.adapters.workspace.case_files import rows_of
from triaxis.adapters.workspace.case_values import read_case
from triaxis.adapters.workspace.data_files import DataFile
from triaxis.adapters.workspace.findings import Findings
from triaxis.domain.case import Case


def read_cases(path: Path, name: str, columns: Mapping[str, str], findings: Findings) -> tuple[Case, ...] | None:
    """Every case, sorted by id; None after adding faults."""
    before = findings.count(name)
    file = DataFile(path, name, findings, columns)
    cases: list[Case] = []
    first: dict[str, int] = {}
    left: set[str] = set()
    for line, row in rows_of(file):
        request = is_batch_input(row)
        given = row.get("custom_id" if request else "id")
        wrong = _Reporter(file, line, given if isinstance(given, str) else "")
        left.update(left_out(row) if request else ())
        case = read_case(case_row(row, wrong) if request else row, wrong)
        if case is None:
            continue
        if case.id in first:
            where = f"in line {first[case.id]}" if line else "before"
            findings.add(name, f"the id stands {where} already", _TWICE, line=line, case=case.id, path="id")
        first.setdefault(case.id, line)
        cases.append(case)
    if left:
        said = ", ".join(sorted(left))
        findings.note(f"{name}: its requests are cases; what they say of {said} is the variants' to say, and left out.")
    if not cases and findings.count(name) == before:
        findings.add(name, "holds no case", 'Write at least one: {"id": "case-1", "input": "text"}.')
    return tuple(sorted(cases, key=lambda c: c.id)) if findings.count(name) == before else None


_TWICE = "Give one of them another id, or remove it."


@dataclass(frozen=True, slots=True)
class _Reporter:
    """Reports what is wrong with the case of one line."""

    file: DataFile
    line: int
    case: str

    def __call__(self, field: str, problem: str, advice: str) -> None:
        self.file.findings.add(self.file.name, problem, advice, line=self.line, case=self.case, path=field)
