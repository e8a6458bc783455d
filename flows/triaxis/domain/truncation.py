"""How answers ended, and what became of the scores of those that a cap cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triaxis.domain.difference import DifferenceOrAbsent

CUT = "length"
"""The finish reason of an answer that a cap cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """Answers of one slice that ended in one way under one cap."""

    reason: str
    """The finish reason, such as `length`."""
    cap: int | None
    """Most tokens that an answer could have; None where nothing limited it but the model."""
    where: Mapping[str, str] = field(default_factory=dict[str, str])
    """The tag, or `route`, with its value; empty for all cases."""
    n: int
    """Answers that ended so."""
    of: int
    """All answers of the slice."""
    score: float | None
    """Mean of their cases' scores over the dimensions, by weight; None where nothing was scored."""
    against: str
    """The variant whose answers to the same cases they are compared with, those that it cut itself left out."""
    change: DifferenceOrAbsent
    """Of that score."""
    changes: Mapping[str, float] = field(default_factory=dict[str, float])
    """Mean change by dimension, without an interval; a dimension that scored none of the cases is not there."""
