"""`triaxis run` that buys embeddings, killed at random moments, faults mixed in: one scorecard, books that agree."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from build_embeddings import books_of, requests, write_embedded
from killing import Subject
from provider_process import RunningProvider, running_provider
from workspace_run import ADDRESS, KEY

MIX = "rate_limit=0.03,server=0.03,hang=0.02,reset=0.03,truncated=0.03,malformed=0.03,no_choices=0.02"
TRIAXIS = str(Path(sys.executable).with_name("triaxis"))

runs = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(1, 15))])


def providing(folder: Path, seed: str, faults: str) -> Any:
    return running_provider(folder / "ledger.jsonl", "--delay-ms", "150", "--faults", faults, "--seed", seed)


def a_run(workspace: Path, provider: RunningProvider) -> Subject:
    prefect = str(workspace.parent / "prefect")
    env = {ADDRESS: provider.api_base, "OPENAI_API_KEY": KEY, "PREFECT_HOME": prefect}
    return Subject(command=[TRIAXIS, "run"], folder=workspace, env=env)


def decided(workspace: Path) -> Mapping[str, Any]:
    """What of the scorecard must not depend on how the vectors were bought."""
    variants = json.loads((workspace / "reports/scorecard.json").read_text())["variants"]
    for variant in variants.values():
        for bought in ("spent_usd", "possible_usd", "judge_usd"):
            del variant["cost"][bought]
    return variants


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], float, Path]:
    """What a run without faults or kills decides, how long it takes, and its warm Prefect home."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with providing(folder, "", "") as provider:
        workspace = write_embedded(folder / "workspace")
        length_s = a_run(workspace, provider).finished()
        assert len(provider.bills()) == len(requests())
    return decided(workspace), length_s, folder / "prefect"


@runs
def test_a_killed_run_decides_the_same_and_its_books_agree(
    seed: int, tmp_path: Path, undisturbed: tuple[Mapping[str, Any], float, Path]
) -> None:
    expected, length_s, prefect = undisturbed
    shutil.copytree(prefect, tmp_path / "prefect")
    with providing(tmp_path, f"embeddings {seed}", MIX) as provider:
        workspace = write_embedded(tmp_path / "workspace")
        kills = a_run(workspace, provider).killed_and_finished(f"embeddings {seed}", length_s, most=2)
        found = books_of(workspace).audit(provider.bills(), kills=kills)
    assert found == []
    assert decided(workspace) == expected
