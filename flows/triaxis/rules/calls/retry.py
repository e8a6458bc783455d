"""Whether and when a failed call is sent again: exponential backoff with full jitter.

Full jitter spreads callers that failed together over the whole interval ("Exponential Backoff And Jitter", AWS
Architecture Blog, 2015). A refusal for load costs nothing and passes, so it is borne more often than a failure.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 0.5
MOST_S = 30.0
REFUSALS_PER_ATTEMPT = 5
"""Refusals for load that weigh as much as one failure."""
LONGEST_WAIT_S = 300.0
"""A provider that asks for more is not waited for: the run ends, and the next one sends what is missing."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What one request has met so far."""

    failed: int = 0
    refused: int = 0
    """Refusals for load, which are not billed."""

    def and_one(self, *, refused: bool) -> Failures:
        """One failure more."""
        return Failures(self.failed + (not refused), self.refused + refused)

    def exhausted(self, max_attempts: int) -> bool:
        """Whether the request is given up."""
        return self.failed + self.refused / REFUSALS_PER_ATTEMPT >= max_attempts


def wait_s(failures: Failures, *, max_attempts: int, draw: float, retry_after_s: float | None = None) -> float | None:
    """Seconds to wait before the next send; None gives up.

    Args:
        failures: so far, the last one among them.
        max_attempts: sends, refusals for load apart.
        draw: uniform in [0, 1).
        retry_after_s: what the provider asked for; the wait is never shorter.
    """
    least = retry_after_s or 0.0
    if failures.exhausted(max_attempts) or least > LONGEST_WAIT_S:
        return None
    doublings = min(failures.failed + failures.refused - 1, 16)
    return least + draw * min(MOST_S, FIRST_S * 2.0**doublings)
