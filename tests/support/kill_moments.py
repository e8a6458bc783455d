"""Moments at which a buyer of batches is killed: by the clock, or as soon as something can be seen to have happened."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from chaos_workspace import Workspace

Moment: TypeAlias = Callable[[], Callable[[], bool]]
"""Called when a process starts; what it returns says whether the moment has come."""
ACCEPTED = b'"kind": "batch"'
"""What a line of the ledger holds that tells of a batch."""
BY_THE_CLOCK = 0.4
"""Share of the moments."""
LATER_S = 0.02
"""A process is killed up to so much later than what was waited for."""


def after(seconds: float) -> Moment:
    """So long after the start."""

    def begun() -> Callable[[], bool]:
        end = time.monotonic() + seconds
        return lambda: time.monotonic() >= end

    return begun


def when(happened: Callable[[], int], more: int, later_s: float = 0.0) -> Moment:
    """As soon as so many more things have happened than at the start, or a little later."""

    def begun() -> Callable[[], bool]:
        before, seen = happened(), list[float]()

        def come() -> bool:
            if not seen and happened() >= before + more:
                seen.append(time.monotonic())
            return bool(seen) and time.monotonic() >= seen[0] + later_s

        return come

    return begun


def sights(workspace: Workspace, ledger: Path) -> Mapping[str, Callable[[], int]]:
    """Counts of what happens on a batch's way, in order."""
    store, files = workspace.state / "store", workspace.batch_files

    def accepted() -> int:
        return ledger.read_bytes().count(ACCEPTED) if ledger.exists() else 0

    def files_like(folder: Path, pattern: str) -> Callable[[], int]:
        def counted() -> int:
            while True:
                with suppress(FileNotFoundError):  # a folder that went while it was looked through
                    return sum(1 for _ in folder.glob(pattern))

        return counted

    return {
        "drafted": files_like(files, ".draft-*"),
        "named": files_like(files, "triaxis-*.jsonl"),
        "listed": files_like(store, "batches/*/rows.parquet"),
        "intended": files_like(store, "batches/*/intent.json"),
        "accepted": accepted,
        "submitted": files_like(store, "batches/*/submitted.json"),
        "fetched": files_like(files, "triaxis-*/*.jsonl"),
        "paid": files_like(store, "attempts/*.parquet"),
        "sealed": files_like(store, "rows/*.parquet"),
        "closed": files_like(store, "batches/*/closed.json"),
    }


def moments(rng: random.Random, workspace: Workspace, ledger: Path, length_s: float) -> list[Moment]:
    """One to three: some by the clock within a run that faults make longer, others at what can be seen."""
    seen = sights(workspace, ledger)

    def drawn() -> Moment:
        if rng.random() < BY_THE_CLOCK:
            return after(rng.uniform(length_s / 3, length_s * 1.5))
        name = rng.choice([*seen, "intended", "accepted", "accepted"])
        return when(seen[name], rng.randint(1, 4), rng.choice((0.0, rng.uniform(0, LATER_S))))

    return [drawn() for _ in range(rng.randint(1, 3))]
