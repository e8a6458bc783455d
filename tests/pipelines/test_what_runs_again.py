"""What must run again is decided from content: each edit calls just what it touches, by the provider's own ledger."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from provider_process import Bill
from workspace_run import Project

from triaxis.adapters.evidence.files import FileEvidence

EVIDENCE = "reports/evidence"
JUDGMENTS = f"{EVIDENCE}/judgments.parquet"
GENERATIONS = f"{EVIDENCE}/generations.parquet"


def scores(project: Project) -> dict[str, list[object]]:
    """By dimension, every score with what it is of."""
    found: dict[str, list[object]] = {}
    for row in FileEvidence(project.root / "reports").judgments():
        found.setdefault(row.dimension, []).append(row)
    return found


def models(bills: Sequence[Bill]) -> Counter[str]:
    return Counter(bill.model for bill in bills)


def test_a_second_run_calls_nobody_and_starts_no_server(project: Project, tmp_path: Path) -> None:
    before, billed = project.reports(), len(project.provider.bills())
    done = project.triaxis("run", env={"PREFECT_HOME": str(tmp_path / "prefect")})
    assert (done.code, done.out.splitlines()[0]) == (0, "Nothing changed. Nothing was called.")
    assert len(project.provider.bills()) == billed
    assert project.reports() == before
    assert not (tmp_path / "prefect").exists()


@pytest.mark.parametrize(
    "lost",
    [
        [".triaxis/store"],
        [".triaxis"],
        [EVIDENCE, "reports/scorecard.json", "reports/scorecard.md", "reports/scorecard.html"],
    ],
    ids=["row store", "row store and state", "evidence and scorecard"],
)
def test_what_was_paid_for_is_kept_twice(project: Project, lost: list[str]) -> None:
    """With the row store gone the evidence serves, with the evidence gone the row store restores it, byte for byte."""
    before, billed = project.reports(), len(project.provider.bills())
    project.remove(*lost)
    assert project.run()["calls"] == 0
    assert len(project.provider.bills()) == billed
    assert project.reports() == before


def test_an_edited_input_is_asked_once_for_each_variant(project: Project) -> None:
    project.edit_case("case-05", input="What is word five?")
    billed = len(project.provider.bills())
    assert project.run()["calls"] == 3 + 2
    asked = models(project.provider.bills()[billed:])
    assert asked == {"big": 2, "small": 1, "judge-strong": 1, "judge-cheap": 1}  # big and capped share a model


def test_without_the_row_store_an_edit_still_costs_only_itself(project: Project) -> None:
    """What the evidence carries is taken into the new store, and only the edited case is asked."""
    project.remove(".triaxis")
    project.edit_case("case-05", input="What is word five?")
    assert models(project.called("prepare", "generate")) == {"big": 2, "small": 1}


def test_an_edited_truth_asks_nobody(project: Project) -> None:
    """The variants never see it, and these judges do not either."""
    project.edit_case("case-05", expected="simulated")
    before = scores(project)
    assert project.called("prepare", "generate", "judge") == []
    assert {name for name, rows in scores(project).items() if rows != before[name]} <= {"resolution"}


def test_an_edited_judge_prompt_asks_only_its_judge(project: Project) -> None:
    before = scores(project)
    project.edit("rubrics/tiny/prompts/tone.md", '"score": 0.5', '"score": 0.25')
    assert models(project.called("prepare", "judge")) == {"judge-cheap": 12}
    assert {name for name, rows in scores(project).items() if rows != before[name]} == {"tone"}


@pytest.mark.parametrize(
    ("path", "old", "new", "dimension"),
    [
        ("rubrics/tiny/rubric.yaml", "evaluator: exact", "evaluator: length\n    max_chars: 30", "resolution"),
        ("evaluators/brief.py", "< 6", "< 3", "brief"),
    ],
)
def test_an_edited_evaluator_scores_anew_and_asks_nobody(
    project: Project, path: str, old: str, new: str, dimension: str
) -> None:
    before, reports, billed = scores(project), project.reports(), len(project.provider.bills())
    project.edit(path, old, new)
    assert project.run()["calls"] == 0
    assert len(project.provider.bills()) == billed
    assert project.reports()[GENERATIONS] == reports[GENERATIONS]
    assert {name for name, rows in scores(project).items() if rows != before[name]} == {dimension}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("rubrics/tiny/slo.yaml", '"min": 0.5', '"min": 0.6'),
        ("rubrics/tiny/rubric.yaml", "weight: 0.5", "weight: 0.6"),
    ],
)
def test_what_is_decided_anew_is_another_scorecard(project: Project, path: str, old: str, new: str) -> None:
    """An objective or a weight changes no row; the scorecard before it stays in the archive."""
    before, billed = project.reports(), len(project.provider.bills())
    project.edit(path, old, new)
    ran = project.run()
    assert ran["calls"] == 0
    assert len(project.provider.bills()) == billed
    after = project.reports()
    assert {path: after[path] for path in before if "/scorecards/" in path} == {
        path: content for path, content in before.items() if "/scorecards/" in path
    }
    assert f"reports/scorecards/{ran['id']}/scorecard.json" in after.keys() - before.keys()
    assert after[JUDGMENTS] == before[JUDGMENTS]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("evaluation.yaml", "schema_version", "# who reads this?\nschema_version"),
        ("evaluation.yaml", "concurrency: 8", "concurrency: 4"),
        ("rubrics/tiny/rubric.yaml", "    evaluator: exact", "    # strict\n    evaluator:   'exact'"),
        ("rubrics/tiny/slo.yaml", "{", "# agreed last spring\n{"),
        ("prices.yaml", "{", "# list prices\n{"),
        ("datasets/tiny/cases.jsonl", '{"id": "case-01", ', '{  "id": "case-01", '),
    ],
)
def test_what_means_the_same_changes_nothing(project: Project, path: str, old: str, new: str) -> None:
    """A comment, another spelling or another pace: the file is read again, and all that follows stays."""
    before, billed = project.reports(), len(project.provider.bills())
    project.edit(path, old, new)
    assert (ran := project.run())["stages"] == ["prepare"]
    assert ran["calls"] == 0
    assert len(project.provider.bills()) == billed
    assert project.reports() == before


def test_times_of_files_mean_nothing(project: Project) -> None:
    before = project.reports()
    for path in project.root.rglob("*"):
        os.utime(path, (2e9, 2e9))
    assert project.run()["stages"] == []
    assert project.reports() == before


def test_a_damaged_table_is_written_again(project: Project) -> None:
    """What stands in reports is held against what was written there, so that nobody's edit is believed."""
    before = project.reports()
    (project.root / JUDGMENTS).write_bytes(b"not a table")
    assert project.run()["calls"] == 0
    assert project.reports() == before


def test_an_edited_case_measures_its_block_again_and_no_other(evaluated: Project, tmp_path: Path) -> None:
    project = evaluated.copied(tmp_path / "workspace")
    before = list(FileEvidence(project.root / "reports").probes())
    edited = before[0]
    project.edit_case(edited.case_id, input="What is this word?")
    # Each of three variants: one answer, and one block of two requests after one to warm up.
    assert len(project.called("prepare", "generate", "probe")) == 3 * (1 + 2 + 1)
    after = list(FileEvidence(project.root / "reports").probes())
    blocks = {row.variant: row.block for row in before if row.case_id == edited.case_id}
    changed = {(row.variant, row.block) for row, then in zip(after, before, strict=True) if row != then}
    assert changed == set(blocks.items())
