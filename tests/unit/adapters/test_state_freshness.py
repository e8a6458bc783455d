"""What is up to date is decided from content, never from times."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from stage_stand_in import FILES, run, run_stage

from triaxis.adapters.dvc.md5s import Md5s
from triaxis.adapters.evidence import stage_state
from triaxis.adapters.evidence.stage_state import StageState
from triaxis.domain.dag import BY_NAME, STAGES

EVERY = [stage.name for stage in STAGES]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace whose stages have all run."""
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    assert run(tmp_path) == EVERY
    return tmp_path


def state(root: Path) -> StageState:
    return StageState(root, "evaluation.yaml", "reports")


def test_nothing_runs_twice(root: Path) -> None:
    assert run(root) == []
    assert state(root).unchanged(STAGES)


def test_times_mean_nothing(root: Path) -> None:
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    assert run(root) == []


def test_an_edit_of_the_same_size_within_the_clock_tick_is_seen(root: Path) -> None:
    path = root / FILES[0]
    stat = path.stat()
    path.write_text(path.read_text().swapcase())
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not state(root).unchanged(STAGES)
    assert run(root) == EVERY


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("evidence/inputs/slo.json", ["prepare", "assess", "decide", "publish"]),
        ("evidence/inputs/rubric.json", ["prepare", "judge", "assess", "decide", "publish"]),
        ("evidence/inputs/evaluators/index.json", ["prepare", "judge"]),
        ("evidence/generations.parquet", ["generate", "judge", "assess", "publish"]),
        ("evidence/measures.json", ["assess", "decide", "publish"]),
        ("scorecard.html", ["publish"]),
    ],
)
def test_a_changed_file_makes_stale_its_maker_and_its_readers(root: Path, file: str, again: list[str]) -> None:
    (root / "reports" / file).write_text("tampered")
    stale = [stage.name for stage in STAGES if not state(root).fresh(stage, FILES)]
    assert set(again) <= set(stale)
    assert run(root)[0] == again[0]
    assert run(root) == []


def test_reasons_are_told_in_words(root: Path) -> None:
    prepare, publish = BY_NAME["prepare"], BY_NAME["publish"]
    assert state(root).why(prepare, FILES) == ()
    (root / FILES[0]).write_text("edited")
    assert state(root).why(prepare, FILES) == ("datasets/x/cases.jsonl changed",)
    assert state(root).why(prepare, ("new.md", *FILES[1:])) == (
        "datasets/x/cases.jsonl is no longer read",
        "new.md is new",
        "new.md is missing",
    )
    (root / "reports/scorecard.md").write_text("x")
    assert state(root).why(publish) == ("reports/scorecard.md is not as it was written",)
    assert StageState(root, "full.yaml", "reports").why(publish) == ("it has not run here yet",)


def test_other_variants_make_only_preparing_stale(root: Path) -> None:
    assert state(root).why(BY_NAME["prepare"], FILES, ("small",)) == ("other variants were asked for",)
    assert not state(root).unchanged(STAGES, ("small",))
    assert state(root).fresh(BY_NAME["generate"], FILES, ("small",))


def test_another_method_makes_every_stage_stale(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_state, "METHOD_VERSION", 99)
    assert state(root).why(BY_NAME["decide"]) == ("this release computes it differently",)
    assert not state(root).unchanged(STAGES)


def test_an_input_edited_while_its_stage_runs_makes_it_stale(root: Path) -> None:
    """The checksums recorded are those of before the stage ran."""
    (root / FILES[0]).write_text("first")
    records, prepare = state(root), BY_NAME["prepare"]
    assert not records.fresh(prepare, FILES)
    (root / FILES[0]).write_text("second, while it runs")
    records.record(prepare, FILES)
    assert state(root).why(prepare, FILES) == ("datasets/x/cases.jsonl changed",)


def test_a_record_that_cannot_be_read_is_as_good_as_none(root: Path) -> None:
    (root / ".triaxis/state/evaluation.json").write_text("{")
    assert run(root) == EVERY


def test_each_evaluation_has_records_of_its_own(root: Path) -> None:
    StageState(root, "deep/full.yaml", "reports").record(BY_NAME["decide"])
    assert (root / ".triaxis/state/deep-full.json").is_file()
    assert state(root).unchanged(STAGES)


def test_a_stage_that_ran_without_being_asked_is_recorded(root: Path) -> None:
    run_stage(root, BY_NAME["decide"])
    assert state(root).fresh(BY_NAME["decide"])


def test_checksums_have_the_form_of_dvc(tmp_path: Path) -> None:
    """A folder's is the md5 of its listing as DVC writes it, with `.dir`."""
    (tmp_path / "folder/deep").mkdir(parents=True)
    (tmp_path / "folder/b").write_text("B")
    (tmp_path / "folder/deep/a").write_text("A")
    md5s = Md5s(tmp_path)
    a, b = (hashlib.md5(text, usedforsecurity=False).hexdigest() for text in (b"A", b"B"))
    listing = json.dumps([{"md5": b, "relpath": "b"}, {"md5": a, "relpath": "deep/a"}])
    assert md5s.of("folder") == hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"
    assert md5s.of("folder/b") == b
    assert md5s.of("nothing") is None
    assert (md5s.size("folder"), md5s.size("folder/b")) == (2, 1)
