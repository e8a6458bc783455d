"""What is said of a difference: its estimate, and how likely as much is where there is none."""

from __future__ import annotations

from dataclasses import dataclass

from triaxis.quantities import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedEstimate(Estimate):
    """An estimate of a difference between two variants over the same cases."""

    p: float
    """Two-sided, of there being no difference; below 1 - level where the interval excludes 0."""
