from __future__ import annotations

from pathlib import Path

import pytest
from build_workspace import write_workspace
from malformed import read

from triaxis.adapters.truth.great_expectations_suite import GreatExpectations
from triaxis.adapters.workspace_init import write_workspace_files
from triaxis.errors import InputFaults


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_new_workspace_has_no_fault(tmp_path: Path) -> None:
    """It can be read, its ground truth is fit, and its only notice is the judge that nobody named yet."""
    outcomes = write_workspace_files(tmp_path / "new/desk")
    assert {outcome for _, outcome in outcomes} == {"written"}
    source = read(tmp_path / "new/desk")
    judge = [notice for notice in source.notices if "no judge model" in notice]
    assert len(judge) == 1
    assert len(source.inputs.cases) >= 12
    assert [name for name, _ in outcomes] == sorted(contents(tmp_path / "new/desk"))
    prompts = {v.prompt.path: v.prompt.text for v in source.inputs.generated if v.prompt}
    validation = GreatExpectations().validate(source.inputs.cases, source.expectations, prompts)
    assert [e.name for e in validation.expectations if not e.success] == []


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    write_workspace_files(tmp_path)
    before = contents(tmp_path)
    outcomes = write_workspace_files(tmp_path)
    assert {outcome for _, outcome in outcomes} == {"kept"}
    assert contents(tmp_path) == before


def test_a_folder_with_an_evaluation_gets_only_what_is_missing(tmp_path: Path) -> None:
    """Its own files stay as they are, and the example's stay away."""
    write_workspace(tmp_path, **{"README.md": "mine"})
    before = contents(tmp_path)
    outcomes = dict(write_workspace_files(tmp_path))
    versions = {
        f"datasets/tiny/{name}.dvc": "written" for name in ("cases.jsonl", "expectations.json", "human.jsonl")
    } | {f"rubrics/tiny/{name}.dvc": "written" for name in ("prompts/faithfulness.md", "rubric.yaml", "slo.yaml")}
    assert outcomes == {
        ".gitignore": "written",
        "README.md": "kept",
        "dvc.yaml": "written",
        "evaluation.yaml": "kept",
        **versions,
    }
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert "datasets/tiny/cases.jsonl" in after["dvc.yaml"].decode()


def test_a_folder_with_some_of_the_files_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("models: {local/smollm2-135m: {usd_per_core_hour: 1}}\n")
    outcomes = dict(write_workspace_files(tmp_path))
    assert outcomes["prices.yaml"] == "kept"
    assert outcomes["evaluation.yaml"] == "written"


@pytest.mark.parametrize("file", ["desk", "desk/prompts"])
def test_a_file_in_the_place_of_a_folder_is_a_fault(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("a file")
    with pytest.raises(InputFaults, match="cannot be written"):
        write_workspace_files(tmp_path / "desk")
