"""Buys the answers of a plan once, as a process that can be killed: `python buyer.py PLAN.json [DEFECT]`.

Exits 0 when every answer is stored and 1 when some are missing.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from build_calls import CountingProgress
from journal_defects import DEFECTS
from purchases import PRICE, Plan

from triaxis.adapters.models.openai_address import plain_address
from triaxis.adapters.models.openai_wire import open_wire
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.variant import Target
from triaxis.steps.calls import send
from triaxis.steps.pacer import Pacer


async def buy(plan: Plan) -> int:
    """Sends what the store lacks."""
    clock, limits = SystemClock(), plan.limits
    address = plain_address(Target(model=PRICE.model, api_base=plan.api_base), {})
    assert address is not None
    store = plan.store
    store.settle()
    found = store.rows(plan.requests.keys())
    missing = [request for key, request in plan.requests.items() if key not in found]
    with store.journal() as journal:
        async with open_wire(address, limits=limits, clock=clock) as model:
            sent = await send(
                missing,
                model=model,
                journal=journal,
                clock=clock,
                limits=limits,
                pace=Pacer(limits=limits, clock=clock),
                progress=CountingProgress(),
                price=PRICE,
            )
    return 1 if sent.failed else 0


if __name__ == "__main__":
    for name in sys.argv[2:]:
        DEFECTS[name]()
    sys.exit(asyncio.run(buy(Plan.read(Path(sys.argv[1])))))
