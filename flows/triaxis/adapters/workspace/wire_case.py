"""A case, an imported output and a human label as they are written, for the published schemas and labels' reading.

Cases and outputs are read by `case_values` and `response_values`, which are ten times as fast on large files; tests
hold them to what is published.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue

from triaxis.adapters.workspace.wire import NonNegative, Sha256, Share, Text, Wire

Tokens: TypeAlias = Annotated[int, Field(ge=0)]


class WireMessage(Wire):
    """One message of a chat."""

    role: Literal["system", "developer", "user", "assistant"]
    """Who speaks."""
    content: str
    """What is said."""


class WireStep(Wire):
    """One step of a case that takes several calls."""

    name: Text
    """The step."""
    success: bool | None = None
    """Whether it succeeded."""
    latency_ms: NonNegative | None = None
    """How long it took."""
    cost_usd: NonNegative | None = None
    """What it cost."""


class WireCase(Wire):
    """One piece of ground truth, a line of cases.jsonl."""

    id: Text
    """Identity of the case; text, never a number."""
    input: str | Annotated[list[WireMessage], Field(min_length=1)]
    """What is asked: text, or a list of messages."""
    expected: str | list[JsonValue] | dict[str, JsonValue] | None = None
    """What should come out: text, a list of texts, or an object."""
    context: str | list[str] | None = None
    """Passages that the answer rests on."""
    slice: dict[Text, str | bool | int | float | None] | None = None
    """Tags, by which objectives and dimensions select cases."""
    session: Text | None = None
    """Cases of one session are one cluster in every interval."""
    route: Text | None = None
    """The right route."""
    steps: list[WireStep] | None = None
    """Steps of a case that takes several calls."""
    value: float | None = None
    """What the case is worth."""
    passages: Annotated[list[Text], Field(min_length=1)] | None = None
    """Ids of the passages of a retriever's corpus that should be found."""


class WireResponse(Wire):
    """One output that exists already, a line of the file that a variant's `responses` names."""

    id: Text
    """The case that was answered; text, never a number."""
    response: str | None = None
    """What was said; with neither this nor an error it is not known."""
    ttft_ms: NonNegative | None = None
    """Milliseconds from the send to the first token."""
    latency_ms: NonNegative | None = None
    """Milliseconds from the send to the last."""
    prompt_tokens: Tokens | None = None
    """All of the prompt's, with the cached ones."""
    cached_tokens: Tokens | None = None
    """Those of them that were read from the provider's cache."""
    completion_tokens: Tokens | None = None
    """Those of the answer."""
    cost_usd: NonNegative | None = None
    """What it cost; else the tokens are priced at the variant's model."""
    steps: list[WireStep] | None = None
    """What it was made of; latency and cost that the row does not say are summed over them."""
    error: Text | None = None
    """Why there is no answer, in a word."""
    finish_reason: Text | None = None
    """Why the answer ended: `length` where a cap cut it."""
    model: Text | None = None
    """The model that is said to have answered."""


class WireHumanLabel(Wire):
    """One rater's score of one answer in one dimension, a line of human.jsonl."""

    id: Text
    """The case."""
    variant: Text
    """The variant whose answer was rated."""
    response_sha256: Sha256
    """Of the answer's text, UTF-8."""
    dimension: Text
    """The dimension of the rubric."""
    score: Share
    """0 to 1."""
    rater: Text
    """Who rated."""
    rated_at: Text
    """When, ISO 8601."""
    rubric_sha256: Sha256 | None = None
    """The rubric that the rater had."""
    inclusion_prob: Annotated[float, Field(gt=0, le=1)] | None = None
    """The chance with which the answer was drawn for rating."""
    reason: str | None = None
    """Why."""
