"""One variant minus another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from triaxis.quantities import Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Variant minus baseline, paired by case over the cases both have."""

    difference: float
    low: float
    high: float
    level: float
    n: float
    """Independent units: clusters, or blocks of a probe."""
    method: str
    baseline: float
    """The baseline's own value over the same pairs, to which relative margins refer."""
    p: float | None = None
    """Two-sided, of there being no difference, by the method of the interval."""
    p_exact: float | None = None
    """McNemar's exact one, where right and wrong are compared and nothing is clustered or weighted."""


DifferenceOrAbsent: TypeAlias = Difference | Absent
