"""What calls may cost before they are made."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from build_calls import a_request

from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import PriceRow
from triaxis.quantities import NO_MONEY, Money, Tokens
from triaxis.rules.budget import budget, expected_tokens, upper_tokens

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
    assert expected_tokens(a_request("a" * 8, max_tokens=50)) == Tokens(input=4, output=50)
    assert expected_tokens(a_request("a" * 8)) == Tokens(input=4, output=256)


def test_a_budget_sums_what_is_priced() -> None:
    """Two calls of 4 and 50, or at most 92 and 50 tokens: 2 x 104 and 2 x 192 micro-dollars."""
    asked = [a_request("a" * 8, max_tokens=50), a_request("b" * 8, max_tokens=50), a_request(model="local/x")]
    assert budget(asked, {"openai/small": ROW}) == (Money.of("0.000208"), Money.of("0.000384"))


def test_nothing_to_send_costs_nothing() -> None:
    assert budget([], {}) == (NO_MONEY, NO_MONEY)
