"""Buys the answers of a plan once, as a process that can be killed: `python buyer.py PLAN.json [--defect NAME]`.

Exits 0 when every answer is stored and 1 when some are missing. The defects exist here only: each takes one promise out
of the journal, and the suite must notice.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from purchases import Plan, Silent

from triaxis.adapters.journal import FileJournal
from triaxis.adapters.models import LiveModels
from triaxis.adapters.openai_wire import server_wire
from triaxis.adapters.row_store import LocalRowStore
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.rows import Attempt, Row
from triaxis.domain.variant import Target
from triaxis.steps.calls import send
from triaxis.steps.pacer import Pacer


async def buy(plan: Plan) -> int:
    """Sends what the store lacks."""
    clock = SystemClock()
    wire = server_wire(limits=plan.limits, clock=clock)
    models = LiveModels(local=lambda _: wire(plan.api_base), limits=plan.limits, clock=clock, environ={})
    store = LocalRowStore(plan.folder / "store", plan.folder / "journals")
    store.settle()
    found = store.rows(plan.requests.keys())
    missing = [request for key, request in plan.requests.items() if key not in found]
    with store.journal() as journal:
        async with models.open(Target(model=plan.model, api_base=plan.api_base)) as model:
            sent = await send(
                missing,
                model=model,
                journal=journal,
                clock=clock,
                limits=plan.limits,
                pace=Pacer(limits=plan.limits, clock=clock),
                progress=Silent(),
                price=plan.price,
            )
    return 1 if sent.failed else 0


def no_intention() -> None:
    """Nothing is written before a send."""

    async def intend(self: FileJournal, attempts: Sequence[Attempt]) -> None:
        del self, attempts

    FileJournal.intend = intend  # pyright: ignore[reportAttributeAccessIssue]


def late_intention() -> None:
    """The intention is written when the send has ended, with its outcome."""
    settle = FileJournal.settle

    async def intend(self: FileJournal, attempts: Sequence[Attempt]) -> None:
        del self, attempts

    async def settle_both(self: FileJournal, attempt: Attempt, row: Row | None = None) -> None:
        await REAL_INTEND(self, (attempt,))
        await settle(self, attempt, row)

    FileJournal.intend = intend  # pyright: ignore[reportAttributeAccessIssue]
    FileJournal.settle = settle_both  # pyright: ignore[reportAttributeAccessIssue]


def lost_answers() -> None:
    """Answers are kept in memory until the end: what a kill takes was paid for."""
    kept: list[tuple[Attempt, Row | None]] = []
    settle, close = FileJournal.settle, FileJournal.close

    async def keep(self: FileJournal, attempt: Attempt, row: Row | None = None) -> None:
        del self
        kept.append((attempt, row))

    def settle_all(self: FileJournal) -> None:
        for attempt, row in kept:
            with suppress(StopIteration):
                # It awaits nothing, and a loop is running here already.
                settle(self, attempt, row).send(None)
        close(self)

    FileJournal.settle = keep  # pyright: ignore[reportAttributeAccessIssue]
    FileJournal.close = settle_all  # pyright: ignore[reportAttributeAccessIssue]


REAL_INTEND = FileJournal.intend
DEFECTS = {"no_intention": no_intention, "late_intention": late_intention, "lost_answers": lost_answers}

if __name__ == "__main__":
    for name in sys.argv[2:]:
        DEFECTS[name]()
    sys.exit(asyncio.run(buy(Plan.read(Path(sys.argv[1])))))
