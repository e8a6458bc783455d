"""What `assess` measured: the content of measures.json, from which `decide` makes verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.frontier import Front
from triaxis.domain.levers import Interaction, LeverMeasures
from triaxis.domain.routing import Routing
from triaxis.domain.step_measures import StepsMeasures
from triaxis.domain.traffic import AtScale
from triaxis.domain.truncation import Truncation
from triaxis.quantities import Estimate, Measure, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is of everything."""

    cases: int
    generated: int
    """Generations with an answer, repeats counted."""
    failed: int
    """Generations whose outcome is terminal."""
    probed: int
    """Measured probe requests, failures among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFacts:
    """What is needed to trust a probe, or the times that were imported in its place."""

    client: str
    """What sent the requests; `imported` where they were sent by somebody else."""
    blocks: int
    """0 for imported times, of which no schedule is known."""
    requests: int
    warmup: int
    errors: int
    lag_p99_ms: float | None
    """99th percentile of actual minus scheduled send; None for imported times, whose sender nobody watched."""
    autocorrelated: bool
    """Whether the bounds come from blocks."""
    cached_share: float | None
    """Share of prompt tokens read from cache, where reported."""
    histogram_ms: Mapping[str, tuple[float, ...]]
    """Per measure (`full`, `ttft`): the successes' milliseconds at 0, 1, ..., 100%, for the pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyMeasures:
    """Quantiles by measure (`full`, `ttft`) and statistic (`p50`, `p95`, `p99`)."""

    quantiles: Mapping[str, Mapping[str, Measure]]
    """Failures ranked slower than every success."""
    successes: Mapping[str, Mapping[str, Measure]]
    """Over successes only, as published tables have it."""
    facts: ProbeFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostMeasures:
    """Production cost, and beside it what the evaluation itself spent."""

    per_request: Measure
    per_session: Measure
    per_month: Measure
    parts: Mapping[str, float]
    """Mean dollars a request by kind: input, cached, cache_write, output, reasoning, compute, stated."""
    cached_share: float | None
    cached_share_source: str
    """`measured`, `declared` or `unknown`."""
    judge_usd: Money
    spent_usd: Money
    """What the variant's rows are known to have cost, failed attempts included, judging apart."""
    possible_usd: Money
    """No more than this was billed on top, by attempts of unknown fate."""
    at_scale: AtScale | None = None
    """Under the SLO's traffic profiles; None where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionMeasures:
    """One dimension of one variant."""

    overall: Measure
    """Failures count 0, abstentions are left out."""
    answered_only: Measure
    """Over answered cases."""
    scored: int
    abstained: int
    failed: int
    unvalidated: bool
    """A judge without calibration, which cannot gate."""
    slices: Mapping[str, Mapping[str, Measure]]
    """Tag to value to estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveMeasure:
    """The estimate one objective is judged by, at the objective's own level and slice."""

    estimate: Measure
    if_abstained_fail: Measure | None = None
    """The same with every abstention scored 0; None where nothing abstained."""
    if_abstained_pass: Measure | None = None
    """The same with every abstention scored 1."""
    units: int | None = None
    """Independent units that carry it; under ten decide nothing."""
    unit: str = "cases"
    """What the units are, in the plural: cases, sessions, calls or requests."""
    abstained: int = 0
    """Scores that could not be read; the two estimates above say what they could change."""
    unvalidated: bool = False
    """Whether it is the word of a judge that nobody calibrated."""
    point: float | None = None
    """The value where it has no upper bound, and so no estimate: `decide: point` needs none."""
    floor: float | None = None
    """What that value is no lower than: enough to fail by, and never to pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantMeasures:
    """Everything measured of one variant."""

    name: str
    levers: tuple[str, ...]
    route_arms: Mapping[str, str]
    n: Counts
    error_rate: Measure
    latency: LatencyMeasures
    cost: CostMeasures
    precision: Mapping[str, DimensionMeasures]
    objectives: tuple[ObjectiveMeasure, ...]
    """In the order of `Slo.objectives`."""
    against_baseline: Mapping[str, DifferenceOrAbsent] = field(default_factory=dict[str, DifferenceOrAbsent])
    """By measure name; empty for the baseline."""
    steps: StepsMeasures | None = None
    """None where neither its answers nor the cases have steps."""
    routing: Routing | None = None
    """Of a routed variant; None of any other."""
    lever: LeverMeasures | None = None
    """Of a variant that extends another."""
    recall: Measure | None = None
    """Share of the labelled passages that its retriever finds; None without a retriever."""
    truncation: tuple[Truncation, ...] = ()
    """How its answers ended, where a cap cut some; empty for the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The content of measures.json."""

    variants: Mapping[str, VariantMeasures]
    evidence_sha256: str
    weighted_to_mix: bool
    """Whether gated figures are weighted to production's traffic mix."""
    front: Front | None = None
    """None in measures of a release that made none."""
    interactions: tuple[Interaction, ...] = ()
    """Of the levers that a factorial combines."""


def estimated(measure: Measure) -> float | None:
    """The value of an estimate, None where there is none."""
    return measure.value if isinstance(measure, Estimate) else None
