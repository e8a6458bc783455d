"""Parquet files: equal rows make equal bytes, and what was written is read."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from build_store import key

from triaxis.adapters.parquet import rows as parquet
from triaxis.adapters.parquet.columns import columns as columns_of
from triaxis.adapters.parquet.columns import digest, read_keys, write_columns
from triaxis.adapters.parquet.foreign import foreign_columns, foreign_rows
from triaxis.adapters.parquet.rows import Cell, Layout
from triaxis.domain.keys import Keys
from triaxis.errors import StoreDamaged

LAYOUT: Layout = {"name": "text", "n": "int", "x": "float", "ok": "flag", "raw": "text"}
Line = tuple[Cell, ...]


def some_rows(count: int) -> list[Line]:
    return [
        (f"v{i % 3}" if i % 5 else None, i if i % 4 else None, i / 7 if i % 6 else None, i % 2 > 0, f"é {i}" * (i % 3))
        for i in range(count)
    ]


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 4)


@pytest.mark.usefixtures("small_groups")
def test_rows_come_back_over_several_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    assert parquet.write_table(path, LAYOUT, iter(some_rows(11))) == 11
    assert list(parquet.scan(path, list(LAYOUT))) == some_rows(11)
    assert list(parquet.scan(path, ["raw", "n"])) == [(row[4], row[1]) for row in some_rows(11)]


@pytest.mark.usefixtures("small_groups")
def test_picking_reads_some_rows_by_position(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(path, LAYOUT, some_rows(11))
    assert list(parquet.pick(path, list(LAYOUT), {10, 0, 5})) == [some_rows(11)[i] for i in (0, 5, 10)]
    assert list(parquet.pick(path, list(LAYOUT), [])) == []


def test_bytes_depend_on_the_rows_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "a.parquet", tmp_path / "b.parquet"
    parquet.write_table(one, LAYOUT, some_rows(50))
    parquet.write_table(other, LAYOUT, (row for row in some_rows(50)))
    assert one.read_bytes() == other.read_bytes()
    assert b"pandas" not in one.read_bytes()


@pytest.mark.parametrize("count", [0, 1, parquet.ROW_GROUP, 2 * parquet.ROW_GROUP + 3])
def test_whole_columns_make_the_bytes_of_their_rows(tmp_path: Path, count: int) -> None:
    layout: Layout = {"key": "text", "input": "int", "output": "int"}
    rows = [(key(n), n, -n) for n in range(count)]
    parquet.write_table(tmp_path / "rows.parquet", layout, rows)
    keys, numbers = Keys.of([row[0] for row in rows]), np.arange(count)
    write_columns(tmp_path / "columns.parquet", layout, [keys, numbers, -numbers])
    assert (tmp_path / "columns.parquet").read_bytes() == (tmp_path / "rows.parquet").read_bytes()
    assert list(parquet.scan(tmp_path / "columns.parquet", list(layout))) == rows


def test_reordering_makes_the_bytes_of_the_other_order(tmp_path: Path) -> None:
    one, other = tmp_path / "a.parquet", tmp_path / "b.parquet"
    parquet.write_table(one, LAYOUT, some_rows(50))
    parquet.write_table(other, LAYOUT, reversed(some_rows(50)))
    parquet.reorder(other, LAYOUT, list(range(49, -1, -1)))
    assert one.read_bytes() == other.read_bytes()


def test_the_digest_is_over_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups do not show in it; a moved boundary between texts, a null for an empty text, and order do."""
    path = tmp_path / "a.parquet"
    parquet.write_table(path, LAYOUT, some_rows(50))
    straight = digest(path, LAYOUT)
    monkeypatch.setattr(parquet, "ROW_GROUP", 7)
    parquet.write_table(path, LAYOUT, some_rows(50))
    assert digest(path, LAYOUT) == straight
    texts: Layout = {"a": "text"}
    seen: set[str] = set()
    for rows in ([("ab",), ("c",)], [("a",), ("bc",)], [("",), ("abc",)], [(None,), ("abc",)], [("c",), ("ab",)]):
        parquet.write_table(path, texts, rows)
        seen.add(digest(path, texts))
    assert len(seen) == 5


def test_zero_has_no_sign_in_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    layout: Layout = {"x": "float"}
    digests: set[str] = set()
    for value in (0.0, -0.0):
        parquet.write_table(path, layout, [(value,)])
        digests.add(digest(path, layout))
    assert len(digests) == 1


def test_columns_load_as_codes_numbers_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(path, LAYOUT, some_rows(12))
    columns = columns_of(path, ["name", "n", "raw"])
    codes, names = columns.codes("name")
    assert names == ("v0", "v1", "v2")
    assert [names[c] if c >= 0 else None for c in codes.tolist()] == [row[0] for row in some_rows(12)]
    raw_codes, raws = columns.codes("raw")
    assert [raws[c] for c in raw_codes.tolist()] == [row[4] for row in some_rows(12)]
    assert list(columns.texts("raw")) == [row[4] for row in some_rows(12)]
    numbers = columns.floats("n")
    assert numbers.dtype == np.float64
    assert math.isnan(numbers[0])
    assert numbers[1] == 1.0


