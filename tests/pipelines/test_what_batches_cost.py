"""What an evaluation in batches is said to have cost, against the ledger of the provider.

The four cases are LiteLLM's: it has counted a batch again with every look at it, lost its usage without a word, let one
line that could not be read make the others free, and left what a cancelled batch had answered unbilled.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from provider_process import RunningProvider, running_batch_provider
from workspace_run import Project, a_project

INPUT, OUTPUT = 3e-6, 5e-6
"""Dollars a token, in a batch and live."""
PRICE = {f"input_cost_per_token{mode}": INPUT for mode in ("", "_batches")} | {
    f"output_cost_per_token{mode}": OUTPUT for mode in ("", "_batches")
}
BATCHED: dict[str, Any] = {
    "evaluation": {"variants": {"big": {"transport": "batch", "fallback": "live"}}},
    "prices": {"models": {f"openai/{name}": PRICE for name in ("big", "small")}},
}
PLACES = Decimal("0.000001")


def evaluated(folder: Path, provider: RunningProvider) -> tuple[Decimal, Decimal]:
    """Known and possible dollars of all variants, as the scorecard has them."""
    project = a_project(Project(root=folder / "workspace", provider=provider, home=folder / "home"), **BATCHED)
    project.succeed("prepare", "generate", "probe", "judge", "assess", "decide")
    variants = json.loads((project.root / "reports/scorecard.json").read_text())["variants"].values()
    assert sum(variant["n"]["generated"] + variant["n"]["failed"] for variant in variants) == 48
    known, possible = (
        sum(Decimal(variant["cost"][name]) for variant in variants) for name in ("spent_usd", "possible_usd")
    )
    return Decimal(known), Decimal(possible)


def billed(provider: RunningProvider, *, reported: bool | None = None) -> Decimal:
    """What the provider's ledger comes to: all of it, or the rows whose usage it told, or did not tell."""
    rows = [row for row in (*provider.rows(), *provider.bills()) if reported is None or row.reported == reported]
    used = [(row.usage["prompt_tokens"], row.usage["completion_tokens"]) for row in rows]
    return Decimal(sum(Decimal(str(INPUT)) * prompt + Decimal(str(OUTPUT)) * answer for prompt, answer in used))


def test_looking_at_a_batch_again_and_again_costs_nothing(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "ledger.jsonl", "--polls", "6") as provider:
        known, possible = evaluated(tmp_path, provider)
        assert (len(provider.rows()), possible) == (36, 0)
        assert known == billed(provider).quantize(PLACES) > 0


def test_usage_that_was_not_told_is_possible_spend_and_not_nothing(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "ledger.jsonl", "--rows", "no_usage=0.3") as provider:
        known, possible = evaluated(tmp_path, provider)
        untold = billed(provider, reported=False)
        assert untold > 0
        assert known == billed(provider, reported=True).quantize(PLACES)
        assert possible >= untold


def test_a_line_that_cannot_be_read_leaves_the_others_what_they_cost(tmp_path: Path) -> None:
    with running_batch_provider(tmp_path / "ledger.jsonl", "--rows", "malformed=0.1") as provider:
        known, possible = evaluated(tmp_path, provider)
        unread = billed(provider, reported=False)
        assert unread > 0
        assert known == billed(provider, reported=True).quantize(PLACES)
        assert possible >= unread
        assert len(provider.batches()) > 1


@pytest.mark.parametrize("ending", ["cancelled", "expired"])
def test_what_a_batch_had_answered_before_it_ended_early_is_billed(ending: str, tmp_path: Path) -> None:
    """Each of three batches ends half way, and what they left over is asked for live."""
    with running_batch_provider(tmp_path / "ledger.jsonl", "--batches", f"{ending}=1") as provider:
        known, possible = evaluated(tmp_path, provider)
        answered = Counter(row.batch for row in provider.rows())
        assert sorted(answered.values()) == [1, 3, 3, 6, 6, 12], "of 24 rows of one model and 12 of the other"
        assert len(provider.bills()) == 5
        assert (known, possible) == (billed(provider).quantize(PLACES), 0)
