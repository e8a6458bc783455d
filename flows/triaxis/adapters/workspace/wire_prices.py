"""prices.yaml as it is written: LiteLLM's column names, and two for models that one serves oneself."""

from __future__ import annotations

from pydantic import Field

from triaxis.adapters.workspace.wire import Count, NonNegative, Text, Wire, WireFile


class WirePriceRow(Wire):
    """What one model costs, in dollars; the row replaces LiteLLM's."""

    input_cost_per_token: NonNegative | None = None
    """An input token."""
    output_cost_per_token: NonNegative | None = None
    """An output token."""
    cache_read_input_token_cost: NonNegative | None = None
    """An input token read from the provider's cache."""
    cache_creation_input_token_cost: NonNegative | None = None
    """An input token written to the provider's cache."""
    output_cost_per_reasoning_token: NonNegative | None = None
    """A hidden reasoning token."""
    input_cost_per_token_batches: NonNegative | None = None
    """An input token in a batch."""
    output_cost_per_token_batches: NonNegative | None = None
    """An output token in a batch."""
    usd_per_core_hour: NonNegative | None = None
    """An hour of one core, for self-hosted models."""
    usd_per_gpu_hour: NonNegative | None = None
    """An hour of one GPU, for self-hosted models."""
    max_output_tokens: Count | None = None
    """Most tokens that the model answers with."""


class WirePrices(WireFile):
    """Rows that override or add to the pinned LiteLLM table."""

    models: dict[Text, WirePriceRow] = Field(default={})
    """By model name, as variants write it."""
