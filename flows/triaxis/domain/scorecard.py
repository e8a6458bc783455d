"""The scorecard: verdicts with the estimates they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.frontier import Front, Winners
from triaxis.domain.levers import Interaction, LeverCheck
from triaxis.domain.looks import Looks
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.slo import Axis, Weights
from triaxis.quantities import Absent, Measure

METHOD_VERSION = 3
"""Changes only when a rule of the numbers changes."""
SCHEMA_VERSION = 1

ObjectiveVerdict: TypeAlias = Literal["pass", "fail", "inconclusive"]
Comparison: TypeAlias = Literal["better", "same", "worse", "inconclusive"]
Verdict: TypeAlias = Literal["promote", "hold", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedObjective:
    """One objective with its estimate, its verdict and the reason in words."""

    axis: Axis
    name: str
    """The measure's name: `latency.full.p95`, `cost.per_session`, `precision.NAME[TAG=VALUE]`, `errors.rate`."""
    target: float
    estimate: Measure
    verdict: ObjectiveVerdict
    why: str
    bound: float | None
    """The end of the interval that decides, None for an absent estimate."""
    guard: float
    """How far beyond the target the bound may lie, in the measure's unit."""
    more: int | None = None
    """About how many more independent units would settle an inconclusive one if its value stays; None: none would."""
    point: float | None = None
    """The value where the estimate is absent for want of an upper bound alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One measure against the baseline's."""

    difference: DifferenceOrAbsent
    verdict: Comparison
    gated: bool
    """Whether the SLO has a margin for this measure's axis."""
    margin: float | None
    """In the measure's unit."""
    p_adjusted: float | None = None
    """Holm's, of all comparisons of the variant that gate, or of all that do not; better and worse rest on it."""
    more: int | None = None
    """About how many more independent units would settle an inconclusive one; None: none would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverCard:
    """What pulling a variant's levers did to the variant that it extends; nothing here gates."""

    of: str
    effects: Mapping[str, Compared]
    """By measure name."""
    checks: tuple[LeverCheck, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedInteraction:
    """An interaction with its label."""

    interaction: Interaction
    verdict: Comparison
    """`worse`: the levers together do less good, or more harm, than their effects would add up to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Each axis normalised to 0 to 1, for reading; never gated."""

    latency: float | Absent
    cost: float | Absent
    precision: float | Absent
    composite: float | Absent
    binding: Axis | None
    """The axis with the least headroom to its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCard:
    """One variant's part of a scorecard."""

    measures: VariantMeasures
    axes: Axes
    objectives: tuple[JudgedObjective, ...]
    against_baseline: Mapping[str, Compared]
    verdict: Verdict
    reasons: tuple[str, ...]
    lever: LeverCard | None = None
    """Of a variant that extends another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedFrom:
    """Hashes of everything the scorecard depends on."""

    dataset_sha256: str
    rubric_sha256: str
    slo_sha256: str
    variants_sha256: str
    prices_sha256: str
    evidence_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """Whether the cases were fit to decide on."""

    cases: int
    """Cases that validation looked at."""
    success: bool
    failed: tuple[str, ...] = ()
    """Names of the expectations that did not hold, sorted."""
    quarantined: tuple[str, ...] = ()
    """Ids of the cases kept out, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """A decision's evidence, identified by its content."""

    name: str
    baseline: str
    created_from: CreatedFrom
    variants: Mapping[str, VariantCard]
    id: str
    """First 16 hex digits of the sha256 of the rest."""
    owner: str = ""
    review_by: str = ""
    """The SLO's ISO date; whether it has passed is said by whoever reads, since a scorecard holds no clock."""
    weights: Weights | None = None
    off: Mapping[str, str] = field(default_factory=dict[str, str])
    """Dimensions that score nothing, and why."""
    weighted_to_mix: bool = False
    """Whether gated figures are weighted to production's traffic mix; else they speak of the dataset's."""
    ground_truth: GroundTruth | None = None
    front: Front | None = None
    """None in a scorecard of a release that made none."""
    winners: Winners | None = None
    looks: Looks | None = None
    """What was looked at up to here; None in scorecards from before that was counted."""
    interactions: tuple[JudgedInteraction, ...] = ()
    """Of the levers that a factorial combines."""
