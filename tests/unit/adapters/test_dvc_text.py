"""dvc.yaml as text: what is written agrees with the stages, and what a person wrote is checked against them."""

from __future__ import annotations

from pathlib import Path

import pytest

from triaxis.adapters.dvc.files import (
    Pipeline,
    disagreements,
    dvc_file,
    dvc_yaml,
    kept_outs,
    repository,
    stale_targets,
    unversioned,
)
from triaxis.adapters.dvc.md5s import Md5s
from triaxis.domain.dag import STAGES

MAIN = Pipeline(config="evaluation.yaml", reports="reports", files=("evaluation.yaml", "prompts/a.md"))
FULL = Pipeline(config="full.yaml", reports="reports-full", files=("full.yaml", "prompts/a.md"))


def faults_of(root: Path, text: str, *pipelines: Pipeline) -> list[str]:
    """The faults of a dvc.yaml, as people read them."""
    (root / "dvc.yaml").write_text(text)
    return [str(fault) for fault in disagreements(root, *(pipelines or (MAIN,)))[0]]


def test_a_stage_is_written_for_people(tmp_path: Path) -> None:
    text = dvc_yaml(MAIN)
    assert text.startswith(
        "stages:\n"
        "  prepare:\n"
        "    cmd: triaxis prepare\n"
        "    deps:\n"
        "    - evaluation.yaml\n"
        "    - prompts/a.md\n"
        "    outs:\n"
        "    - reports/evidence/inputs:\n"
        "        persist: true\n"
        "  generate:\n"
    )
    assert faults_of(tmp_path, text) == []


def test_two_evaluations_share_a_dvc_yaml(tmp_path: Path) -> None:
    text = dvc_yaml(MAIN, FULL)
    assert "  judge-full:\n    cmd: triaxis judge -c full.yaml\n" in text
    assert faults_of(tmp_path, text, MAIN, FULL) == []


def test_odd_names_are_quoted(tmp_path: Path) -> None:
    odd = Pipeline(config="evaluation.yaml", reports="reports", files=("data: #1.jsonl", "é.md"))
    assert faults_of(tmp_path, dvc_yaml(odd), odd) == []


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ("    - prompts/a.md\n", "", "stages.prepare.deps: prompts/a.md is not a dependency of prepare. Add"),
        ("measures.json\n  decide:", "other.json\n  decide:", "reports/evidence/measures.json is not an out of assess"),
        ("    - reports/scorecard.md\n", "    - reports/other.md\n", "the stage does not write reports/other.md"),
        ("cmd: triaxis judge\n", "cmd: triaxis generate\n", "stages.judge.cmd: runs something else. Write"),
        ("cmd: triaxis judge\n", "cmd: triaxis judge -c full.yaml\n", "runs something else"),
        ("cmd: triaxis judge\n", "cmd: 'triaxis \"judge'\n", "runs something else"),
        ("  probe:\n", "  sonde:\n", "stages.probe: this stage is missing"),
    ],
)
def test_what_parts_from_the_stages_is_a_fault(tmp_path: Path, *, written: str, instead: str, says: str) -> None:
    text = dvc_yaml(MAIN)
    assert written in text
    faults = faults_of(tmp_path, text.replace(written, instead))
    assert any(says in fault for fault in faults), faults
    assert all(fault.startswith("dvc.yaml") for fault in faults)


def test_a_person_may_write_it_otherwise(tmp_path: Path) -> None:
    """Folders stand for what is in them, further dependencies and flags are fine, and so is how triaxis is reached."""
    text = dvc_yaml(MAIN)
    text = text.replace("    - prompts/a.md\n", "    - prompts/\n    - pyproject.toml\n")
    text = text.replace("cmd: triaxis judge\n", "cmd: .venv/bin/triaxis judge --config evaluation.yaml --quiet\n")
    text = text.replace("    - reports/scorecard.md\n", "    - reports/scorecard.md: {cache: false}\n")
    assert faults_of(tmp_path, text) == []


