"""What any call of a model may be given, in evaluation.yaml and in rubric.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from triaxis.adapters.workspace.wire import Count, NonNegative, Positive, Text, Wire


class WireParams(Wire):
    """Parameters of a call; any that the model's provider knows may be given."""

    model_config = ConfigDict(extra="allow")

    temperature: NonNegative | None = None
    """Sampling temperature."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Nucleus sampling."""
    max_tokens: Count | None = None
    """Most tokens of an answer."""
    max_completion_tokens: Count | None = None
    """Most tokens of an answer, reasoning included."""
    stop: str | list[str] | None = None
    """Texts that end an answer."""
    seed: int | None = None
    """Seed of the provider's sampling."""


class WireEmbeddingParams(Wire):
    """Parameters of an embedding; any that the model's provider knows may be given."""

    model_config = ConfigDict(extra="allow")

    dimensions: Count | None = None
    """Numbers of a vector, where the model can shorten it."""


class WireProbe(Wire):
    """The live streamed load that supplies latency."""

    arrival: Literal["poisson", "constant", "trace"] = "poisson"
    """How requests are spaced."""
    rate_per_s: Positive | None = None
    """Requests a second; a trace carries its own times."""
    path: Text | None = None
    """The recorded trace: a CSV file with a column `offset_s`."""
    requests: Count | None = None
    """Measured requests: 200, or all of a trace."""
    blocks: Count = 5
    """Parts, parted in time, in which the requests are sent."""
    take: int = 1
    """Another number measures everything again."""
    seed: int = 1
    """Seed of the arrival times and of the drawn cases."""
    warmup: Annotated[int, Field(ge=0)] = 3
    """Requests before the first measured one of each block."""
    cache: Literal["cold", "warm"] = "cold"
    """`warm` declares that repeated inputs are meant."""
    timeout_s: Positive = 60.0
    """After this many seconds a request counts as failed."""
