"""Purchases in batches under kills: workspaces prepared once, and everything that is wrong with one purchase."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from batch_buyer import Buyer
from batch_ledger import BatchLedger
from batch_mixes import ENVIRON, Mix
from chaos_workspace import KEY, LIMITS, TRIAXIS, USD, Usd, Workspace
from kill_moments import Moment
from provider_process import RunningProvider, running_batch_provider

CASES = 40

Moments: TypeAlias = Callable[[Workspace, Path, float], Sequence[Moment]]
"""When to kill, by the workspace, the provider's ledger, and the seconds that an undisturbed run takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """One purchase without faults or kills."""

    prepared: Path
    """A workspace whose inputs are prepared, and of which nothing is bought."""
    length_s: float
    answers: Mapping[str, str]
    """By row key."""


@dataclass(slots=True, kw_only=True)
class Stock:
    """Prepared workspaces by their models: to prepare one takes seconds."""

    folder: Path
    usd: Usd = field(default_factory=lambda: USD)
    held: dict[tuple[str, ...], Undisturbed] = field(default_factory=dict[tuple[str, ...], Undisturbed])

    def taken(self, folder: Path, mix: Mix) -> tuple[Workspace, Undisturbed]:
        """A workspace that can be bought for, and what is to be expected."""
        if mix.models not in self.held:
            self.held[mix.models] = self._undisturbed(mix)
        known = self.held[mix.models]
        shutil.copytree(known.prepared, folder)
        return self._workspace(folder, mix), known

    def _undisturbed(self, mix: Mix) -> Undisturbed:
        own = self.folder / str(len(self.held))
        prepared = self._workspace(own / "prepared", mix).write("http://127.0.0.1:9/v1")
        prepared.subject("prepare").finished()
        (prepared.folder / "output.txt").unlink()
        shutil.copytree(prepared.folder, own / "workspace")
        calm = Mix(models=mix.models, limits=LIMITS, delivery={"transport": "batch"}, options=("--polls", "1"))
        with running_batch_provider(own / "ledger.jsonl", *calm.options) as provider:
            workspace = self._workspace(own / "workspace", calm).moved(calm.address(provider))
            length_s = workspace.subject("generate").finished()
        assert faults_of(workspace, provider, kills=0) == []
        assert len(provider.rows()) == len(workspace.requests)
        return Undisturbed(prepared=prepared.folder, length_s=length_s, answers=workspace.books.answers())

    def _workspace(self, folder: Path, mix: Mix) -> Workspace:
        return Workspace(
            folder=folder, models=mix.models, cases=CASES, limits=mix.limits, delivery=mix.delivery, usd=self.usd
        )


def faults_of(workspace: Workspace, provider: RunningProvider, *, kills: int) -> list[str]:
    """What does not agree after a purchase, once the provider has ended everything that it has."""
    ledger = BatchLedger.of(provider, workspace.book)
    return [*workspace.books.audit(provider.bills(), kills=kills, ledger=ledger), *traces_of(workspace)]


def traces_of(workspace: Workspace) -> list[str]:
    """What is wrong with the files that a finished purchase left behind."""
    found = [f"{path} was never cleared" for path in workspace.batch_files.rglob("*")]
    found += [f"{path} holds the key" for path in workspace.files_with(KEY)]
    lines = workspace.generations()
    expected = sorted(request.key for request in workspace.requests)
    if sorted(line.row.key for line in lines) != expected:
        found.append(f"{len(lines)} answers in evidence, not one for each of {len(expected)} cases and variants")
    attempts = workspace.books.store.attempts([line.row.key for line in lines])
    others = [line.case_id for line in lines if line.attempts != attempts[line.row.key]]
    return [*found, *(f"{case} has other attempts in evidence than in the store" for case in others)]


def tried(
    folder: Path,
    mix: Mix,
    stock: Stock,
    moments: Moments,
    *,
    pays_again: bool = False,
    program: tuple[str, ...] = TRIAXIS,
) -> tuple[list[str], Buyer]:
    """Everything that is wrong with one purchase, and who made it."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_batch_provider(folder / "ledger.jsonl", *mix.options, env=ENVIRON) as provider:
        workspace, known = stock.taken(folder / "workspace", mix)
        buyer = Buyer(
            workspace=workspace.moved(mix.address(provider)),
            provider=provider,
            findable=mix.findable,
            pays_again=pays_again,
            program=program,
        )
        odd = buyer.buy(moments(workspace, provider.ledger, known.length_s))
    wrong = [
        f"{key} has another answer" for key, text in workspace.books.answers().items() if known.answers[key] != text
    ]
    return [*odd, *wrong, *faults_of(workspace, provider, kills=buyer.kills)], buyer
