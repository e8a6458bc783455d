"""What a seed makes of a run in batches: what is bought, from which kind of provider, and what goes wrong there."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos_workspace import KEY, LIMITS
from provider_process import RunningProvider

HANG_S = 60
CALLS = {
    "upload": ("rate_limit", "unavailable", "reset", "server", "hang", "lost", "truncated", "malformed"),
    "create": ("rate_limit", "unavailable", "reset", "server", "hang", "lost", "truncated", "malformed"),
    "retrieve": ("rate_limit", "server", "hang", "reset", "truncated", "malformed"),
    "list": ("rate_limit", "server", "hang", "reset", "truncated", "malformed"),
    "files": ("rate_limit", "server", "hang", "reset", "truncated", "malformed"),
    "content": ("rate_limit", "server", "hang", "reset", "truncated"),
}
"""Faults by call. A file whose end is gone is truncated; one without JSON is told by its lines."""
UNHEARD = tuple(f"create.{fault}" for fault in ("server", "hang", "lost", "truncated", "malformed"))
"""The provider has the batch, and nobody heard its id; every mix holds one of them."""
BATCHES = ("invalid", "expired", "cancelled", "reordered")
"""Of which Anthropic has not the first: it refuses a batch when it is created, or never."""
ROWS = ("busy", "broken", "refused", "filtered", "no_usage", "malformed", "missing", "twice", "stranger")
LIVE = ("rate_limit", "server", "hang", "reset", "truncated", "malformed", "no_choices", "filtered")
LASTING = frozenset({"refused", "filtered", "no_usage"})
"""Faults of rows that change what is decided: they stand in what is sealed."""
MODELS = {"openai": ("openai/small", "openai/big"), "anthropic": ("anthropic/small",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """One draw."""

    models: tuple[str, ...]
    limits: Mapping[str, Any]
    delivery: Mapping[str, str]
    options: Sequence[str]
    """Of the provider's command line."""

    @property
    def findable(self) -> bool:
        """Whether the provider tells of the batches that it has."""
        return not self._by_anthropic

    @property
    def _by_anthropic(self) -> bool:
        return self.models[0].startswith("anthropic/")

    def address(self, provider: RunningProvider) -> str:
        """Where the models are reached."""
        return provider.api_base.removesuffix("/v1") if self._by_anthropic else provider.api_base


def a_mix(rng: random.Random, *, find: str, seed: str, passing: bool = False) -> Mix:
    """Draws a mix.

    Args:
        rng: what is drawn from.
        find: how a lost batch is found: metadata, file_name, or none, which is Anthropic's way.
        seed: of the provider.
        passing: whether every fault passes, so that in the end every answer is as if there had been none.
    """
    vendor = "anthropic" if find == "none" else "openai"
    fallback = vendor == "openai" and rng.random() < 0.5
    return Mix(
        models=MODELS[vendor][: rng.choice((1, 1, 2))],
        limits=limits_of(rng, timeout_s=2.5 if vendor == "anthropic" else 0.8),
        delivery={"transport": "batch", "fallback": "live"} if fallback else {"transport": "batch"},
        options=options_of(rng, find=find, seed=seed, passing=passing),
    )


def limits_of(rng: random.Random, *, timeout_s: float) -> Mapping[str, Any]:
    """Limits under which nothing takes long."""
    rows = rng.choice((7, 11, 16, 24))
    return {**LIMITS, "batch_rows": rows, "total_timeout_s": timeout_s, "first_token_timeout_s": min(0.6, timeout_s)}


def options_of(rng: random.Random, *, find: str, seed: str, passing: bool) -> Sequence[str]:
    """The provider's command line."""
    some = rng.sample([f"{call}.{fault}" for call, faults in CALLS.items() for fault in faults], rng.randint(1, 4))
    calls = {fault: rng.choice((0.2, 0.5)) for fault in [*some, rng.choice(UNHEARD)]}
    endings = BATCHES if find != "none" else BATCHES[1:]
    batches = {fault: 0.15 for fault in endings if rng.random() < 0.5}
    rows = {
        fault: rng.choice((0.03, 0.1)) for fault in ROWS if rng.random() < 0.5 and not (passing and fault in LASTING)
    }
    live = {fault: 0.05 for fault in LIVE if rng.random() < 0.5 and not (passing and fault in LASTING)}
    return (
        *("--find", find, "--seed", seed, "--hang-s", str(HANG_S), "--at-most", str(rng.randint(1, 3))),
        *("--polls", str(rng.randint(1, 2)), "--page", str(rng.choice((2, 100))), "--delay-ms", "20"),
        *("--calls", joined(calls), "--batches", joined(batches), "--rows", joined(rows), "--faults", joined(live)),
        *("--key-env", "THE_KEY", "--echo-key"),
    )


def joined(rates: Mapping[str, float]) -> str:
    """As the command line has them."""
    return ",".join(f"{name}={rate}" for name, rate in rates.items())


ENVIRON = {"THE_KEY": KEY}
"""What the provider is started with."""
