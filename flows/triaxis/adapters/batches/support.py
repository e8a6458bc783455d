"""Whether a model's provider takes batches here: what is documented of it, and what is installed for it."""

from __future__ import annotations

from importlib.util import find_spec

from triaxis.adapters.models.price_table import packaged
from triaxis.domain.batches import BatchRules
from triaxis.domain.variant import Target
from triaxis.rules.batches.providers import NoBatches, batch_rules

PACKAGES = {
    "anthropic": ("anthropic", "Install triaxis[anthropic], or use `transport: live`."),
    "vertex_ai": ("google.auth", "Install google-auth, or use `transport: live`."),
}
"""Modules without which a provider is not reached, and how to come by them."""


def rules_of(target: Target) -> BatchRules | NoBatches:
    """What the provider of the model at a target takes, or why it takes nothing. Nothing slow is imported."""
    rules = batch_rules(target.model, has_api_base=target.api_base is not None, owner=_owner(target.model))
    if isinstance(rules, NoBatches) or rules.provider not in PACKAGES:
        return rules
    module, advice = PACKAGES[rules.provider]
    if _installed(module):
        return rules
    return NoBatches(problem=f"batches of {rules.provider} need {module}, which is not installed", advice=advice)


def _owner(model: str) -> str | None:
    """The provider of a name that names none, by the price table: `vertex_ai-language-models` is Vertex AI's."""
    owner = packaged().rows.get(model, {}).get("litellm_provider")
    return owner.partition("-")[0] if isinstance(owner, str) else None


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
