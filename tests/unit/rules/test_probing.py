"""A probe block as it is stored, and what its failures mean."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_calls import a_request
from build_probe import answered, failed

from triaxis.domain.rows import ProbeRow
from triaxis.ports.models import ProbeCall
from triaxis.rules.probes.block import hopeless, may_bill, raw_block, rows_of_block

FIRST, SECOND = (
    ProbeCall(index=i, case_id=case_id, offset_s=at, request=a_request())
    for i, (case_id, at) in enumerate([("c1", 0.5), ("c2", 1.0)])
)


def restored(raw: str) -> tuple[ProbeRow, ...]:
    return rows_of_block(raw, variant="small", block=3, key="k", case_ids=("c1", "c2"))


def test_a_block_is_stored_by_index_and_read_as_a_variants_own() -> None:
    """In which order answers came does not change the bytes."""
    rows = [answered(FIRST), failed(SECOND, "timeout")]
    assert raw_block(rows) == raw_block(reversed(rows))
    assert restored(raw_block(rows)) == tuple(replace(row, variant="small", block=3, key="k") for row in rows)


def test_what_nobody_reported_is_not_stored() -> None:
    """One answer in full, so that the form is plain: 0.5 s is 500,000,000 ns, and it left 1 ms late."""
    assert raw_block([answered(FIRST)]) == (
        '[{"client":"script","first_ns":600000000,"index":0,"last_ns":800000000,"scheduled_ns":500000000,'
        '"sent_ns":501000000,"tokens":{"cached":4,"input":6,"output":2}}]'
    )
    assert "first_ns" not in raw_block([failed(FIRST, "reset")])


@pytest.mark.parametrize(
    ("errors", "why"),
    [
        (("status_401", "status_401"), "status_401"),
        (("connect", "connect"), "connect"),
        (("status_400", "status_400"), "status_400"),
        (("status_401", "timeout"), None),
        (("status_401", ""), None),
        (("timeout", "timeout"), None),
        (("status_429", "status_429"), None),
        (("status_500", "status_500"), None),
        (("", ""), None),
    ],
)
def test_a_block_that_failed_wholly_for_no_reason_of_load_is_no_measurement(
    errors: tuple[str, str], why: str | None
) -> None:
    rows = [failed(call, e) if e else answered(call) for call, e in zip((FIRST, SECOND), errors, strict=True)]
    assert hopeless(rows) == why


def test_only_what_surely_reached_no_model_is_free() -> None:
    assert [may_bill(error) for error in (None, "timeout", "status_500")] == [True, True, True]
    assert [may_bill(error) for error in ("connect", "tls", "status_429")] == [False, False, False]
