"""What is measured of answers that take several steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from triaxis.quantities import Absent, Measure

_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMeasure:
    """One step, over the answers that reached it."""

    name: str
    answers: int
    """That have such a step."""
    success: Measure
    """Share of those that say so in which it succeeded."""
    latency_ms: Measure
    """Mean."""
    cost_usd: Measure
    """Mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsMeasures:
    """All steps of one variant's answers."""

    source: Literal["responses", "cases"]
    """Whether the answers carry steps of their own, or the cases do as data."""
    answers: int
    steps: tuple[StepMeasure, ...]
    """In the order in which answers take them."""
    latency_ms: Measure
    """Mean of the sum over an answer's steps."""
    cost_usd: Measure
    """The same of dollars."""
    product: float | Absent
    """Of the steps' success rates: the rate end to end were steps to fail independently of each other."""
    end_to_end: Measure
    """Share of answers in which every step succeeded, as observed."""
    worst: str | None
    """The step with the lowest success rate; None where none is known."""

    @property
    def gap(self) -> float | None:
        """Observed less product: above 0 where steps fail together."""
        value = getattr(self.end_to_end, "value", None)
        return None if value is None or isinstance(self.product, Absent) else round(value - self.product, _DIGITS)
