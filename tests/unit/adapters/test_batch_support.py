"""Whether a model takes batches here, told without anything slow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from triaxis.adapters.batches import support as batch_support
from triaxis.adapters.batches.support import rules_of
from triaxis.domain.batches import BatchRules
from triaxis.domain.variant import Target
from triaxis.rules.batches.providers import NoBatches


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("openai/gpt-4o-mini", "openai"),
        ("gpt-4o-mini", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("anthropic/claude-sonnet-4-5", "anthropic"),
        ("local/smollm2-135m", "local"),
    ],
)
def test_providers_by_name(model: str, provider: str) -> None:
    rules = rules_of(Target(model=model))
    assert isinstance(rules, BatchRules)
    assert rules.provider == provider


def test_a_name_that_nobody_knows_takes_none() -> None:
    assert isinstance(rules_of(Target(model="tiny")), NoBatches)


@pytest.mark.parametrize(
    ("model", "module", "advice"),
    [
        ("anthropic/claude-sonnet-4-5", "no_such_module", "triaxis[anthropic]"),
        ("vertex_ai/gemini-2.5-flash", "no_such_module.auth", "google-auth"),
        ("gemini-2.5-flash", "no_such_module.auth", "google-auth"),
    ],
)
def test_what_is_not_installed_is_told_with_how_to_come_by_it(
    model: str, module: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = {name: (module, say) for name, (_, say) in batch_support.PACKAGES.items()}
    monkeypatch.setattr(batch_support, "PACKAGES", packages)
    refused = rules_of(Target(model=model))
    assert isinstance(refused, NoBatches)
    assert "is not installed" in refused.problem
    assert advice in refused.advice


def test_nothing_slow_is_imported_to_know() -> None:
    code = (
        "import sys; from triaxis.adapters.batches.support import rules_of; from triaxis.domain.variant import Target\n"
        "rules_of(Target(model='vertex_ai/gemini-2.5-flash')); rules_of(Target(model='gpt-4o'))\n"
        "print(sorted({'litellm', 'anthropic', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