def test_yaml_that_cannot_be_read_is_one_fault_with_a_line(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, "stages:\n  a: [\n")
    assert fault.startswith("dvc.yaml:")


def test_not_being_versioned_is_a_notice(tmp_path: Path) -> None:
    assert disagreements(tmp_path, MAIN)[1] == (
        "there is no dvc.yaml, so DVC versions nothing here; `triaxis init .` writes one",
    )
    (tmp_path / "dvc.yaml").write_text(dvc_yaml(MAIN))
    faults, notices = disagreements(tmp_path, MAIN, FULL)
    assert faults == ()
    assert notices == ("dvc.yaml has no stages of full.yaml, so DVC does not version its evidence",)


def test_where_nothing_is_versioned_it_says_what_to_do(tmp_path: Path) -> None:
    assert "git init && dvc init" in (unversioned(tmp_path) or "")
    (tmp_path / ".dvc").mkdir()
    assert "triaxis init" in (unversioned(tmp_path) or "")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    assert unversioned(tmp_path) is None
    assert repository(tmp_path / "deep") == tmp_path


def lock_text(root: Path, cmd: str = "triaxis prepare") -> str:
    """A dvc.lock that knows `prepare` as the files are."""
    md5s = Md5s(root)
    entry = "    - path: {0}\n      md5: {1}\n".format
    deps = "".join(entry(path, md5s.of(path)) for path in MAIN.files)
    outs = "".join(entry(path, md5s.of(path)) for path in MAIN.outs(STAGES[0]))
    return f"schema: '2.0'\nstages:\n  prepare:\n    cmd: {cmd}\n    deps:\n{deps}    outs:\n{outs}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (*MAIN.files, "reports/evidence/inputs/slo.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "dvc.yaml").write_text(dvc_yaml(MAIN).split("  generate:")[0])
    (tmp_path / "dvc.lock").write_text(lock_text(tmp_path))
    return tmp_path


def test_what_dvc_lock_knows_is_not_stale(root: Path) -> None:
    assert stale_targets(root, MAIN, Md5s(root)) == ()


@pytest.mark.parametrize("file", ["prompts/a.md", "reports/evidence/inputs/slo.json"])
def test_a_changed_file_makes_its_stage_a_target(root: Path, file: str) -> None:
    (root / file).write_text("changed")
    assert stale_targets(root, MAIN, Md5s(root)) == ("prepare",)


def test_another_command_makes_its_stage_a_target(root: Path) -> None:
    (root / "dvc.lock").write_text(lock_text(root, cmd="triaxis prepare --old"))
    assert stale_targets(root, MAIN, Md5s(root)) == ("prepare",)
    (root / "dvc.lock").unlink()
    assert stale_targets(root, MAIN, Md5s(root)) == ("prepare",)


def test_an_input_whose_dvc_file_is_old_is_a_target(root: Path) -> None:
    (root / "prompts/a.md.dvc").write_text(dvc_file("a.md", "0" * 31 + "a", 3))
    assert stale_targets(root, MAIN, Md5s(root)) == ("prompts/a.md.dvc",)
    md5s = Md5s(root)
    (root / "prompts/a.md.dvc").write_text(dvc_file("a.md", str(md5s.of("prompts/a.md")), 3))
    assert stale_targets(root, MAIN, md5s) == ()


def test_what_git_must_ignore(tmp_path: Path) -> None:
    """Every out that DVC keeps a copy of; one with `cache: false` is meant for git."""
    assert kept_outs(tmp_path, MAIN) == {}
    out = "outs:\n    - reports/scorecard.json"
    (tmp_path / "dvc.yaml").write_text(dvc_yaml(MAIN).replace(out, f"{out}:\n        cache: false"))
    kept = kept_outs(tmp_path, MAIN)
    assert kept["reports/evidence/generations.parquet"] == "generate"
    assert kept["reports/scorecard.md"] == "publish"
    assert "reports/scorecard.json" not in kept
