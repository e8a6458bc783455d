"""Whole runs in provider batches, under Prefect, killed at random moments, or not waiting: they decide the same."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from batch_buyer import Buyer
from batch_mixes import ENVIRON, MODELS, Mix, a_mix
from batch_trials import CASES, faults_of
from chaos_workspace import LIMITS, Workspace
from kill_moments import moments
from provider_process import running_batch_provider

QUICK = 6
"""The seed of every day; the others belong to the long runs."""
CALM = Mix(models=MODELS["openai"], limits=LIMITS, delivery={"transport": "batch"}, options=("--polls", "1"))


def a_workspace(folder: Path, mix: Mix) -> Workspace:
    return Workspace(folder=folder, models=MODELS["openai"], cases=CASES, limits=mix.limits, delivery=mix.delivery)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """A run without faults or kills."""

    decided: Mapping[str, Any]
    length_s: float
    prefect: Path
    """A home of Prefect that is set up: that takes longer than the run."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    with running_batch_provider(folder / "ledger.jsonl", *CALM.options) as provider:
        workspace = a_workspace(folder / "workspace", CALM).write(CALM.address(provider))
        length_s = workspace.subject("run").finished()
    assert faults_of(workspace, provider, kills=0) == []
    assert len(provider.rows()) == len(workspace.requests)
    return Undisturbed(decided=workspace.decided(), length_s=length_s, prefect=folder / "prefect")


@pytest.mark.parametrize(
    "seed", [QUICK, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(16) if seed != QUICK)]
)
def test_a_run_in_batches_decides_the_same_and_its_books_agree(
    seed: int, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    rng, find, verb = random.Random(f"batch run {seed}"), ("metadata", "file_name")[seed % 2], ["run"]
    mix = a_mix(rng, find=find, seed=f"batch run {seed}", passing=True)
    if seed % 3 == 1:
        verb.append("--no-wait")
    sys.stdout.write(f"{verb} {mix}\n")
    shutil.copytree(undisturbed.prefect, tmp_path / "prefect")
    with running_batch_provider(tmp_path / "ledger.jsonl", *mix.options, env=ENVIRON) as provider:
        workspace = a_workspace(tmp_path / "workspace", mix).write(mix.address(provider))
        buyer = Buyer(workspace=workspace, provider=provider, verb=verb)
        odd = buyer.buy(moments(rng, workspace, provider.ledger, undisturbed.length_s))
    sys.stdout.write(f"{buyer.told()}\n")
    assert [*odd, *faults_of(workspace, provider, kills=buyer.kills)] == []
    assert workspace.decided() == undisturbed.decided
