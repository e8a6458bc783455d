from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from build_measures import some_cases

from triaxis.adapters.evidence import cases as stored
from triaxis.adapters.evidence import tables
from triaxis.adapters.parquet import rows as parquet
from triaxis.adapters.parquet.rows import Layout


@pytest.mark.parametrize("held", [100, 0])
def test_cases_written_before_they_had_passages_are_read(
    tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory, and from disk as they are asked for."""
    monkeypatch.setattr(stored, "HELD", held)
    cases, path = some_cases(5), tmp_path / "cases.parquet"
    before: Layout = {name: kind for name, kind in tables.CASES.items() if name != "passages"}
    parquet.write_table(path, before, (tables.case_cells(case)[:-1] for case in cases))
    found = stored.stored_cases(path)
    assert tuple(found) == cases
    assert found[2] == cases[2]


def test_passages_are_kept(tmp_path: Path) -> None:
    cases, path = [replace(some_cases(1)[0], passages=("a", "b"))], tmp_path / "cases.parquet"
    parquet.write_table(path, tables.CASES, map(tables.case_cells, cases))
    assert tuple(stored.stored_cases(path)) == tuple(cases)
