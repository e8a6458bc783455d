"""An evaluation: what is compared, on what, against which objectives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.looks import Looks, Split
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.routes import Routes, RoutesByVariant
from triaxis.domain.rubric import Judged, Rubric, Similarity
from triaxis.domain.slo import Slo
from triaxis.domain.variant import Delivery, ImportedVariant, Limits, ModelVariant, RoutedVariant, Target, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """What one model costs, in dollars; None where the price table has no such column."""

    model: str
    source: str
    """`litellm` or the path of the workspace's prices file."""
    input_cost_per_token: Decimal | None = None
    output_cost_per_token: Decimal | None = None
    cache_read_input_token_cost: Decimal | None = None
    cache_creation_input_token_cost: Decimal | None = None
    output_cost_per_reasoning_token: Decimal | None = None
    input_cost_per_token_batches: Decimal | None = None
    output_cost_per_token_batches: Decimal | None = None
    usd_per_core_hour: Decimal | None = None
    usd_per_gpu_hour: Decimal | None = None
    max_output_tokens: int | None = None
    """Bounds what a call without `max_tokens` may cost."""

    @property
    def hourly(self) -> bool:
        """Whether it costs by the time that its server is busy."""
        return self.usd_per_core_hour is not None or self.usd_per_gpu_hour is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The rows used, by model, and the table they come from."""

    rows: Mapping[str, PriceRow]
    table_sha256: str
    """Of LiteLLM's whole table, for provenance; not part of the hash of the rows."""
    litellm_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanLabel:
    """One rater's score of one answer in one dimension."""

    id: str
    variant: str
    response_sha256: str
    dimension: str
    score: float
    rater: str
    rated_at: str
    rubric_sha256: str | None = None
    inclusion_prob: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A part of the dataset, drawn by case id so that it does not move when other cases change."""

    cases: int
    by: tuple[str, ...] = ()
    """Tags whose strata keep their shares."""
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Where and how calls are made; read from evaluation.yaml at the time of the call, never hashed."""

    targets: Mapping[str, Target]
    """By model name and endpoint identity, as `Target` keys of `target_key`."""
    limits: Limits = Limits()
    variants: Mapping[str, Delivery] = field(default_factory=dict[str, Delivery])
    """How each variant's answers are asked for, by its name; live where it is not there."""
    judges: Mapping[str, Delivery] = field(default_factory=dict[str, Delivery])
    """The same of judges."""


def target_key(model: str, endpoint: str | None) -> str:
    """The key of `Operations.targets`: a model at a server."""
    return f"{model}@{endpoint or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that decides a scorecard besides the stored rows: what `prepare` resolves and later stages read."""

    name: str
    baseline: str
    variants: tuple[Variant, ...]
    """Sorted by name."""
    cases: Sequence[Case]
    """After sampling and quarantine, sorted by id; very many are read from disk as they are asked for."""
    rubric: Rubric
    slo: Slo
    prices: Prices
    labels: tuple[HumanLabel, ...] = ()
    looks: Looks | None = None
    """None until `prepare` has counted them, and in inputs from before it did."""
    routes: RoutesByVariant = field(default_factory=dict[str, Routes])
    """What routers decided before anything was asked; `prepare` fills it in."""

    def variant(self, name: str) -> Variant:
        """The variant of that name; `check` has made sure that every name used exists."""
        return next(v for v in self.variants if v.name == name)

    def over(self, cases: Sequence[Case]) -> Inputs:
        """The same over some of its cases, in their order, with what routers decided about these."""
        place = {case.id: number for number, case in enumerate(self.cases)}
        kept = [place[case.id] for case in cases]
        return replace(self, cases=cases, routes={name: found.of(kept) for name, found in self.routes.items()})

    @property
    def generated(self) -> tuple[ModelVariant, ...]:
        """The variants whose answers models are asked for."""
        return tuple(v for v in self.variants if isinstance(v, ModelVariant))

    @property
    def callers(self) -> tuple[ModelVariant, ...]:
        """All that models are asked for, by name: variants' answers, and what routes take, under the routed one's."""
        asked = (v.caller if isinstance(v, RoutedVariant) else v for v in self.variants)
        return tuple(v for v in asked if isinstance(v, ModelVariant))

    @property
    def imported(self) -> tuple[ImportedVariant, ...]:
        """The variants whose answers exist already."""
        return tuple(v for v in self.variants if isinstance(v, ImportedVariant))

    @property
    def answering(self) -> tuple[ModelVariant | ImportedVariant, ...]:
        """The variants that have answers of their own."""
        return tuple(v for v in self.variants if not isinstance(v, RoutedVariant))

    @property
    def asks(self) -> bool:
        """Whether any model is called: for answers, or to score them."""
        return bool(self.callers) or any(isinstance(d.evaluator, Judged | Similarity) for d in self.rubric.active)

    @property
    def routed(self) -> tuple[RoutedVariant, ...]:
        """The views over other variants."""
        return tuple(v for v in self.variants if isinstance(v, RoutedVariant))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A case that validation kept out, and why."""

    id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The outcome of one Great Expectations expectation."""

    name: str
    column: str | None
    success: bool
    failing_ids: tuple[str, ...]
    checked: int
    detail: str
    """What was expected, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether the ground truth is fit."""

    expectations: tuple[Expectation, ...]
    quarantined: tuple[Quarantined, ...]
    cases: int
    """Cases looked at."""

    @property
    def success(self) -> bool:
        """Whether every expectation held."""
        return all(e.success for e in self.expectations)


OnBadCases = Literal["stop", "quarantine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A workspace as read: the inputs before sampling and validation, and what is needed to run them."""

    config: str
    """Path of the evaluation file, relative to the workspace."""
    reports: str
    inputs: Inputs
    """With every case of the dataset, before sampling and quarantine."""
    sample: Sample | None
    on_bad_cases: OnBadCases
    expectations: JsonValue
    """The Great Expectations suite as parsed, or None."""
    operations: Operations
    files: tuple[str, ...]
    """Every file that was read, relative to the workspace, sorted: the dependencies of `prepare`."""
    dataset: str = ""
    """Path of the cases, relative to the workspace."""
    notices: tuple[str, ...] = field(default=())
    """What is odd but legal, one sentence each."""
    responses: Iterable[ImportedResponse] = ()
    """The outputs of all imported variants, in any order; read anew each time, since they may not fit into memory."""
    split: Split | None = None
    """Which side of the dataset is evaluated; None for all of it."""
    longest_response: int = 0
    """Bytes of the longest imported answer, which bound what judging it may cost."""