def test_columns_keep_only_rows_of_one_value(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(path, LAYOUT, some_rows(12))
    columns = columns_of(path, ["n"], keep=("name", "v1"))
    assert len(columns) == 3
    numbers = columns.floats("n")
    assert numbers[[0, 2]].tolist() == [1.0, 7.0]
    assert math.isnan(numbers[1])  # rows 1, 4 and 7 say v1, and every fourth number is null
    codes, names = columns_of(path, ["name"], keep=("name", "v1")).codes("name")
    assert names == ("v1",)
    assert set(codes.tolist()) == {0}


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(path, LAYOUT, [])
    columns = columns_of(path, list(LAYOUT))
    assert len(columns) == 0
    assert columns.codes("name")[1] == ()
    assert columns.floats("x").tolist() == []
    assert (foreign_columns(path), list(foreign_rows(path))) == (list(LAYOUT), [])
    assert len(digest(path, LAYOUT)) == 64


def test_half_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(path, {"raw": "text"}, [("x\ud83d",), (None,)])
    assert list(parquet.scan(path, ["raw"])) == [("x?",), (None,)]


def test_a_file_of_somebody_else_is_read_as_python_values(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(path, LAYOUT, some_rows(3))
    place = foreign_columns(path).index("n")
    assert [row[place] for row in foreign_rows(path)] == [None, 1, 2]
    path.write_bytes(b"id,input\n")
    with pytest.raises(ValueError, match="not a readable Parquet file"):
        foreign_columns(path)
    with pytest.raises(ValueError, match="not a readable Parquet file"):
        next(foreign_rows(path))


def test_the_labels_that_pandas_gives_rows_are_not_a_column(tmp_path: Path) -> None:
    """A frame that was filtered or shuffled is written with them, asked for or not."""
    layout: Layout = {"id": "text", "__index_level_0__": "int", "slice.kind": "text"}
    parquet.write_table(tmp_path / "a.parquet", layout, [("c", 2, "y"), ("b", 1, None)])
    assert foreign_columns(tmp_path / "a.parquet") == ["id", "slice.kind"]
    assert list(foreign_rows(tmp_path / "a.parquet")) == [("c", "y"), ("b", None)]


def test_damage_names_the_file_and_says_what_helps(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(StoreDamaged, match=r"a\.parquet is damaged.*dvc checkout"):
        list(parquet.scan(path, ["n"]))
    with pytest.raises(FileNotFoundError):
        list(parquet.scan(tmp_path / "b.parquet", ["n"]))


@pytest.mark.usefixtures("small_groups")
def test_rows_that_are_copied_fill_whole_row_groups(tmp_path: Path) -> None:
    """However the rows came, by themselves or out of other files, equal rows make equal bytes."""
    one, other, both, alone = (tmp_path / f"{name}.parquet" for name in ("one", "other", "both", "alone"))
    rows = some_rows(23)
    parquet.write_table(one, LAYOUT, rows[:9])
    parquet.write_table(other, LAYOUT, rows[9:20])
    with parquet.TableWriter(both, LAYOUT) as writer:
        writer.copy(one, np.arange(9) != 3)
        writer.copy(other, np.ones(11, dtype=np.bool_))
        for row in rows[20:]:
            writer.add(row)
    parquet.write_table(alone, LAYOUT, [row for place, row in enumerate(rows) if place != 3])
    assert writer.count == 22
    assert both.read_bytes() == alone.read_bytes()


def test_a_file_whose_rows_failed_is_let_go_of(tmp_path: Path) -> None:
    def fail() -> None:
        with parquet.TableWriter(tmp_path / "a.parquet", LAYOUT) as writer:
            writer.add(some_rows(1)[0])
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert list(parquet.scan(tmp_path / "a.parquet", list(LAYOUT))) == []


@pytest.mark.usefixtures("small_groups")
def test_row_groups_used_again_are_decoded_once_while_they_fit(tmp_path: Path) -> None:
    """A group that is kept is read although its file is gone; what does not fit goes, the least used first."""
    path = tmp_path / "a.parquet"
    rows = some_rows(12)
    parquet.write_table(path, LAYOUT, rows)
    groups = parquet.Groups(LAYOUT, most_bytes=1 << 20)
    assert list(groups.pick(path, np.array([9, 1, 2]))) == [rows[1], rows[2], rows[9]]
    path.unlink()
    assert list(groups.pick(path, np.array([0, 3, 8]))) == [rows[0], rows[3], rows[8]]
    with pytest.raises(FileNotFoundError):
        list(groups.pick(path, np.array([4])))

    parquet.write_table(path, LAYOUT, rows)
    groups = parquet.Groups(LAYOUT, most_bytes=0)
    list(groups.pick(path, np.array([0, 4])))
    path.unlink()
    assert list(groups.pick(path, np.array([5]))) == [rows[5]]
    with pytest.raises(FileNotFoundError):
        list(groups.pick(path, np.array([0])))


def test_keys_are_read_and_anything_else_is_damage(tmp_path: Path) -> None:
    layout: Layout = {"key": "text", "n": "int"}
    path = tmp_path / "a.parquet"
    parquet.write_table(path, layout, [(key(n), n) for n in range(3)])
    assert read_keys(path, layout).texts() == [key(n) for n in range(3)]
    with pytest.raises(StoreDamaged, match="another release"):
        read_keys(path, {"key": "text", "n": "float"})
    parquet.write_table(path, layout, [("zz" * 32, 1)])
    with pytest.raises(StoreDamaged, match=r"a\.parquet is damaged"):
        read_keys(path, layout)
