"""Which variants of a factorial are set against which, so that what levers do to each other can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from triaxis.domain.variant import Variant

MOST_ORDER = 3
"""Interactions of more levers than this are not looked for: nobody can read them."""

Levers = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Variants whose sum is set against the sum of others."""

    of: str
    """The variant without any of the levers."""
    levers: Levers
    plus: tuple[str, ...]
    """A name stands here as often as it counts."""
    minus: tuple[str, ...]
    aliases: tuple[Levers, ...] = ()
    """The interactions that the contrast adds up, where it is not the one of `levers` alone."""


def contrasts(variants: Sequence[Variant]) -> tuple[Contrast, ...]:
    """Every interaction that the variants of a factorial can tell, pairs first; nothing where there is no factorial."""
    base = next((v.extends for v in variants if len(v.factors) == 1), None)
    if base is None or base not in {v.name for v in variants}:
        return ()
    runs = {v.factors: v.name for v in variants if v.factors} | {(): base}
    joined = sorted((levers for levers in runs if len(levers) > 1), key=lambda levers: (len(levers), levers))
    return tuple(contrast for levers in joined for contrast in _contrast(base, levers, runs))


def _contrast(base: str, levers: Levers, runs: Mapping[Levers, str]) -> Iterator[Contrast]:
    """The interaction of these levers alone, where all that they can be split into was run; else the sum of several."""
    if all(part in runs for part in _parts(levers)):
        if len(levers) <= MOST_ORDER:
            signed = [(runs[part], (len(levers) - len(part)) % 2 == 0) for part in _parts(levers)]
            plus, minus = (tuple(name for name, adds in signed if adds is side) for side in (True, False))
            yield Contrast(of=base, levers=levers, plus=plus, minus=minus)
    elif all((lever,) in runs for lever in levers):
        plus = (runs[levers], *[base] * (len(levers) - 1))
        aliases = tuple(part for part in _parts(levers) if len(part) > 1)
        minus = tuple(runs[lever,] for lever in levers)
        yield Contrast(of=base, levers=levers, plus=plus, minus=minus, aliases=aliases)


def _parts(levers: Levers) -> tuple[Levers, ...]:
    """Every subset, from none of the levers to all of them."""
    return tuple(part for size in range(len(levers) + 1) for part in combinations(levers, size))
