"""rubric.yaml as it is written: one model for each evaluator."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from triaxis.adapters.workspace.wire import Name, NonNegative, Share, Text, Wire, WireFile, WireWhere
from triaxis.adapters.workspace.wire_calls import WireEmbeddingParams, WireParams


class WireDimension(Wire):
    """What every dimension may have."""

    where: WireWhere = Field(default={})
    """Only cases of these slices are scored: tag to a value, or to a list of alternatives."""
    weight: NonNegative = 1.0
    """How much it counts in the composite precision."""
    normalize: Literal["none", "strip", "casefold", "alnum"] = "strip"
    """What is done to answer and expected before they are compared."""
    enabled: bool = True
    """Whether it scores at all."""


class WireExact(WireDimension):
    """1 if equal to expected, or to any of a list."""

    evaluator: Literal["exact"]
    """exact"""


class WireContains(WireDimension):
    """1 if expected text, or list, occurs in the answer."""

    evaluator: Literal["contains"]
    """contains"""
    any: bool = False
    """Any of an expected list is enough."""
    all: bool = False
    """All of an expected list must occur, which is the default."""


class WireRegex(WireDimension):
    """1 if the pattern is found in the answer."""

    evaluator: Literal["regex"]
    """regex"""
    pattern: Text
    """A regular expression of Python."""


class WireTokenF1(WireDimension):
    """SQuAD-style F1 against the best of expected."""

    evaluator: Literal["token_f1"]
    """token_f1"""


class WireRecall(WireDimension):
    """Share of the listed expected items that occur in the answer."""

    evaluator: Literal["recall"]
    """recall"""


class WireNumeric(WireDimension):
    """1 if the last number in the answer is expected."""

    evaluator: Literal["numeric"]
    """numeric"""
    tolerance: NonNegative | None = None
    """How far it may be off, absolute."""
    relative: NonNegative | None = None
    """How far it may be off, as a share of expected."""


class WireJsonSchema(WireDimension):
    """1 if the answer parses as JSON and fits the schema."""

    evaluator: Literal["json_schema"]
    """json_schema"""
    schema_: Annotated[Text, Field(alias="schema")]
    """The path of a JSON Schema file."""


class WireLabel(WireDimension):
    """1 if the one label found in the answer equals expected."""

    evaluator: Literal["label"]
    """label"""
    labels: Annotated[list[Text], Field(min_length=1)]
    """The labels; none may be given twice."""


class WireLength(WireDimension):
    """1 if the answer's length is within the bounds."""

    evaluator: Literal["length"]
    """length"""
    max_chars: Annotated[int, Field(ge=0)] | None = None
    """Most characters."""
    min_chars: Annotated[int, Field(ge=0)] | None = None
    """Fewest characters."""


class WireFinished(WireDimension):
    """1 unless the answer was cut by a cap."""

    evaluator: Literal["finished"]
    """finished"""


class WireSimilarity(WireDimension):
    """Cosine of the embeddings of answer and expected, or the best of a list, clipped to 0 to 1."""

    evaluator: Literal["similarity"]
    """similarity"""
    model: Text
    """The embedding model: a LiteLLM name such as openai/text-embedding-3-small, or local/NAME."""
    api_base: Text | None = None
    """Address of the server, where it is not the provider's own."""
    endpoint: Text | None = None
    """Identity of the server in keys and hashes; else host and port of api_base."""
    params: WireEmbeddingParams = WireEmbeddingParams()
    """Parameters of the call."""


class WirePython(WireDimension):
    """The workspace's own evaluator."""

    evaluator: Literal["python"]
    """python"""
    function: Annotated[str, Field(pattern=r"^[^:]+\.py:[A-Za-z_][A-Za-z0-9_]*$")]
    """file.py:name, a function of the case and the answer."""


class WireEscalate(Wire):
    """When the next judge is asked."""

    between: Annotated[list[Share], Field(min_length=2, max_length=2)]
    """Scores, 0 to 1, between which the next judge is asked."""


class WireJudged(WireDimension):
    """A model's score on a scale."""

    evaluator: Literal["judge"]
    """judge"""
    prompt: Text
    """The path of the judge's template over input, context, expected and answer."""
    judges: list[Text] = Field(default=[])
    """Names of the judges, in order of escalation."""
    scale: Annotated[list[float], Field(min_length=2, max_length=2)] = Field(default=[0.0, 1.0])
    """The lowest and the highest score."""
    escalate: WireEscalate | None = None
    """When the next judge is asked."""
    license: Literal["calibrated", "none"] = "calibrated"
    """none lets an uncalibrated judge gate."""


class WireJudge(Wire):
    """A model that judges."""

    transport: Literal["live", "batch"] = "live"
    """How calls are made: one by one, or in the provider's batches at their lower price."""
    fallback: Literal["live"] | None = None
    """With transport batch: rows that batches left over are asked for live."""
    model: Text | None = None
    """A LiteLLM model name; without one the dimensions that name this judge are off."""
    api_base: Text | None = None
    """Address of the server, where it is not the provider's own."""
    endpoint: Text | None = None
    """Identity of the server in keys and hashes; else host and port of api_base."""
    params: WireParams = WireParams()
    """Parameters of the call."""


EVALUATORS: dict[str, type[WireDimension]] = {
    "exact": WireExact,
    "contains": WireContains,
    "regex": WireRegex,
    "token_f1": WireTokenF1,
    "recall": WireRecall,
    "numeric": WireNumeric,
    "json_schema": WireJsonSchema,
    "label": WireLabel,
    "length": WireLength,
    "finished": WireFinished,
    "similarity": WireSimilarity,
    "python": WirePython,
    "judge": WireJudged,
}


class WireRubricShell(WireFile):
    """A rubric whose dimensions and judges are looked at one by one."""

    dimensions: Annotated[dict[Name, object], Field(min_length=1)]
    """The aspects of quality, by name."""
    judges: dict[Name, object] = Field(default={})
    """The models that judge, by name."""


AnyDimension = Annotated[
    WireExact
    | WireContains
    | WireRegex
    | WireTokenF1
    | WireRecall
    | WireNumeric
    | WireJsonSchema
    | WireLabel
    | WireLength
    | WireFinished
    | WireSimilarity
    | WirePython
    | WireJudged,
    Field(discriminator="evaluator"),
]


class WireRubric(WireRubricShell):
    """What is scored, and how."""

    dimensions: Annotated[dict[Name, AnyDimension], Field(min_length=1)]  # pyright: ignore[reportIncompatibleVariableOverride]
    """The aspects of quality, by name."""
    judges: dict[Name, WireJudge] = Field(default={})  # pyright: ignore[reportIncompatibleVariableOverride]
    """The models that judge, by name."""
