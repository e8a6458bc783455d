"""Which providers take batches, how large ones, and how a batch whose id was never heard is found again there.

| provider | requests | bytes | found by | source |
|---|---|---|---|---|
| openai | 50,000 | 200 MB | metadata | platform.openai.com/docs/guides/batch |
| azure | 100,000 | 200 MB | metadata | learn.microsoft.com, Azure OpenAI global batch, limits |
| anthropic | 100,000 | 256 MB | nothing | platform.claude.com/docs, batch processing |
| mistral | 100,000 | 512 MB | metadata | docs.mistral.ai/resources/known-limitations |
| xai | 100,000 | 25 MB | its name | docs.x.ai/docs/guides/batch-api: more is throttled; the payload bound it states |
| vertex_ai | 200,000 | 1 GB | nothing | cloud.google.com/vertex-ai, batch inference with Gemini |
| bedrock | 100 to 50,000 | 1 GB | nothing | docs.aws.amazon.com, Bedrock quotas: batch inference |

"Nothing" for the last two is LiteLLM's doing: it names files and jobs itself, by random ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from triaxis.domain.batches import BatchRules

MB = 1_000_000
REWRITTEN = 500 * MB
"""LiteLLM writes each line anew for Vertex AI, which makes it longer."""
IN_MEMORY = 200 * MB
"""For Bedrock it does so with the whole file, in memory."""

_OPENAI = BatchRules(provider="openai", max_rows=50_000, max_bytes=200 * MB, find="metadata")
RULES: Mapping[str, BatchRules] = {
    rules.provider: rules
    for rules in (
        _OPENAI,
        BatchRules(provider="azure", max_rows=100_000, max_bytes=200 * MB, find="metadata"),
        BatchRules(provider="anthropic", max_rows=100_000, max_bytes=256 * MB, find="none"),
        BatchRules(provider="mistral", max_rows=100_000, max_bytes=512 * MB, find="metadata"),
        BatchRules(provider="xai", max_rows=100_000, max_bytes=25 * MB, find="metadata"),
        BatchRules(provider="vertex_ai", max_rows=200_000, max_bytes=REWRITTEN, find="none"),
        BatchRules(provider="bedrock", min_rows=100, max_rows=50_000, max_bytes=IN_MEMORY, find="none"),
        # A server of the user's own speaks OpenAI's protocol; a gateway gives it to a local model.
        *(replace(_OPENAI, provider=provider) for provider in ("hosted_vllm", "litellm_proxy", "local")),
    )
}
OWN_SERVERS = frozenset({"hosted_vllm", "litellm_proxy"})
"""Providers that are nobody without an address."""
BEDROCK = ("anthropic.", "amazon.nova", "openai.")
"""Families whose requests LiteLLM writes as Bedrock's batches take them, and whose answers we read."""
GEMINI = "gemini"
"""What names of models begin with whose requests LiteLLM writes as Vertex AI's batches take them."""

_LIVE = "Use `transport: live`"
_GATEWAY = (
    f"{_LIVE}, or run `triaxis gateway --upstream URL` in front of the server and write the model as openai/NAME with "
    "the gateway's address as api_base."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoBatches:
    """A model whose provider takes no batches from us."""

    problem: str
    advice: str


def batch_rules(model: str, *, has_api_base: bool, owner: str | None = None) -> BatchRules | NoBatches:
    """What the provider of a model takes, or why it takes nothing.

    Args:
        model: as a variant writes it.
        has_api_base: whether an address is given beside it.
        owner: the provider of a name that names none, such as `gpt-4o-mini`; None where nobody knows.
    """
    prefix, slash, rest = model.partition("/")
    provider, name = (prefix, rest) if slash else (owner, model)
    rules = RULES.get(provider or "")
    if rules is None:
        who = provider or f"the provider of {model}"
        return NoBatches(problem=f"{who} takes no batches through this release", advice=_GATEWAY)
    if provider in OWN_SERVERS and not has_api_base:
        return NoBatches(problem=f"{provider} is a server of your own", advice="Write its address as api_base.")
    return _unwritten(rules.provider, name) or rules


def _unwritten(provider: str, name: str) -> NoBatches | None:
    """Why a model's requests cannot be written for its provider's batches, though other models' can."""
    if provider == "bedrock" and not any(family in name for family in BEDROCK):
        problem = "batches of Bedrock are written for Anthropic's, Amazon Nova's and OpenAI's models only"
        return NoBatches(problem=problem, advice=f"{_LIVE}.")
    if provider == "vertex_ai" and not name.startswith(GEMINI):
        return NoBatches(problem="batches of Vertex AI are written for Gemini only", advice=f"{_LIVE}.")
    return None
