from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from triaxis.adapters.models.price_table import PriceTable, packaged, table_of


def a_row(provider: str, given: float, answered: float, **more: object) -> dict[str, object]:
    """A row as LiteLLM's file has it."""
    return {
        "litellm_provider": provider,
        "input_cost_per_token": given,
        "output_cost_per_token": answered,
        **more,
    }


ROWS = {
    "sample_spec": {"input_cost_per_token": 0.0},
    "gpt-x": a_row("openai", 1.5e-07, 6e-07, max_output_tokens=16384),
    "gpt-x-text": a_row("text-completion-openai", 1e-06, 2e-06),
    "azure/gpt-x": a_row("azure", 2e-07, 7e-07),
    "claude-x": a_row("anthropic", 3e-06, 1.5e-05, cache_read_input_token_cost=3e-07),
    "gemini-x": a_row("vertex_ai-language-models", 1e-07, 4e-07),
    "embed-x": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08},
    "image-x": {"litellm_provider": "openai", "input_cost_per_image": 0.04},
    "ollama/free": a_row("ollama", 0.0, 0.0),
}
TABLE = table_of(json.dumps(ROWS).encode(), "1.0")


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-x", "0.00000015"),
        ("openai/gpt-x", "0.00000015"),
        ("azure/gpt-x", "0.0000002"),
        ("anthropic/claude-x", "0.000003"),
        ("vertex_ai/gemini-x", "0.0000001"),
        ("text-completion-openai/gpt-x-text", "0.000001"),
        ("ollama/free", "0"),
        ("embed-x", "0.00000002"),
        ("openai/claude-x", None),
        ("openai/image-x", None),
        ("openai/nothing", None),
        ("sample_spec", None),
        ("", None),
    ],
)
def test_models_are_looked_up_as_litellm_does(model: str, price: str | None) -> None:
    row = TABLE.row(model)
    assert (row and row.input_cost_per_token) == (price and Decimal(price))


def test_prices_are_exact_and_rows_whole() -> None:
    """3e-07 is 0.0000003, and not the nearest binary fraction."""
    row = TABLE.row("anthropic/claude-x")
    assert row is not None
    assert row.cache_read_input_token_cost == Decimal("0.0000003")
    assert (row.model, row.source) == ("anthropic/claude-x", "litellm")
    limited, embedding = TABLE.row("openai/gpt-x"), TABLE.row("embed-x")
    assert limited is not None
    assert limited.max_output_tokens == 16384
    assert embedding is not None
    assert embedding.output_cost_per_token == 0


@pytest.fixture(scope="module")
def table() -> PriceTable:
    return packaged()


def test_the_packaged_table(table: PriceTable) -> None:
    """OpenAI's list price of gpt-4o-mini: $0.15 and $0.60 a million tokens, half in batches."""
    row = table.row("openai/gpt-4o-mini")
    assert row is not None
    assert (row.input_cost_per_token, row.output_cost_per_token) == (Decimal("1.5E-7"), Decimal("6E-7"))
    assert row.input_cost_per_token_batches == Decimal("7.5E-8")
    assert len(table.sha256) == 64
    assert table.version


def test_reading_the_table_does_not_import_its_owner() -> None:
    code = "import sys; from triaxis.adapters.models.price_table import packaged; packaged();"
    code += "sys.exit('litellm' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": "flows"}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0
