"""`dvc repro` and `triaxis run`, by the real commands in separate clones, from the same stored rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from workspace_run import Project

from triaxis.domain.dag import STAGES
from triaxis.wiring import wire

STORE = ".triaxis/store"
EVALUATED = [
    f"reports/{name}" for name in ("evidence", "scorecards", "scorecard.json", "scorecard.md", "scorecard.html")
]


def dvc_is_content(project: Project) -> None:
    """DVC's status is clean, and its repro runs nothing."""
    status = project.command("dvc", "status")
    assert "up to date" in status.out, status.out + status.err
    repro = project.command("dvc", "repro")
    assert "Data and pipelines are up to date." in repro.out
    assert "Running stage" not in repro.out


def test_after_a_run_dvc_has_nothing_to_do(evaluated: Project, tmp_path: Path) -> None:
    project = evaluated.copied(tmp_path / "workspace")
    before, billed = project.reports(), len(project.provider.bills())
    dvc_is_content(project)
    assert project.reports() == before
    assert len(project.provider.bills()) == billed


def test_deleted_evidence_comes_back_as_git_and_dvc_knew_it(evaluated: Project, tmp_path: Path) -> None:
    """With DVC's own .gitignore in its folder, without which git would take the evidence in."""
    project = evaluated.copied(tmp_path / "workspace")
    before, status = project.reports(), project.command("git", "status", "--porcelain").out
    project.remove("reports/evidence", *(f"reports/scorecard.{kind}" for kind in ("json", "md", "html")))
    assert project.run()["calls"] == 0
    assert project.reports() == before
    assert project.command("git", "status", "--porcelain").out == status
    dvc_is_content(project)


def test_a_repro_and_a_run_make_the_same_bytes_in_separate_clones(
    origin: Project, evaluated: Project, tmp_path: Path
) -> None:
    """And when the one has run, the other has nothing to do."""
    reproduced, ran = origin.cloned(tmp_path / "reproduced"), origin.cloned(tmp_path / "ran")
    for clone in (reproduced, ran):
        shutil.copytree(evaluated.root / STORE, clone.root / STORE)
    billed = len(origin.provider.bills())

    repro = reproduced.command("dvc", "repro")
    assert repro.code == 0, repro.out + repro.err
    assert [stage.name for stage in STAGES if f"Running stage '{stage.name}'" in repro.out] == [s.name for s in STAGES]
    assert ran.run()["stages"] == [stage.name for stage in STAGES]

    assert reproduced.reports() == ran.reports() == evaluated.reports()
    assert reproduced.run()["stages"] == []
    dvc_is_content(reproduced)
    dvc_is_content(ran)
    assert len(origin.provider.bills()) == billed


def test_a_fresh_clone_with_pulled_evidence_buys_nothing(evaluated: Project, tmp_path: Path) -> None:
    """Git brings the inputs, `dvc pull` the evidence; nobody's row store is needed."""
    project = evaluated.copied(tmp_path / "workspace")
    remote = tmp_path / "remote"
    for words in (
        ("dvc", "remote", "add", "-q", "-d", "shared", str(remote)),
        ("git", "add", "-A"),
        ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "Evaluate"),
        ("dvc", "push", "-q"),
    ):
        done = project.command(*words)
        assert done.code == 0, done.err
    clone = project.cloned(tmp_path / "clone")
    assert clone.command("dvc", "pull", "-q").code == 0
    billed = len(project.provider.bills())
    assert clone.run()["calls"] == 0
    assert len(project.provider.bills()) == billed
    assert clone.reports() == project.reports()


OTHER = Path(__file__).parents[2] / ".venv-3.13" / "bin" / "triaxis"


@pytest.mark.skipif(
    not OTHER.exists(), reason="there is no second environment; `make parity` installs it and runs this"
)
@pytest.mark.parametrize("name", ["finished", "evaluated"])
def test_another_python_makes_the_same_bytes(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made: Project = request.getfixturevalue(name)
    project = made.copied(tmp_path / "workspace")
    project.remove(*EVALUATED, ".triaxis/state")
    billed = len(project.provider.bills())
    done = project.triaxis("run", "--json", binary=OTHER)
    assert (done.code, done.json["calls"]) == (0, 0), done.err
    assert project.reports() == made.reports()
    assert len(project.provider.bills()) == billed


def test_a_run_says_where_lost_answers_may_still_be(evaluated: Project, tmp_path: Path) -> None:
    """With store and evidence gone, DVC's cache may hold what would otherwise be bought again."""
    project = evaluated.copied(tmp_path / "workspace")
    shutil.rmtree(project.root / ".triaxis" / "store")
    shutil.rmtree(project.root / "reports" / "evidence")
    said = wire(project.root, "evaluation.yaml").kept_elsewhere()
    assert said is not None
    assert "dvc checkout" in said
    assert wire(evaluated.root, "evaluation.yaml").kept_elsewhere() is None
