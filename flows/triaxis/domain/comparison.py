"""Two scorecards, or two variants, held against each other case by case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triaxis.domain.scorecard import Compared, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesChanged:
    """How the cases of two scorecards differ; ids are sorted."""

    common: int
    """Cases that both have with the same content, over which everything is paired."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    altered: tuple[str, ...]
    """In both, with other content: whatever was measured of them is not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputChange:
    """One thing that the second side was made from otherwise."""

    cause: str
    """`objectives`, `rubric`, `prices` or `variants`."""
    what: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What one change alone makes of the first side's verdicts."""

    cause: str
    """One of `InputChange`, or `cases` or `answers`."""
    verdicts: Mapping[str, Verdict]
    """By variant of the first side; empty where it could not be tried."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One variant of each side."""

    before: str
    after: str
    verdicts: tuple[Verdict, Verdict]
    differences: Mapping[str, Compared]
    """After minus before, by measure, labelled by the second side's margins; empty where both are `alike`."""
    alike: bool = False
    """Whether every answer, score, cost and time of the common cases is the same on both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that can be said of two sides."""

    before: str
    """Scorecard id."""
    after: str
    cases: CasesChanged
    changes: tuple[InputChange, ...]
    pairs: tuple[Pair, ...]
    attempts: tuple[Attempted, ...] = ()
    """Each change alone, tried on the first side's evidence; only where a verdict changed."""

    def enough(self, pair: Pair) -> tuple[str, ...]:
        """The causes that alone turn the pair's first verdict into its second."""
        if pair.verdicts[0] == pair.verdicts[1]:
            return ()
        return tuple(a.cause for a in self.attempts if a.verdicts.get(pair.before) == pair.verdicts[1])
