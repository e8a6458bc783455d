"""Imported answers through the real commands: nobody is asked for them, DVC versions them, judges judge them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from build_imports import lines
from provider_process import RunningProvider
from workspace_run import Project, a_project, versioned

from triaxis.adapters.evidence.files import FileEvidence
from triaxis.domain.dag import STAGES

RESPONSES = "datasets/tiny/past.jsonl"
CASES = [f"case-{number:02d}" for number in range(1, 13)]
EVALUATION = """\
schema_version: 1
name: tiny
dataset: datasets/tiny/cases.jsonl
rubric: rubrics/tiny/rubric.yaml
slo: rubrics/tiny/slo.yaml
baseline: old
variants:
  old: {transport: import, responses: {path: datasets/tiny/past.jsonl, where: {model: old}}}
  new: {extends: old, levers: [tiering], responses: {where: {model: new}}}
  routed: {router: {by: field, field: route, arms: {simple: new, complex: old}}}
"""
RUBRIC = "schema_version: 1\ndimensions:\n  resolution: {evaluator: exact}\n"
SLO: dict[str, Any] = {
    "latency": [{"measure": "full", "statistic": "p50", "max_ms": 500}],
    "precision": [{"dimension": "resolution", "min": 0.5}],
}


def outputs(model: str, *, slower_ms: float = 0.0) -> list[dict[str, Any]]:
    return [
        {
            "id": case,
            "model": model,
            "response": "word1",
            "latency_ms": 100.0 + slower_ms + place,
            "cost_usd": (100 + place) / 1e5,
        }
        for place, case in enumerate(CASES)
    ]


@pytest.fixture
def imported(provider: RunningProvider, home: Path, tmp_path: Path) -> Project:
    """A workspace in git and DVC that imports all of its answers."""
    project = a_project(
        Project(root=tmp_path / "workspace", provider=provider, home=home),
        evaluation=EVALUATION,
        rubric=RUBRIC,
        slo={**SLO, "traffic": {"mix": None}},
        **{RESPONSES: lines([*outputs("old", slower_ms=50), *outputs("new")])},
    )
    project.remove("rubrics/tiny/prompts/faithfulness.md", "prompts/answer.md")
    versioned(project)
    return project


def card(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "reports/scorecard.json").read_text())


def test_a_run_and_a_repro_make_the_same_bytes_and_call_nobody(imported: Project, tmp_path: Path) -> None:
    """And when the one has run, the other has nothing to do; after an edit as well."""
    billed = len(imported.provider.bills())
    clone = imported.cloned(tmp_path / "clone")
    assert imported.run()["stages"] == [stage.name for stage in STAGES]
    repro = clone.command("dvc", "repro")
    assert repro.code == 0, repro.out + repro.err
    assert imported.reports() == clone.reports()
    assert clone.run()["stages"] == imported.run()["stages"] == []
    assert "up to date" in imported.command("dvc", "status").out

    imported.edit(RESPONSES, '"latency_ms": 150.0', '"latency_ms": 9150.0')
    assert imported.run()["stages"] == [stage.name for stage in STAGES]
    assert "up to date" in imported.command("dvc", "status").out
    assert len(imported.provider.bills()) == billed


def test_the_order_of_rows_changes_nothing(imported: Project) -> None:
    imported.run()
    before = imported.reports()
    path = imported.root / RESPONSES
    path.write_text("".join(path.read_text().splitlines(keepends=True)[::-1]))
    assert imported.run()["stages"] == ["prepare"]
    scorecards = {name: data for name, data in imported.reports().items() if "manifest" not in name}
    assert scorecards == {name: data for name, data in before.items() if "manifest" not in name}


def test_a_view_over_imports_is_scored(imported: Project) -> None:
    """Both arms cost 100 to 111 hundred-thousandths of a dollar, and one takes 50 ms more."""
    imported.run()
    variants = card(imported)["variants"]
    assert variants["routed"]["latency"]["probe"]["client"] == "imported"
    assert variants["routed"]["cost"]["parts"] == {"stated": pytest.approx(0.001055)}
    took = [variants[name]["latency"]["full"]["p50"]["value"] for name in ("old", "new")]
    assert took == [155.5, 105.5]
    assert variants["new"]["n"] == {"cases": 12, "generated": 12, "failed": 0, "probed": 0}


def test_a_choice_of_variants_imports_only_those(imported: Project) -> None:
    done = imported.triaxis("run", "--json", "--variant", "new")
    assert done.code == 0, done.err
    evidence = FileEvidence(imported.root / "reports")
    assert {response.variant for response in evidence.responses()} == {"old", "new"}
    assert {row.variant for row in evidence.generations()} == {"old", "new"}


def test_beside_models_only_the_judges_are_asked_about_them(project: Project) -> None:
    """12 imported answers, each seen by two judges, beside 36 that are there already."""
    (project.root / RESPONSES).write_text(
        lines([{"id": case, "response": f"It was {case}, once."} for case in CASES[:11]])
        + lines([{"id": CASES[11], "error": "timeout"}])
    )
    past = "  past: {transport: import, responses: datasets/tiny/past.jsonl}\n"
    project.edit("evaluation.yaml", "variants:\n", f"variants:\n{past}")
    billed = len(project.provider.bills())
    assert project.run()["calls"] == 11 * 2
    asked = Counter(bill.model for bill in project.provider.bills()[billed:])
    assert asked == {"judge-strong": 11, "judge-cheap": 11}
    found = card(project)["variants"]["past"]
    assert (found["n"]["generated"], found["n"]["failed"], found["cost"]["spent_usd"]) == (11, 1, "0")
    faithfulness = found["precision"]["dimensions"]["faithfulness"]
    assert (faithfulness["scored"], faithfulness["failed"], faithfulness["abstained"]) == (11, 1, 0)
    assert "absent" in found["cost"]["per_request"]
