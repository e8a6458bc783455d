"""Buys answers: looks up what is paid for, and sends the rest. The one place where a call is sent again.

A call is intended (its attempt fsynced), sent, and settled with the row it bought. Whatever kills the process in
between leaves the intention behind, so that no send is ever forgotten:

    known spend  <=  the provider's ledger  <=  known + possible
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Request, Row
from triaxis.domain.variant import Limits
from triaxis.ports.clock import Clock
from triaxis.ports.evidence import Evidence
from triaxis.ports.models import ChatModel
from triaxis.ports.progress import Progress
from triaxis.ports.stores import Journal, RowStore
from triaxis.steps.pacer import Pacer
from triaxis.steps.sending import Batch, Sent

GRACE_S = 5.0
"""How long an interrupted run waits for calls in flight, which are paid for, to bring their answers."""


def lookup(keys: Collection[str], *, store: RowStore, evidence: Evidence) -> Mapping[str, Row]:
    """The rows already paid for: from the store, else from the present evidence, which the store then takes in."""
    found = dict(store.rows(keys))
    lost = [key for key in keys if key not in found]
    if lost:
        rows, attempts = evidence.stored(lost)
        if rows:
            store.adopt(rows, attempts)
            found |= {row.key: row for row in rows}
    return found


async def send(
    requests: Sequence[Request],
    *,
    model: ChatModel,
    journal: Journal,
    clock: Clock,
    limits: Limits,
    pace: Pacer,
    progress: Progress,
    price: PriceRow | None = None,
    stage: str = "generate",
    grace_s: float = GRACE_S,
) -> Sent:
    """Sends requests to one model and returns when each has an outcome; one that fails stops no other.

    Cancelled, it launches nothing more, lets calls in flight end for `grace_s`, leaves the rest as attempts of unknown
    fate, and is cancelled.

    Args:
        requests: of one model at one endpoint; equal ones are sent once.
        model: open for the length of the call.
        journal: of this process.
        clock: for attempts' times, pace and backoff.
        limits: `concurrency` and `max_attempts`.
        pace: of the provider, shared by everything that calls it.
        progress: advanced by one for each outcome.
        price: the model's, for dollars so far and to bound an answer without a cap.
        stage: whose progress it is.
        grace_s: see above.
    """
    batch = Batch(
        model=model, journal=journal, clock=clock, limits=limits, pace=pace, progress=progress, price=price, stage=stage
    )
    unique = {request.key: request for request in requests}
    return await batch.run(unique, grace_s)
