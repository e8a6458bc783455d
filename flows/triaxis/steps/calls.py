"""Buys answers by live calls: finds what is paid for, and sends the rest. The one place where a call is sent again.

A call is intended (its attempt fsynced), sent, and settled with the row it bought. Whatever kills the process in
between leaves the intention behind, so that no send is ever forgotten:

    known spend  <=  the provider's ledger  <=  known + possible
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from triaxis.domain.evaluation import PriceRow
from triaxis.domain.keys import Keys, Mask
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits
from triaxis.ports.clock import Clock
from triaxis.ports.evidence import Evidence, TableName
from triaxis.ports.models import ChatModel
from triaxis.ports.progress import Progress
from triaxis.ports.stores import Journal, RowStore
from triaxis.steps.pacer import Pacer
from triaxis.steps.purse import Purse
from triaxis.steps.sending import Batch, Sent

CHUNK = 8_192
"""Rows that are taken into the store at once."""
GRACE_S = 5.0
"""How long an interrupted run waits for calls in flight, which are paid for, to bring their answers."""


def restore(table: TableName, *, store: RowStore, evidence: Evidence) -> bool:
    """Takes into the store what the present evidence carries and the store lost; whether there was anything."""
    keys = evidence.paid_keys(table)
    lost = ~store.known(keys)
    paid = evidence.paid(table, keys.at(lost)) if lost.any() else iter(())
    while chunk := list(islice(paid, CHUNK)):
        rows = [row for row, _ in chunk if row is not None]
        store.adopt(rows, [attempt for _, attempts in chunk for attempt in attempts])
    return bool(lost.any())


def found(keys: Keys, table: TableName, *, store: RowStore, evidence: Evidence) -> Mask:
    """Which rows are paid for, in the store or in the present evidence; nothing is taken in."""
    known = store.known(keys)
    return known if known.all() else known | keys.among(evidence.paid_keys(table))


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
    purse: Purse | None = None,
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
        purse: of the run; none means that nothing limits it.
        grace_s: see above.
    """
    batch = Batch(
        model=model,
        journal=journal,
        clock=clock,
        limits=limits,
        pace=pace,
        progress=progress,
        price=price,
        stage=stage,
        purse=purse or Purse(),
    )
    unique = {request.key: request for request in requests}
    return await batch.run(unique, grace_s)
