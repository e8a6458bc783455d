"""What was measured of a routed variant's routing: where it sent cases, what mistakes cost, what else could be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triaxis.quantities import Absent, Estimate, Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmShare:
    """The cases that one arm answers."""

    arm: str
    n: int
    share: float
    """Of production's requests: of the cases, where no mix says what these are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misroute:
    """The cases that went to one arm and should have gone to another, or went where they should."""

    chosen: str
    right: str
    """The arm that the oracle names."""
    n: int
    share: float
    """Of production's requests that have an oracle; of the cases, where no mix says what these are."""
    differences: Mapping[str, Estimate | Absent] = field(default_factory=dict[str, Estimate | Absent])
    """Chosen minus right over these same cases: `usd` and `ms` a request, and `precision`; none where it is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One way to answer all cases, beside which the router stands."""

    name: str
    """`router`, `always ARM`, `random` or `oracle`."""
    n: int
    """Cases it is measured on."""
    precision: Measure
    """The composite."""
    usd: Measure
    """Dollars a request."""
    latency: Mapping[str, Measure]
    """Milliseconds of the whole answer at p50 and p95."""
    router_less: Mapping[str, Estimate | Absent] = field(default_factory=dict[str, Estimate | Absent])
    """The router less this way over the cases that both have: `precision` and `usd`; nothing of the router itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdSweep:
    """What other thresholds of the router's confidence would give, with two arms."""

    weak: str
    strong: str
    """The arm of the higher composite over the cases that both answered."""
    n: int
    share: float
    """Of these cases, weighed to production's mix, what the router sends to the strong arm."""
    quality: float
    """And the composite that this gives."""
    curve: tuple[tuple[float, float], ...]
    """Share sent to the strong arm, and composite; at most 101 points."""
    apgr: Estimate | Absent
    """Average performance gap recovered; 0.5 is a router that draws."""
    cpt: Mapping[str, Estimate | Absent]
    """Share of calls to the strong arm that recovers 50% and 80% of the gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The routing decisions of one variant, held against ground truth."""

    by: str
    """`field`, `keyword`, `regex`, `python`, `classifier`, `model` or `cascade`."""
    how: str
    """How it decided, and what of that is measured, in words."""
    shares: tuple[ArmShare, ...]
    undecided: int
    """Cases for which the router named no route, so that the default answered."""
    right: float | Absent
    """Share of decisions that are right, where ground truth says what is."""
    misroutes: tuple[Misroute, ...]
    alternatives: tuple[Alternative, ...]
    sweep: ThresholdSweep | None = None
    usd: float | Absent | None = None
    """Mean dollars a request of the calls before the answer, a router's or a cascade's first; None: there are none."""
    ms: float | Absent | None = None
    """Mean milliseconds a request that they take."""
