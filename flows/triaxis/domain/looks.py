"""How often an evaluation's cases were looked at, and how many candidates were tried on them.

The best of many candidates looks better than it is, and so does one that was tuned between looks. Cases that nobody
looked at before, the holdout, show it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Side: TypeAlias = Literal["rest", "holdout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A dataset parted in two: the rest, on which candidates are compared, and the holdout, on which one is confirmed.

    Sessions are never parted.
    """

    holdout: float
    """Share of the cases that is held out."""
    use: Side
    by: tuple[str, ...] = ()
    """Tags whose strata each give their share; without one every case goes by its own hash alone."""
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What was looked at up to a scorecard, itself included."""

    datasets: int
    """Different versions of the cases."""
    variants: int
    """Different candidates, the baseline apart."""
    split: Split | None = None
    cases: int | None = None
    """Cases on this side of the split, before sampling and quarantine; None without a split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One archived scorecard, as far as looks are counted."""

    dataset_sha256: str
    variants_sha256: str
    candidates: frozenset[str]
    """A hash of each, or its name where none was kept."""
    looks: tuple[int, int] | None = None
    """Datasets and variants as it counted them; None where it was made before anything was counted."""
