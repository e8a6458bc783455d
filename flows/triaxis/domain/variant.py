"""A variant: one LLM setup under comparison, as it is hashed. Addresses, transports and limits are not part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from triaxis.domain.canonical import JsonValue
from triaxis.domain.router import Cascade, Router

CallKind: TypeAlias = Literal["chat", "embedding"]
"""What a model is asked for: an answer to messages, or the vector of a text."""

LEVERS = (
    "tiering",
    "fine_tuning",
    "prompt_caching",
    "quantization",
    "speculative_decoding",
    "max_tokens",
    "stop",
    "batching",
    "retrieval",
    "human_review",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt template: its text decides, its path is only for messages to people."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePlan:
    """The live streamed load that supplies a variant's latency."""

    arrival: Literal["poisson", "constant", "trace"] = "poisson"
    rate_per_s: float | None = None
    """Arrivals a second; None for a trace, which carries its own times."""
    trace: tuple[float, ...] = ()
    """Recorded arrival offsets in seconds, ascending."""
    requests: int = 200
    blocks: int = 5
    take: int = 1
    """A new take measures everything again."""
    seed: int = 1
    warmup: int = 3
    """Requests sent before the first measured one of each block; excluded from every figure."""
    cache: Literal["cold", "warm"] = "cold"
    """`warm` declares that repeated inputs are meant; `cold` excludes them."""
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How the variant would run in production; its cost is priced for that."""

    mode: Literal["live", "batch"] = "live"
    surface: str | None = None
    interactive: bool = True
    cache_hit_rate: float | None = None
    """Declared share of prompt tokens read from cache; None means it is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a corpus."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retriever:
    """Picks the context of each case from a corpus: its passages decide, its path is only for messages to people."""

    path: str
    passages: tuple[Passage, ...]
    """In the order of the corpus, at least one."""
    k: int = 3
    """Most passages that a case gets."""
    by: Literal["bm25", "tfidf"] = "bm25"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVariant:
    """A variant whose answers are generated."""

    name: str
    model: str
    """A LiteLLM model name, or `local/NAME`."""
    endpoint: str | None = None
    """Identity of the server: as declared, else host and port of its address; None is the vendor's own."""
    prompt: Prompt | None = None
    params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    samples: int = 1
    probe: ProbePlan | None = None
    retriever: Retriever | None = None
    """Gives cases their context; without one they have their own."""
    levers: tuple[str, ...] = ()
    extends: str | None = None
    serving: Serving = Serving()
    factors: tuple[str, ...] = ()
    """Variants of a factorial that this one joins: itself alone where it is one of them; empty outside of any."""
    embeds: Literal[True] | None = None
    """Whether it is asked for the vector of each case's input, by which a classifier names the route."""

    @property
    def kind(self) -> CallKind:
        """What its calls ask for."""
        return "embedding" if self.embeds else "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedVariant:
    """A view over other variants: it makes no generation of its own."""

    name: str
    router: Router | Cascade
    caller: ModelVariant | None = None
    """The calls by which the route is found, under the variant's own name; None where no model is asked."""
    levers: tuple[str, ...] = ()
    extends: str | None = None
    serving: Serving = Serving()
    factors: tuple[str, ...] = ()
    """Variants of a factorial that this one joins: itself alone where it is one of them; empty outside of any."""

    def arm(self, route: str | None) -> str | None:
        """The variant that answers a case of that route; None where there is none."""
        return self.router.default if route is None else self.router.arms.get(route, self.router.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVariant:
    """A variant whose answers exist already. Where they are read from is no part of it: what they say is evidence."""

    name: str
    model: str | None = None
    """The model whose price row the tokens of answers without dollars have; None: nothing prices them."""
    samples: int = 1
    """No more answers than this may stand for one case."""
    levers: tuple[str, ...] = ()
    extends: str | None = None
    serving: Serving = Serving()
    factors: tuple[str, ...] = ()
    """Variants of a factorial that this one joins: itself alone where it is one of them; empty outside of any."""


Variant: TypeAlias = ModelVariant | ImportedVariant | RoutedVariant


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a model is reached. Not hashed: an address may change without changing what is measured."""

    model: str
    api_base: str | None = None
    kind: CallKind = "chat"
    """What it is asked for there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a variant's or a judge's calls are made. Not hashed: an answer is the same however it was asked for."""

    transport: Literal["live", "batch"] = "live"
    fallback: Literal["live"] | None = None
    """How what batches did not answer is asked for; None leaves it to the next run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on a run; not hashed."""

    max_usd: float | None = None
    concurrency: int = 32
    requests_per_min: float | None = None
    """Per provider; None leaves only the adaptive limit."""
    tokens_per_min: float | None = None
    max_attempts: int = 6
    batch_rows: int | None = None
    """Most rows of one provider batch; None leaves the provider's own limit."""
    batch_rounds: int = 3
    """In so many batches, one after the other, a row may be before it is given up."""
    connect_timeout_s: float = 10.0
    first_token_timeout_s: float = 60.0
    total_timeout_s: float = 300.0
