"""Policy of provider batches: how many, how big, how often they are asked after, and what their endings mean."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from triaxis.domain.batches import BatchFault, BatchReport, BatchRules
from triaxis.domain.keys import Keys

SOONEST_S = 0.25
LATEST_S = 60.0
PATIENCE = 20
"""A batch is asked after whenever it has taken a twentieth longer: a short one soon, a day's one every minute."""
LOOKS = 3
"""So often a batch is looked for before it counts as not there: a list may lag behind what it lists."""
FETCHES = 3
"""So often results are fetched until they hold what the provider says they hold."""
LINE_OVERHEAD = 256
"""Bytes of a line besides the texts of its request, about."""
BUSY = ("token_limit_exceeded", "rate_limit", "quota_exceeded", "too_many", "enqueued")
"""Words of a rejection that says: too much at once."""


def share(rows: int, tokens: int, rules: BatchRules, most_rows: int | None) -> int:
    """Rows of one batch, so that few batches are needed and all are of about one size.

    Args:
        rows: to be asked for in all.
        tokens: most input tokens of all; a token is at least a byte.
        rules: the provider's limits.
        most_rows: the user's own.
    """
    per_batch = min(rules.max_rows, most_rows or rules.max_rows)
    size = tokens + LINE_OVERHEAD * rows
    batches = max(1, math.ceil(rows / per_batch), math.ceil(size / rules.max_bytes))
    while batches > 1 and rows - (batches - 1) * math.ceil(rows / batches) < rules.min_rows:
        batches -= 1  # the last of them would be refused as too small
    return max(1, math.ceil(rows / batches))


def batch_name(keys: Keys, intended_ns: int) -> str:
    """Our name of a batch: of its rows and its time, so that no two are alike."""
    digest = hashlib.sha256(keys.words.astype(">u8").tobytes() + intended_ns.to_bytes(16, "big"))
    return f"triaxis-{digest.hexdigest()[:24]}"


def poll_s(waited_s: float) -> float:
    """Seconds until a batch is asked after again."""
    return min(LATEST_S, max(SOONEST_S, waited_s / PATIENCE))


def look_again_s(looks: int) -> float:
    """Seconds until a batch that was not found is looked for again: half a second, then longer each time."""
    return 0.5 * 3**looks


def whole(report: BatchReport, answered: int) -> bool:
    """Whether as many answers were read as the provider says it completed; true where it does not say."""
    return report.completed is None or answered >= report.completed


def may_have_billed(report: BatchReport, answered: int) -> bool:
    """Whether a row without a line may have been billed: only what was completed is, and some of it cannot be read."""
    if report.state == "rejected":
        return False
    return report.completed is None or answered < report.completed


def passes(faults: Sequence[BatchFault]) -> bool:
    """Whether a rejection is about how much is being run, so that the same batch may be taken later."""
    return any(word in f"{fault.code} {fault.message}".lower() for fault in faults for word in BUSY)


def rejection(faults: Sequence[BatchFault], most: int = 3) -> str:
    """What a provider found wrong with a batch, in words."""
    said = [
        f"{fault.message or fault.code}" + (f" (line {fault.line})" if fault.line is not None else "")
        for fault in faults[:most]
    ]
    more = f"; and {len(faults) - most} more" if len(faults) > most else ""
    return ("; ".join(said) or "it does not say why") + more
