"""Which providers take batches, and what those are told whose provider does not."""

from __future__ import annotations

import pytest

from triaxis.domain.batches import BatchRules
from triaxis.rules.batches.providers import RULES, NoBatches, batch_rules


@pytest.mark.parametrize(
    ("model", "has_api_base", "provider", "max_rows", "find"),
    [
        ("openai/gpt-4o-mini", False, "openai", 50_000, "metadata"),
        ("openai/llama3.2", True, "openai", 50_000, "metadata"),
        ("hosted_vllm/llama", True, "hosted_vllm", 50_000, "metadata"),
        ("litellm_proxy/ours", True, "litellm_proxy", 50_000, "metadata"),
        ("local/smollm2-135m", False, "local", 50_000, "metadata"),
        ("azure/my-deployment", True, "azure", 100_000, "metadata"),
        ("anthropic/claude-sonnet-4-5", False, "anthropic", 100_000, "none"),
        ("mistral/mistral-small-latest", False, "mistral", 100_000, "metadata"),
        ("xai/grok-4", False, "xai", 100_000, "metadata"),
        ("vertex_ai/gemini-2.5-flash", False, "vertex_ai", 200_000, "none"),
        ("bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", False, "bedrock", 50_000, "none"),
        ("bedrock/amazon.nova-lite-v1:0", False, "bedrock", 50_000, "none"),
    ],
)
def test_what_providers_take(model: str, has_api_base: bool, provider: str, max_rows: int, find: str) -> None:
    rules = batch_rules(model, has_api_base=has_api_base)
    assert isinstance(rules, BatchRules)
    assert (rules.provider, rules.max_rows, rules.find) == (provider, max_rows, find)


@pytest.mark.parametrize(
    ("model", "owner", "provider"),
    [("gpt-4o-mini", "openai", "openai"), ("claude-sonnet-4-5", "anthropic", "anthropic")],
)
def test_a_name_without_a_provider_is_its_owners(model: str, owner: str, provider: str) -> None:
    rules = batch_rules(model, has_api_base=False, owner=owner)
    assert isinstance(rules, BatchRules)
    assert rules.provider == provider


@pytest.mark.parametrize(
    "provider", ["groq", "gemini", "together_ai", "fireworks_ai", "deepseek", "cohere", "ollama", "openrouter"]
)
def test_a_provider_without_batches_is_told_what_to_do(provider: str) -> None:
    refused = batch_rules(f"{provider}/some-model", has_api_base=True)
    assert refused == NoBatches(
        problem=f"{provider} takes no batches through this release",
        advice="Use `transport: live`, or run `triaxis gateway --upstream URL` in front of the server and write the "
        "model as openai/NAME with the gateway's address as api_base.",
    )


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ("tiny", "the provider of tiny takes no batches"),
        ("hosted_vllm/llama", "hosted_vllm is a server of your own"),
        ("litellm_proxy/ours", "litellm_proxy is a server of your own"),
        ("bedrock/meta.llama3-8b-instruct-v1:0", "Anthropic's, Amazon Nova's and OpenAI's models only"),
        ("vertex_ai/claude-sonnet-4", "for Gemini only"),
    ],
)
def test_models_that_are_not_reached_by_batches(model: str, problem: str) -> None:
    refused = batch_rules(model, has_api_base=False)
    assert isinstance(refused, NoBatches)
    assert problem in refused.problem
    assert refused.advice


def test_limits_leave_room_for_a_row() -> None:
    for rules in RULES.values():
        assert 1 <= rules.min_rows < rules.max_rows
        assert rules.max_bytes >= 25_000_000
    assert RULES["bedrock"].min_rows == 100
