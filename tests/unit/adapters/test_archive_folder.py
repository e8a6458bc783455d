"""The archive: every scorecard once, with where it came from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from build_calls import TickingClock
from build_measures import a_model, some_cases, some_inputs
from stage_stand_in import FILES, run

from triaxis.adapters.archive.files import Archive
from triaxis.adapters.dvc.md5s import Md5s

INPUTS = some_inputs(a_model(), a_model("small"), cases=some_cases(2))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    run(tmp_path)
    return tmp_path


def archive(root: Path, clock: TickingClock) -> Archive:
    return Archive(root, "reports", md5s=Md5s(root), clock=clock)


def test_a_scorecard_is_archived_once(root: Path) -> None:
    """The same id again changes nothing, its date of making least of all."""
    clock = TickingClock()
    folder = root / "reports/scorecards/00ff"
    assert archive(root, clock).add("00ff", FILES, INPUTS)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    clock.now += 86_400
    (root / "reports/scorecard.json").write_text("another")
    assert not archive(root, clock).add("00ff", FILES, INPUTS)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(before) == ["manifest.json", "provenance.json", "scorecard.json", "slo.json"]


def test_the_manifest_lists_every_input_and_file_of_evidence(root: Path) -> None:
    archive(root, TickingClock()).add("00ff", (*FILES, "gone.md"), INPUTS)
    files = json.loads((root / "reports/scorecards/00ff/manifest.json").read_text())["files"]
    md5s = Md5s(root)
    assert set(FILES) <= set(files)
    assert "gone.md" not in files
    assert files["reports/evidence/inputs"]["md5"].endswith(".dir")
    for path in ("datasets/x/cases.jsonl", "reports/evidence/inputs/slo.json", "reports/evidence/judgments.parquet"):
        assert files[path] == {"md5": md5s.of(path), "size": md5s.size(path)}


def test_provenance_says_when_and_from_which_commit(root: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    clock = TickingClock(now=1_700_000_000.0)
    archive(root, clock).add("no-git", FILES, INPUTS)
    subprocess.run([*git, "init", "-q"], cwd=root, check=True)
    subprocess.run([*git, "add", FILES[0]], cwd=root, check=True)
    subprocess.run([*git, "commit", "-qm", "start"], cwd=root, check=True)
    archive(root, clock).add("clean", FILES, INPUTS)
    (root / FILES[0]).write_text("edited")
    archive(root, clock).add("dirty", FILES, INPUTS)
    said = {
        name: json.loads((root / f"reports/scorecards/{name}/provenance.json").read_text())
        for name in ("no-git", "clean", "dirty")
    }
    assert said["clean"]["created_at"] == "2023-11-14T22:13:20Z"  # 1,700,000,000 s after the epoch
    assert said["no-git"]["git"] is None
    assert (said["clean"]["git"]["dirty"], said["dirty"]["git"]["dirty"]) == (False, True)
    assert len(said["clean"]["git"]["commit"]) == 40
    assert said["clean"]["md5s"][FILES[1]] == Md5s(root).of(FILES[1])
    assert {"triaxis", "python", "platform"} <= set(said["clean"])
    assert list(said["clean"]["variants"]) == ["small"]  # the candidates, by hash
    assert str(root) not in json.dumps(said)


def test_half_an_archive_of_a_killed_run_is_not_taken_for_one(root: Path) -> None:
    draft = root / "reports/scorecards/.00ff.tmp"
    draft.mkdir(parents=True)
    (draft / "scorecard.json").write_text("half")
    assert archive(root, TickingClock()).add("00ff", FILES, INPUTS)
    assert not draft.exists()
