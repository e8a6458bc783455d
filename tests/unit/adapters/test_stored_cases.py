"""Cases that stay on disk are the same sequence as cases in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_store import a_case, rich_cases

from triaxis.adapters.evidence import cases as module
from triaxis.adapters.evidence import tables
from triaxis.adapters.evidence.cases import StoredCases, stored_cases
from triaxis.adapters.parquet import rows as parquet
from triaxis.domain.case import Case
from triaxis.domain.case_columns import columns_of

CASES = (*rich_cases(), *(a_case(f"f{number}") for number in range(6)))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of eleven cases in groups of four."""
    monkeypatch.setattr(parquet, "ROW_GROUP", 4)
    return written(tmp_path / "cases.parquet", CASES)


def written(path: Path, cases: tuple[Case, ...]) -> Path:
    parquet.write_table(path, tables.CASES, map(tables.case_cells, cases))
    return path


def test_it_is_gone_through_and_looked_into(path: Path) -> None:
    stored = StoredCases(path)
    assert (len(stored), tuple(stored), stored[3:9:2], stored[-1]) == (11, CASES, CASES[3:9:2], CASES[-1])
    assert [stored[place] for place in (7, 0, 10, 4)] == [CASES[place] for place in (7, 0, 10, 4)]
    with pytest.raises(IndexError):
        _ = stored[11]


def test_it_equals_what_holds_the_same(path: Path, tmp_path: Path) -> None:
    same, other = StoredCases(path), StoredCases(written(tmp_path / "other.parquet", CASES[:-1]))
    assert StoredCases(path) == same == CASES
    assert StoredCases(written(tmp_path / "copy.parquet", CASES)) == same
    assert same not in (other, CASES[:-1], "text")


def test_a_file_that_was_written_anew_is_another(path: Path) -> None:
    before = StoredCases(path)
    written(path, (*CASES[:-1], a_case("g")))
    assert StoredCases(path) != before


def test_a_few_are_kept_in_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stored_cases(path) == CASES
    assert isinstance(stored_cases(path), tuple)
    monkeypatch.setattr(module, "HELD", 10)
    assert isinstance(stored_cases(path), StoredCases)


def test_its_columns_are_those_of_its_cases(tmp_path: Path) -> None:
    """Of every kind of tag, in any order, with a tag of the name of a field, and with none at all."""
    tagged = (
        a_case("h", slice={"kind": "faq", "n": 3, "odd": None}, route="simple", session="s2"),
        a_case("g", slice={"kind": "faq", "n": 3.5, "hard": True}, session="s2", route="complex"),
    )
    unrouted = tuple(a_case(f"u{n}", slice={"route": "x"}, route=None) for n in range(2))
    for number, cases in enumerate([CASES, (*tagged, *CASES), unrouted, ()]):
        stored = StoredCases(written(tmp_path / f"{number}.parquet", cases))
        mine, theirs = columns_of(stored), columns_of(cases)
        assert (mine.ids, mine.steps) == (theirs.ids, theirs.steps)
        assert list(mine.tags) == list(theirs.tags)
        for one, other in zip(
            (mine.sessions, *mine.tags.values()), (theirs.sessions, *theirs.tags.values()), strict=True
        ):
            assert one.values == other.values
            assert one.codes.tolist() == other.codes.tolist()
