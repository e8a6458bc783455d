"""Calls priced by the pinned rows, exactly."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from build_scoring import a_price_row, an_attempt
from hypothesis import given
from hypothesis import strategies as st

from triaxis.domain.evaluation import PriceRow
from triaxis.quantities import NO_MONEY, Absent, Money, Tokens, total
from triaxis.rules.calls.price import (
    CostColumns,
    Mode,
    UsageColumns,
    call_cost,
    call_costs,
    exact_total,
    spend,
    upper_cost,
)

FULL = a_price_row(
    input_cost_per_token="0.000003",
    output_cost_per_token="0.000015",
    cache_read_input_token_cost="0.0000003",
    cache_creation_input_token_cost="0.00000375",
    output_cost_per_reasoning_token="0.00002",
    input_cost_per_token_batches="0.0000015",
    output_cost_per_token_batches="0.0000075",
)
PLAIN = a_price_row()
LOCAL = a_price_row(usd_per_core_hour="0.036")
USAGE = Tokens(input=1000, cached=2000, cache_write=100, output=50, reasoning=10)


def columns(*calls: Tokens, busy: tuple[float, ...] | None = None) -> UsageColumns:
    def column(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([np.nan if (v := getattr(call, name)) is None else float(v) for call in calls])

    seconds = np.full(len(calls), np.nan) if busy is None else np.array(busy)
    kinds = ("input", "cached", "cache_write", "output", "reasoning")
    return UsageColumns(**{kind: column(kind) for kind in kinds}, busy_core_s=seconds)


@pytest.mark.parametrize(
    ("row", "mode", "usage", "busy", "usd"),
    [
        # 1000 x 3 + 2000 x 0.3 + 100 x 3.75 + 50 x 15 + 10 x 20 = 4925 dollars a million
        (FULL, "live", USAGE, None, "0.004925"),
        # batch: input and cached at 1.5, writes at the live 3.75, output and reasoning at 7.5:
        # 3000 x 1.5 + 100 x 3.75 + 60 x 7.5 = 5325
        (FULL, "batch", USAGE, None, "0.005325"),
        # no columns for cache and reasoning: 3100 x 1 + 60 x 2 = 3220
        (PLAIN, "live", USAGE, None, "0.00322"),
        # a third of an hour's thousandth: 0.036 / 3600 x 2.5 s
        (LOCAL, "live", Tokens(), 2.5, "0.000025"),
        (LOCAL, "batch", Tokens(), 2.5, "0.000025"),
        (a_price_row(usd_per_gpu_hour="3.6"), "live", Tokens(), 2.0, "0.002"),
        # free live is free in a batch
        (a_price_row(input_cost_per_token="0", output_cost_per_token="0"), "batch", USAGE, None, "0"),
        # both tokens and seconds: 10 x 1 + 5 x 2 millionths, and 0.00001 x 1 s
        (
            a_price_row(input_cost_per_token="0.000001", output_cost_per_token="0.000002", usd_per_core_hour="0.036"),
            "live",
            Tokens(input=10, output=5),
            1.0,
            "0.00003",
        ),
    ],
)
def test_one_call(row: PriceRow, mode: Mode, usage: Tokens, busy: float | None, usd: str) -> None:
    assert call_cost(usage, row, mode=mode, busy_core_s=busy) == Money(Decimal(usd))


@pytest.mark.parametrize(
    ("row", "mode", "usage", "busy", "why"),
    [
        (PLAIN, "batch", USAGE, None, "m has no batch price"),
        (PLAIN, "live", Tokens(input=3), None, "the provider reported no usage"),
        (LOCAL, "live", USAGE, None, "the server reported no busy time"),
        (PriceRow(model="m", source="test"), "live", USAGE, 1.0, "m has no live price"),
    ],
)
def test_what_cannot_be_priced_is_absent(
    row: PriceRow, mode: Mode, usage: Tokens, busy: float | None, why: str
) -> None:
    """A missing price or count is never a cost of zero, and a batch price never a flat half."""
    assert call_cost(usage, row, mode=mode, busy_core_s=busy) == Absent(why)
    with_busy = columns(usage, busy=None if busy is None else (busy,))
    costs, exact = call_costs(with_busy, row, mode=mode), exact_total(with_busy, row, mode=mode)
    if isinstance(costs, CostColumns):
        assert np.isnan(costs.total).all()
        assert exact == NO_MONEY
    else:
        assert costs == exact == Absent(why)


def test_upper_bounds() -> None:
    """Every prompt token at the dearest prompt price, every completion token at the dearest completion price."""
    assert upper_cost(Tokens(input=100, output=10), FULL) == Money(Decimal("0.000575"))  # 100 x 3.75 + 10 x 20
    assert upper_cost(Tokens(input=100, output=10), FULL, mode="batch") == Money(Decimal("0.00045"))  # 375 + 75
    assert upper_cost(Tokens(input=100, output=10), PLAIN, mode="batch") == Money(Decimal("0.00012"))  # the live price
    assert upper_cost(Tokens(input=100), PLAIN) == Money(Decimal("0.0001"))
    bounded = a_price_row(output_cost_per_token="0.000002", input_cost_per_token="0")
    assert upper_cost(Tokens(input=9), bounded) == NO_MONEY
    assert upper_cost(Tokens(input=9), LOCAL) == NO_MONEY
    assert upper_cost(Tokens(), LOCAL, busy_core_s=10) == Money(Decimal("0.0001"))
    assert upper_cost(Tokens(input=9), PriceRow(model="m", source="test")) == NO_MONEY


def test_an_unknown_completion_is_bounded_by_the_row() -> None:
    row = PriceRow(
        model="m",
        source="test",
        input_cost_per_token=Decimal(0),
        output_cost_per_token=Decimal(1),
        max_output_tokens=7,
    )
    assert upper_cost(Tokens(), row) == Money(Decimal(7))


def test_spend_parts_what_is_known_from_what_is_possible() -> None:
    upper = Tokens(input=100, output=100)  # 100 x 1 + 100 x 2 = 300 millionths
    attempts = [
        an_attempt(usage=Tokens(input=10, output=10)),  # 30 millionths, known
        an_attempt(outcome="failed", error="truncated", usage=Tokens(input=10, output=5)),  # 20, known though it failed
        an_attempt(outcome="failed", error="reset", upper=upper),  # 300 possible
        an_attempt(outcome="failed", error="rate_limit", may_bill=False, upper=upper),  # surely not billed
        an_attempt(outcome="unknown", upper=upper),  # 300 possible
        an_attempt(outcome="answered", upper=upper),  # answered without usage: 300 possible
        an_attempt("own", model="local"),  # 1 s at 0.00001
        an_attempt("own", model="local", outcome="unknown"),  # nobody bills it
    ]
    known, possible = spend(attempts, {"m": PLAIN, "local": LOCAL}, {"own": 1.0})
    assert known == Money(Decimal("0.00006"))
    assert possible == Money(Decimal("0.0009"))
    assert spend([], {}) == (NO_MONEY, NO_MONEY)


def test_what_came_in_a_batch_is_spent_at_batch_prices() -> None:
    """FULL: 10 x 1.5 + 10 x 7.5 = 90 millionths known; PLAIN has no batch price: 100 + 2 x 100 at most."""
    upper = Tokens(input=100, output=100)
    attempts = [
        an_attempt(batch="triaxis-1", usage=Tokens(input=10, output=10)),
        an_attempt(batch="triaxis-1", model="plain", usage=Tokens(input=10, output=10), upper=upper),
    ]
    assert spend(attempts, {"m": FULL, "plain": PLAIN}) == (Money(Decimal("0.00009")), Money(Decimal("0.0003")))


counts = st.none() | st.integers(0, 1_000_000)
usages = st.builds(Tokens, input=counts, cached=counts, cache_write=counts, output=counts, reasoning=counts)


@given(st.lists(usages, max_size=20), st.sampled_from(["live", "batch"]))
def test_columns_agree_with_single_calls(calls: list[Tokens], mode: Mode) -> None:
    """The exact total is the sum of the single calls, to the last digit; the floats agree to their precision."""
    single = [call_cost(call, FULL, mode=mode) for call in calls]
    exact = total(cost for cost in single if isinstance(cost, Money))
    assert exact_total(columns(*calls), FULL, mode=mode) == exact
    costs = call_costs(columns(*calls), FULL, mode=mode)
    assert isinstance(costs, CostColumns)
    expected = [np.nan if isinstance(cost, Absent) else float(cost.usd) for cost in single]
    np.testing.assert_allclose(costs.total, np.array(expected), rtol=1e-12)
    assert set(costs.parts) == {"input", "cached", "cache_write", "output", "reasoning", "compute", "stated"}


@given(usages, st.floats(0, 3600))
def test_no_call_costs_more_than_its_upper_bound(usage: Tokens, busy: float) -> None:
    row = a_price_row(input_cost_per_token="0.000003", output_cost_per_token="0.000015", usd_per_core_hour="0.5")
    cost = call_cost(usage, row, busy_core_s=busy)
    assert isinstance(cost, Absent) or cost <= upper_cost(usage, row, busy_core_s=busy)


def test_busy_seconds_in_columns() -> None:
    """Self-hosted calls need no tokens; those whose server reported no time are left out."""
    usage = columns(Tokens(), Tokens(input=5, output=5), Tokens(), busy=(1.0, 2.0, np.nan))
    costs = call_costs(usage, LOCAL)
    assert isinstance(costs, CostColumns)
    np.testing.assert_allclose(costs.compute, [1e-5, 2e-5, np.nan])
    assert exact_total(usage, LOCAL) == Money(Decimal("0.00003"))


def test_a_declared_cached_share_replaces_the_measured_one() -> None:
    """1,000 prompt tokens at a share of 0.6: 600 are read; of the 400 left a quarter is written, as measured."""
    usage = columns(Tokens(input=300, cached=600, cache_write=100, output=5), Tokens(input=0, output=1), Tokens())
    assert usage.cached_share == pytest.approx(0.6)
    declared = usage.with_cached_share(0.2)
    np.testing.assert_allclose(declared.cached, [200, 0, np.nan])
    np.testing.assert_allclose(declared.input, [600, 0, np.nan])
    np.testing.assert_allclose(declared.cache_write, [200, 0, np.nan])
    assert declared.cached_share == pytest.approx(0.2)
    assert columns(Tokens(input=3, output=1)).cached_share is None
