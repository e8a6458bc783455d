"""Routers and cascades of evaluation.yaml as they are written: one model for each way to decide."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from triaxis.adapters.workspace.wire import Text, Wire
from triaxis.adapters.workspace.wire_calls import WireEmbeddingParams, WireParams, WireProbe


class WireRouter(Wire):
    """What every router has."""

    arms: Annotated[dict[Text, Text], Field(min_length=1)]
    """Route to the name of the variant that answers."""
    default: Text | None = None
    """The variant for cases without a route, or whose route names no arm."""
    oracle: Text | None = None
    """The tag that holds the right route."""


class WireFieldRouter(WireRouter):
    """A field of the case is the route."""

    by: Literal["field"]
    """field"""
    field: Text
    """The slice tag, or `route`, whose text is the route."""


class WireKeywordRule(Wire):
    """Words that lead to a route."""

    any: Annotated[list[Text], Field(min_length=1)]
    """Words or phrases, one of which the input must have; whole words, in capitals or not."""
    arm: Text
    """The route: a key of `arms`."""


class WireKeywordRouter(WireRouter):
    """Words in the input name the route."""

    by: Literal["keyword"]
    """keyword"""
    rules: Annotated[list[WireKeywordRule], Field(min_length=1)]
    """The first that matches decides."""


class WirePatternRule(Wire):
    """A regular expression that leads to a route."""

    pattern: Text
    """A regular expression of Python, looked for in the first 10,000 characters of the input."""
    arm: Text
    """The route: a key of `arms`."""


class WireRegexRouter(WireRouter):
    """Regular expressions over the input name the route."""

    by: Literal["regex"]
    """regex"""
    rules: Annotated[list[WirePatternRule], Field(min_length=1)]
    """The first that is found decides."""


class WirePythonRouter(WireRouter):
    """A function of the workspace names the route."""

    by: Literal["python"]
    """python"""
    function: Annotated[str, Field(pattern=r"^[^:]+\.py:[A-Za-z_][A-Za-z0-9_]*$")]
    """FILE.py:NAME of `NAME(case: dict)`, which returns a route, (route, confidence), or None for the default."""


class WireClassifierRouter(WireRouter):
    """A classifier that learned the dataset's routes, each case routed by one that has not seen it."""

    by: Literal["classifier"]
    """classifier"""
    learns: Text | None = None
    """The tag that holds the routes to learn; else the oracle, else `route`."""
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    """In how many parts the cases are routed, each by what the others teach."""
    seed: int = 1
    """Another seed makes other parts."""
    embedding: Text | None = None
    """The model whose embeddings of the input it learns from, by its LiteLLM name or local/NAME; else from words."""
    api_base: Text | None = None
    """Address of that model's server, where it is not the provider's own."""
    endpoint: Text | None = None
    """Identity of that server in keys and hashes; else host and port of api_base."""
    params: WireEmbeddingParams = WireEmbeddingParams()
    """Parameters of the embedding's call."""


class WireModelRouter(WireRouter):
    """A model names the route, in one call a case."""

    by: Literal["model"]
    """model"""
    default: Text  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride] - required here
    """The variant for cases for which the model names no route."""
    model: Text
    """A LiteLLM model name such as openai/gpt-4o-mini, or local/NAME."""
    api_base: Text | None = None
    """Address of the server, where it is not the provider's own."""
    endpoint: Text | None = None
    """Identity of the server in keys and hashes; else host and port of api_base."""
    prompt: Text
    """A template file that asks for the route of a case."""
    params: WireParams = WireParams()
    """Parameters of the call."""
    probe: WireProbe | None = None
    """The load that measures how long the router takes; without one the variant has no latency."""


ROUTERS: dict[str, type[WireRouter]] = {
    "field": WireFieldRouter,
    "keyword": WireKeywordRouter,
    "regex": WireRegexRouter,
    "python": WirePythonRouter,
    "classifier": WireClassifierRouter,
    "model": WireModelRouter,
}

AnyRouter: TypeAlias = Annotated[
    WireFieldRouter | WireKeywordRouter | WireRegexRouter | WirePythonRouter | WireClassifierRouter | WireModelRouter,
    Field(discriminator="by"),
]


class WireEscalation(Wire):
    """When the first answer is not good enough."""

    when: Literal["check", "confidence"]
    """A check that the answer must pass, or a confidence that it must reach."""
    dimension: Text
    """The dimension of the rubric whose score of the first answer decides; one that needs no expected answer."""
    below: Annotated[float, Field(gt=0, le=1)] | None = None
    """A score under this escalates; 1 of a check, and required of a confidence."""


class WireCascade(Wire):
    """The first arm answers every case, and the second those whose first answer is not good enough."""

    arms: Annotated[list[Text], Field(min_length=2, max_length=2)]
    """Names of the two variants, the cheap one first."""
    escalate: WireEscalation
    """When the second one is asked."""
    oracle: Text | None = None
    """The tag that holds the name of the right arm."""
