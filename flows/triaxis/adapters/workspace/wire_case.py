"""A case and a human label as they are written, for the published schemas and for human labels' reading.

Cases are read by `case_values`, which is ten times as fast on large datasets; a test holds the two to each other.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from triaxis.adapters.workspace.wire import NonNegative, Sha256, Share, Text, Wire


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
