"""A probe block as it is stored, and what its failures mean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from triaxis.domain.canonical import canonical_json, without_nulls
from triaxis.domain.rows import ProbeRow
from triaxis.quantities import Tokens

UNBILLED = frozenset({"connect", "tls", "status_429"})
"""Failures that surely reached no model."""
_RETRIED = frozenset({"status_408", "status_409", "status_425", "status_429"})
"""Statuses that load explains."""
_TIMES = ("scheduled_ns", "sent_ns", "first_ns", "last_ns")


def may_bill(error: str | None) -> bool:
    """Whether a request with that error may have been billed."""
    return error not in UNBILLED


def hopeless(rows: Sequence[ProbeRow]) -> str | None:
    """The one error with which every request failed for a reason that no load explains; None where there is none.

    Such a block is not a measurement: a key, a name, an address or a parameter is wrong.
    """
    errors = {row.error for row in rows}
    error = errors.pop() if len(errors) == 1 else None
    if error is None or error in _RETRIED:
        return None
    return error if error in ("connect", "tls") or error.startswith("status_4") else None


def raw_block(rows: Iterable[ProbeRow]) -> str:
    """The measured requests of a block as canonical JSON, by index; which cases they were is the schedule's to say."""
    return canonical_json([_encoded(row) for row in sorted(rows, key=lambda row: row.index)]).decode()


def _encoded(row: ProbeRow) -> dict[str, Any]:
    tokens = {f.name: getattr(row.usage, f.name) for f in fields(Tokens)}
    times = {name: getattr(row, name) for name in _TIMES}
    return without_nulls(
        {"index": row.index, **times, "error": row.error, "tokens": without_nulls(tokens), "client": row.client}
    )


def rows_of_block(raw: str, *, variant: str, block: int, key: str, case_ids: Sequence[str]) -> tuple[ProbeRow, ...]:
    """The measured requests of a stored block, as one of the variants that share it."""
    return tuple(
        ProbeRow(
            case_id=case_ids[int(found["index"])],
            variant=variant,
            block=block,
            index=found["index"],
            usage=Tokens(**found.get("tokens", {})),
            error=found.get("error"),
            client=found["client"],
            key=key,
            **{name: found.get(name) for name in _TIMES},
        )
        for found in json.loads(raw)
    )
