"""What people decided on a scorecard: which variant ships, who said so, why, and what they looked away from."""

from __future__ import annotations

from dataclasses import dataclass

from triaxis.domain.scorecard import Verdict
from triaxis.domain.slo import Weights

AGAINST_BASELINE = "baseline."
"""Before a measure's name: that measure held against the baseline's, as a waiver names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A known miss that somebody answers for until a day. It changes no verdict; it stands beside one."""

    objective: str
    """The measure's name, `precision.tone`; or `baseline.precision.tone` where it is worse than the baseline's."""
    approver: str
    because: str
    until: str
    """ISO date, the last day on which it holds."""

    def expired(self, today: str) -> bool:
        """Whether it no longer holds on an ISO date."""
        return today > self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A variant that was not chosen."""

    variant: str
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One choice."""

    variant: str
    verdict: Verdict
    """The scorecard's own, whatever was waived."""
    approver: str
    because: str
    decided_at: str
    """ISO time in UTC."""
    rejected: tuple[Alternative, ...]
    waivers: tuple[Waiver, ...] = ()
    weights: Weights | None = None
    """How much each axis counts, and why, as the SLO had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """The content of decision.json: every decision on one scorecard. None is ever taken back; the last one counts."""

    schema_version: int
    scorecard: str
    name: str
    """Of the evaluation."""
    decisions: tuple[Decision, ...]
    """Oldest first."""
