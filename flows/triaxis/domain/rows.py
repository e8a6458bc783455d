"""What was paid for: requests, attempts and stored rows; and the evidence rows made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring as _json
from typing import Literal, TypeAlias

from triaxis.domain.canonical import JsonValue, canonical_json, sha256_json
from triaxis.domain.case import Message
from triaxis.domain.variant import CallKind
from triaxis.quantities import Tokens

RowKind: TypeAlias = Literal["call", "probe", "import"]
IMPORTED = "imported"
"""The client of rows that nobody sent from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to a model. Equal requests share one paid row, whoever asks: a variant, another variant, a judge."""

    model: str
    endpoint: str | None
    messages: tuple[Message, ...]
    """Of an embedding: one, whose content is the text."""
    params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    sample: int = 0
    """The number of the repeat, from 0."""
    kind: CallKind = "chat"

    @property
    def key(self) -> str:
        """The row's identity: 64 hex digits of the sha256 of the canonical request."""
        # A chat, which was there before embeddings were, is known by having no kind.
        kind: dict[str, JsonValue] = {} if self.kind == "chat" else {"kind": self.kind}
        return sha256_json(
            {
                "model": self.model,
                "endpoint": self.endpoint,
                "messages": [m.to_json() for m in self.messages],
                "params": self.params,
                "sample": self.sample,
                **kind,
            }
        )


class Keyring:
    """The keys of requests that differ in messages and sample alone, made in a fraction of the time.

    What they share is put into canonical form once; the rest is RFC 8785 of texts and a whole number.
    """

    def __init__(
        self, model: str, endpoint: str | None, params: Mapping[str, JsonValue], kind: CallKind = "chat"
    ) -> None:
        shared = {
            name: canonical_json(value).decode() for name, value in (("e", endpoint), ("m", model), ("p", params))
        }
        kinds = "" if kind == "chat" else f'"kind":"{kind}",'
        self._head = f'{{"endpoint":{shared["e"]},{kinds}"messages":['
        self._tail = f'],"model":{shared["m"]},"params":{shared["p"]},"sample":'

    def key(self, messages: Iterable[Message], sample: int) -> str:
        """`Request.key` of the messages."""
        said = ",".join([f'{{"content":{_json(m.content)},"role":{_json(m.role)}}}' for m in messages])
        return hashlib.sha256(f"{self._head}{said}{self._tail}{sample}}}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One send of a request, planned or done. Written before the send, settled by what came back."""

    key: str
    at_ns: int
    """Wall clock when it was intended; with `key` and `part` it names the attempt."""
    part: int = 0
    """Position in a probe block; 0 for a call."""
    batch: str | None = None
    """The provider batch that it was part of, by our name; None for a live call. Batches have prices of their own."""
    model: str
    endpoint: str | None
    outcome: Literal["answered", "failed", "unknown"]
    """`unknown`: killed or cut off in flight, so that nobody knows whether it was billed."""
    error: str | None = None
    """The failure's reason word."""
    ms: float | None = None
    usage: Tokens | None = None
    """What the provider said it billed; None where it said nothing."""
    may_bill: bool = True
    """Whether it may have been billed without saying so; False where it surely was not."""
    upper: Tokens = Tokens()
    """No more than this can have been billed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A sealed outcome: bought once, never bought again; or imported, and never bought at all."""

    key: str
    kind: RowKind
    model: str
    endpoint: str | None
    outcome: Literal["answered", "terminal", "unrecorded"]
    """`unrecorded`: answered, but whoever made the imported row did not keep what was said."""
    raw: str
    """The body as received, in OpenAI's shape for an answer; a JSON list of probe results for a block. Of an embedding,
    with the vector as 32-bit floats."""
    error: str | None = None
    """The reason word of a terminal outcome."""
    client: str = ""
    """What sent it, such as `aiohttp` or `litellm`."""
    busy_core_s: float | None = None
    """CPU-seconds of a self-hosted server over the request."""
    latency_ms: float | None = None
    """Time to the whole answer, as the sender saw it; for provenance, never for latency objectives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a stored raw body says, parsed on reading."""

    text: str
    finish_reason: str | None
    usage: Tokens
    model: str | None = None
    """The model the provider says it used."""
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One answer of one variant to one case: a line of generations.parquet."""

    variant: str
    case_id: str
    sample: int
    row: Row
    reply: Reply | None
    """None for a terminal outcome that brought no answer."""
    attempts: tuple[Attempt, ...]
    """Every attempt ever made for the row's key, by time."""
    stated_usd: float | None = None
    """Dollars that an imported answer is said to have cost; None where nothing was said."""

    @property
    def answer(self) -> str | None:
        """The answer's text, or None where the user got none, or nobody knows it."""
        return None if self.reply is None or self.row.outcome != "answered" else self.reply.text


@dataclass(frozen=True, slots=True)
class Scored:
    """A score in [0, 1]."""

    score: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Abstained:
    """The evaluator could not say: unread is not wrong."""

    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """There was no answer to score, which counts as 0: the user got nothing."""

    why: str


Outcome: TypeAlias = Scored | Abstained | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """One generation in one dimension: a line of judgments.parquet."""

    variant: str
    case_id: str
    sample: int
    dimension: str
    outcome: Outcome
    judge: str | None = None
    """The judge whose word counts; None for evaluators that need none."""
    rows: tuple[Row, ...] = ()
    """The paid rows behind it, in order of escalation."""
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRow:
    """One request of a probe: a line of probes.parquet. Times are nanoseconds since the block's start.

    The times of an imported answer stand in the same form, as a request sent when it was due, at 0.
    """

    case_id: str
    variant: str
    block: int
    index: int
    scheduled_ns: int
    sent_ns: int
    first_ns: int | None = None
    """The first chunk with content; None where none came."""
    last_ns: int | None = None
    error: str | None = None
    usage: Tokens = Tokens()
    client: str = ""
    key: str = ""
    """Of the block's row in the store; of an imported answer, its own."""

    @property
    def ttft_ms(self) -> float | None:
        """From the scheduled send to the first content, so that a stalled sender cannot hide a stalled server."""
        return None if self.first_ns is None or self.error else (self.first_ns - self.scheduled_ns) / 1e6

    @property
    def full_ms(self) -> float | None:
        """From the scheduled send to the last content."""
        return None if self.last_ns is None or self.error else (self.last_ns - self.scheduled_ns) / 1e6
