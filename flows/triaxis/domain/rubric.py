"""The rubric: dimensions, their evaluators, and judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Where

Normalize: TypeAlias = Literal["none", "strip", "casefold", "alnum"]


@dataclass(frozen=True, slots=True)
class Exact:
    """1 if the answer equals expected, or any of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains:
    """1 if expected text, or all (or any) of an expected list, occurs in the answer."""

    need: Literal["all", "any"] = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """1 if the pattern is found in the answer."""

    pattern: str


@dataclass(frozen=True, slots=True)
class TokenF1:
    """SQuAD-style F1 of tokens against the best of expected (Rajpurkar et al. 2016, arXiv 1606.05250)."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Share of the listed expected items that occur in the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeric:
    """1 if the last number in the answer is within the tolerance of expected."""

    tolerance: float | None = None
    relative: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchema:
    """1 if the answer parses as JSON and fits the schema."""

    schema: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """1 if the one label found in the answer equals expected; none or several is 0."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """1 if the answer's length in characters is within the bounds."""

    max_chars: int | None = None
    min_chars: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """1 unless the answer was cut by a cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Cosine of the embeddings of the answer and the best of expected, clipped to [0, 1]."""

    model: str
    endpoint: str | None = None
    params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonFunction:
    """The workspace's own evaluator: `name(case: dict, answer: str) -> float, bool or None` (None abstains)."""

    file: str
    function: str
    source: str
    """The file's text, by which the evaluator is hashed."""
    blind: Literal[True] | None = None
    """Whether it decides when a cascade escalates, so that it is shown nothing that only ground truth knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeModel:
    """A model that judges."""

    name: str
    model: str
    endpoint: str | None = None
    params: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A model's score on a scale, asked for as JSON `{"reason", "score"}`."""

    path: str
    template: str
    """The judge's prompt template over input, context, expected and answer."""
    judges: tuple[JudgeModel, ...] = ()
    """In order of escalation; empty where none is configured, which turns the dimension off."""
    scale: tuple[float, float] = (0.0, 1.0)
    escalate: tuple[float, float] | None = None
    """Scores (0 to 1) between these bounds go to the next judge."""
    license: Literal["calibrated", "none"] = "calibrated"
    """`none` lets an uncalibrated judge gate, on the author's word."""


Evaluator: TypeAlias = (
    Exact
    | Contains
    | Regex
    | TokenF1
    | Recall
    | Numeric
    | JsonSchema
    | Label
    | Length
    | Finished
    | Similarity
    | PythonFunction
    | Judged
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One independent aspect of quality, scored 0 to 1."""

    name: str
    evaluator: Evaluator
    where: Where = field(default_factory=dict[str, tuple[str, ...]])
    weight: float = 1.0
    normalize: Normalize = "strip"
    enabled: bool = True

    @property
    def off(self) -> str | None:
        """Why the dimension scores nothing, or None where it is on."""
        if not self.enabled:
            return "switched off in the rubric"
        if isinstance(self.evaluator, Judged) and not self.evaluator.judges:
            return "no judge model is configured"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """All dimensions, sorted by name."""

    dimensions: tuple[Dimension, ...]

    @property
    def active(self) -> tuple[Dimension, ...]:
        """The dimensions that score."""
        return tuple(d for d in self.dimensions if d.off is None)
