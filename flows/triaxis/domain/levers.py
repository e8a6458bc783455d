"""What a lever did: the effect of pulling it, whether it did what it says, and how levers act on each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from triaxis.domain.difference import DifferenceOrAbsent

CheckOutcome: TypeAlias = Literal["holds", "broken", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverCheck:
    """Whether a lever did the one thing that it is pulled for; no verdict rests on it."""

    lever: str
    """Such as `prompt_caching`."""
    outcome: CheckOutcome
    """`broken`: it changed what it must leave alone, or did nothing; `unknown`: nothing was measured that tells."""
    says: str
    """The finding in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverMeasures:
    """One variant against the one it extends."""

    of: str
    """The variant that it extends."""
    effects: Mapping[str, DifferenceOrAbsent]
    """By measure name, variant minus what it extends, paired as against the baseline."""
    checks: tuple[LeverCheck, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """What levers do together beyond what they do apart, in one measure.

    For two levers it is (AB - A) - (B - 0), where 0 is the variant that they all extend. For three it is what their
    three pairs do not explain either.
    """

    of: str
    """The variant that they all extend."""
    levers: tuple[str, ...]
    """Names of the variants that pull one lever each, in the order of the factorial."""
    measure: str
    difference: DifferenceOrAbsent
    """Its `baseline` is the value of `of`, to which relative margins refer."""
    aliases: tuple[tuple[str, ...], ...] = ()
    """Interactions that a fraction of the design cannot tell apart: the figure is the sum of all of them. Empty where
    it is the one of `levers` alone."""
