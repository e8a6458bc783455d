"""DVC and a run agree on what is fresh, by the real DVC."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stage_stand_in import FILES, PIPELINE, install, run

from triaxis.adapters.dvc import repo as dvc_repo
from triaxis.adapters.dvc.files import dvc_file, dvc_yaml, stale_targets, unversioned
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.adapters.store.held_file import hold
from triaxis.domain.dag import STAGES
from triaxis.errors import NotVersioned

NAMES = [stage.name for stage in STAGES]


def dvc(root: Path, *words: str) -> str:
    """What a dvc command prints; it must succeed."""
    env = {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    return subprocess.run(["git", *identity, *words], cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace in git and DVC, whose dataset DVC knows by a .dvc file without a copy."""
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"content of {file}\n")
    (tmp_path / "bin").mkdir()
    install(tmp_path / "bin")
    (tmp_path / "dvc.yaml").write_text(dvc_yaml(PIPELINE))
    (tmp_path / ".gitignore").write_text(".triaxis/\nbin/\nran.txt\n")
    md5s = Md5s(tmp_path)
    cases = dvc_file("cases.jsonl", str(md5s.of(FILES[0])), md5s.size(FILES[0]))
    (tmp_path / f"{FILES[0]}.dvc").write_text(cases)
    git(tmp_path, "init", "-q")
    dvc(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "start")
    return tmp_path


def committed(root: Path) -> tuple[str, ...]:
    return dvc_repo.commit(root, PIPELINE, Md5s(root))


def idle(root: Path) -> None:
    """DVC's status is clean and its repro runs nothing."""
    assert dvc(root, "status").strip() == "Data and pipelines are up to date."
    log = root / "ran.txt"
    before = log.read_text()
    dvc(root, "repro")
    assert log.read_text() == before


def test_after_a_run_dvc_is_idle_and_after_an_edit_again(workspace: Path) -> None:
    """A run's files, committed by name, leave DVC with nothing to do; so does the run after an edited input."""
    assert run(workspace) == NAMES
    assert set(committed(workspace)) == set(NAMES)
    idle(workspace)
    assert committed(workspace) == ()
    assert run(workspace) == []

    (workspace / FILES[0]).write_text("edited\n")
    assert run(workspace) == NAMES
    assert set(committed(workspace)) == {f"{FILES[0]}.dvc", *NAMES}
    idle(workspace)
    (workspace / "unrelated.txt").write_text("x")
    assert git(workspace, "status", "--porcelain", "reports").strip() in {"", "?? reports/"}


def test_after_a_repro_a_run_has_nothing_to_do(workspace: Path) -> None:
    """The verbs that DVC runs record what they made, so that a run sees it as fresh, and DVC needs no commit."""
    dvc(workspace, "repro")
    assert run(workspace) == []
    assert stale_targets(workspace, PIPELINE, Md5s(workspace)) == ()
    assert committed(workspace) == ()


def test_dvc_keeps_the_outs_that_their_stage_reads(workspace: Path) -> None:
    """Before DVC runs a stage again, what was paid for is still there to be read."""
    run(workspace)
    committed(workspace)
    script = workspace / "bin" / "triaxis"
    script.write_text(f"#!/bin/sh\nls reports/evidence reports > {workspace}/seen.txt\nexit 1\n")
    (workspace / FILES[0]).write_text("edited\n")
    with pytest.raises(AssertionError):
        dvc(workspace, "repro")
    seen = (workspace / "seen.txt").read_text()
    assert all(name in seen for name in ("inputs", "generations.parquet", "probes.parquet", "judgments.parquet"))


def test_nothing_is_opened_while_dvc_runs_the_verb(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a repro the verb leaves DVC alone: opening it would wait for the lock of its own parent."""
    run(workspace)
    monkeypatch.setenv("DVC_STAGE", "generate")
    assert committed(workspace) == ()


def test_a_busy_dvc_is_waited_for_and_then_named(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while it says that the evidence stands and only its version is missing; the next run makes up for it."""
    monkeypatch.setattr(dvc_repo, "_PATIENCE_S", 1.0)
    run(workspace)
    busy = hold(workspace / ".dvc" / "tmp" / "lock")
    assert busy is not None
    with pytest.raises(NotVersioned, match="DVC is busy"):
        committed(workspace)
    busy.close()
    assert set(committed(workspace)) == set(NAMES)


def test_what_dvc_refuses_is_told(workspace: Path) -> None:
    run(workspace)
    path = workspace / "dvc.yaml"
    path.write_text(path.read_text().replace("    cmd: triaxis judge\n", "    cmd: triaxis judge\n    bogus: 1\n"))
    with pytest.raises(NotVersioned, match="DVC could not record this run"):
        committed(workspace)


def test_a_folder_without_dvc_says_so_and_goes_on(tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    assert run(tmp_path) == NAMES
    assert committed(tmp_path) == ()
    assert "git init && dvc init" in (unversioned(tmp_path) or "")
