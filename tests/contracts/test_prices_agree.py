"""Our prices against LiteLLM's own calculators, where those are right."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from triaxis.adapters.models.price_table import packaged
from triaxis.domain.canonical import JsonValue
from triaxis.quantities import Money
from triaxis.rules.calls.price import call_cost
from triaxis.rules.calls.reply import tokens_of

CACHED: dict[str, JsonValue] = {
    "prompt_tokens": 1000,
    "completion_tokens": 300,
    "total_tokens": 1300,
    "prompt_tokens_details": {"cached_tokens": 600},
    "completion_tokens_details": {"reasoning_tokens": 100},
}
WRITTEN: dict[str, JsonValue] = {
    "prompt_tokens": 1000,
    "completion_tokens": 300,
    "total_tokens": 1300,
    "cache_read_input_tokens": 600,
    "cache_creation_input_tokens": 50,
}
PLAIN: dict[str, JsonValue] = {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300}


@pytest.fixture(scope="module")
def litellm() -> Generator[Any]:
    """The package, with the table it ships with; its import takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        yield pytest.importorskip("litellm")


def ours(model: str, usage: JsonValue, *, batch: bool = False) -> float:
    row = packaged().row(model)
    assert row is not None
    cost = call_cost(tokens_of(usage), row, mode="batch" if batch else "live")
    assert isinstance(cost, Money)
    return float(cost.usd)


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("gpt-4o-mini", PLAIN),
        ("gpt-4o-mini", CACHED),
        ("o3-mini", CACHED),
        ("gemini/gemini-2.5-flash", CACHED),
        ("claude-sonnet-4-5", PLAIN),
        ("claude-sonnet-4-5", WRITTEN),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_live(litellm: Any, model: str, usage: dict[str, JsonValue]) -> None:
    """Cached reads, cache writes and reasoning are each counted once, at their own price."""
    response = litellm.ModelResponse(model=model, usage=litellm.Usage(**usage))
    assert ours(model, usage) == pytest.approx(litellm.completion_cost(completion_response=response, model=model))


@pytest.mark.parametrize("model", ["gpt-4o-mini", "o3-mini", "claude-sonnet-4-5"])
@pytest.mark.filterwarnings("ignore")
def test_batch(litellm: Any, model: str) -> None:
    """Without cached tokens its batch calculator is right; with them ours is a bound from above."""
    plain = litellm.cost_calculator.batch_cost_calculator(litellm.Usage(**PLAIN), model)
    assert ours(model, PLAIN, batch=True) == pytest.approx(sum(plain))
    cached = litellm.cost_calculator.batch_cost_calculator(litellm.Usage(**CACHED), model)
    assert ours(model, CACHED, batch=True) >= sum(cached) - 1e-12
