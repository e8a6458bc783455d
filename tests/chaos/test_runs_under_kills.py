"""`triaxis run`, killed at random moments, faults mixed in: one scorecard, and books that agree with the ledger."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from chaos_workspace import KEY, Workspace
from provider_process import running_provider

MIX = "rate_limit=0.03,server=0.03,hang=0.02,reset=0.03,truncated=0.03,malformed=0.03,no_choices=0.02"

runs = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(1, 30))])


def providing(folder: Path, seed: str, faults: str) -> Any:
    options = ("--delay-ms", "250", "--faults", faults, "--seed", seed, "--key-env", "THE_KEY")
    return running_provider(folder / "ledger.jsonl", *options, env={"THE_KEY": KEY})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], float, Path]:
    """What a run without faults or kills decides, how long it takes, and its warm Prefect home."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with providing(folder, "", "") as provider:
        workspace = Workspace(folder=folder / "workspace").write(provider.api_base)
        length_s = workspace.subject("run").finished()
        assert workspace.books.audit(provider.bills(), kills=0) == []
        assert len(provider.bills()) == len(workspace.requests)
    return workspace.decided(), length_s, folder / "prefect"


@runs
@pytest.mark.parametrize("faults", ["", MIX], ids=["kills", "faults"])
def test_a_killed_run_decides_the_same_and_its_books_agree(
    seed: int, faults: str, tmp_path: Path, undisturbed: tuple[Mapping[str, Any], float, Path]
) -> None:
    expected, length_s, prefect = undisturbed
    shutil.copytree(prefect, tmp_path / "prefect")
    seed_text = f"run {seed} {bool(faults)}"
    with providing(tmp_path, seed_text, faults) as provider:
        workspace = Workspace(folder=tmp_path / "workspace").write(provider.api_base)
        kills = workspace.subject("run").killed_and_finished(seed_text, length_s, most=2)
        found = workspace.books.audit(provider.bills(), kills=kills)
    assert found == []
    assert workspace.decided() == expected
    assert workspace.files_with(KEY) == []


@pytest.mark.chaos
@pytest.mark.parametrize("defect", ["no_intention", "late_intention", "lost_answers"])
def test_the_audit_notices_a_broken_promise_of_the_command_line(defect: str, tmp_path: Path) -> None:
    """The stage alone, without an orchestrator's start, so that most kills fall among the calls."""
    defective = (sys.executable, str(Path(__file__).with_name("defective.py")), defect)
    found: list[str] = []
    for number in range(6):
        folder = tmp_path / str(number)
        with providing(folder, "", "") as provider:
            workspace = Workspace(folder=folder / "workspace").write(provider.api_base)
            workspace.subject("prepare").finished()
            generate = workspace.subject("generate", program=defective)
            kills = generate.killed_and_finished(f"{defect} {number}", 7.0, most=2)
            found += workspace.books.audit(provider.bills(), kills=kills)
        if found:
            break
    assert found
