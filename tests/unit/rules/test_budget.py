"""What calls may cost before they are made."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from build_calls import a_request, an_embedding_request

from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.variant import Delivery
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.calls.budget import Bounds, bound, cost_of, dearest_mode, upper_tokens
from triaxis.rules.calls.price import Mode

ROW = PriceRow(
    model="openai/small",
    source="prices.yaml",
    input_cost_per_token=Decimal("1e-6"),
    output_cost_per_token=Decimal("2e-6"),
    max_output_tokens=1_000,
)


def test_a_prompt_has_no_more_tokens_than_bytes_and_what_a_template_adds() -> None:
    """`hé` is 3 bytes and `user` 4; 16 for the message and 64 for the template."""
    assert upper_tokens(a_request("hé", max_tokens=50)) == Tokens(input=3 + 4 + 16 + 64, output=50)


@pytest.mark.parametrize(
    ("params", "row", "cap"),
    [
        ({"max_tokens": 50}, ROW, 50),
        ({"max_completion_tokens": 70, "max_tokens": 50}, ROW, 70),
        ({"n_predict": 9}, ROW, 9),
        ({"max_tokens": 50, "n": 3}, ROW, 150),
        ({"max_tokens": -1}, ROW, 1_000),
        ({}, ROW, 1_000),
        ({}, PriceRow(model="m", source="s"), 4_096),
        ({}, None, 4_096),
    ],
)
def test_an_answer_is_bounded_by_the_request_or_else_the_model(
    params: dict[str, JsonValue], row: PriceRow | None, cap: int
) -> None:
    assert upper_tokens(replace(a_request(), params=params), row).output == cap


def test_parameters_that_are_read_as_prompt_count() -> None:
    plain, tools = a_request(seed=7), a_request(seed=7, stop=["abc"])
    assert (upper_tokens(tools).input or 0) - (upper_tokens(plain).input or 0) == len("['abc']")


def test_an_expected_answer_is_typical_unless_the_cap_is_lower() -> None:
    """8 characters and the role make 3 tokens, and one more."""
    assert bound(a_request("a" * 8, max_tokens=50), None)[:2] == (4, 50)
    assert bound(a_request("a" * 8), None)[:2] == (4, 256)


def test_an_embedding_is_a_prompt_and_nothing_else() -> None:
    """8 characters and the role, with what a template may add; the row's longest answer is none of it."""
    embedding = an_embedding_request("a" * 8)
    assert bound(embedding, ROW) == (4, 0, 92, 0)
    assert Bounds.of([embedding], ROW).most == upper_tokens(embedding, ROW) == Tokens(input=92, output=0)


def test_bounds_are_summed_taken_and_joined() -> None:
    """Two calls of 4 and 50 tokens, at most 8 + 4 + 64 + 16 = 92 and 50."""
    two = Bounds.of([a_request("a" * 8, max_tokens=50), a_request("b" * 8, max_tokens=50)], ROW)
    assert (two.expected, two.most) == (Tokens(input=8, output=100), Tokens(input=184, output=100))
    assert two.upper.tolist() == [[92, 50], [92, 50]]
    assert len(Bounds.joined([two, two.at(slice(1)), Bounds.joined([])])) == 3
    assert Bounds.repeated((4, 50, 92, 50), 2).most == two.most
    assert Bounds.of([], None).most == Tokens(input=0, output=0)


@pytest.mark.parametrize(
    ("row", "mode", "usd"),
    [(ROW, "live", "0.000384"), (ROW, "batch", "0.000384"), (None, "live", "0")],  # 184 x 1 + 100 x 2 millionths
)
def test_a_budget_prices_what_has_a_price(row: PriceRow | None, mode: Mode, usd: str) -> None:
    """A batch without a price of its own is held to the live one."""
    assert cost_of(Tokens(input=184, output=100), row, mode) == Money.of(usd)
    assert cost_of(Tokens(input=0, output=0), row, mode) == NO_MONEY


@pytest.mark.parametrize(
    ("delivery", "mode"),
    [
        (Delivery(), "live"),
        (Delivery(transport="batch"), "batch"),
        (Delivery(transport="batch", fallback="live"), "live"),
    ],
)
def test_what_may_be_asked_live_is_budgeted_at_the_live_price(delivery: Delivery, mode: Mode) -> None:
    assert dearest_mode(delivery) == mode
