"""Which scorecards and variants the words of `compare` name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triaxis.domain.scorecard import Scorecard
from triaxis.errors import Fault, InputFaults
from triaxis.wiring import Archived

LEAST_DIGITS = 4
_ID = re.compile(r"[0-9a-f]{4,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Two scorecards, which may be one, and the variants to pair."""

    before: Scorecard
    after: Scorecard
    pairs: tuple[tuple[str, str], ...]

    @property
    def same(self) -> bool:
        """Whether both sides are one scorecard."""
        return self.before.id == self.after.id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    word: str
    card: Scorecard
    variant: str | None
    """None for a whole scorecard."""


def sides_of(before: str, after: str, current: Scorecard, archive: Archived) -> Sides:
    """The two sides.

    A scorecard without a variant stands for all of its variants, or for the one that the other side names.

    Raises:
        InputFaults: for words that name nothing, or twice the same.
    """
    found = [_named(word, current, archive) for word in (before, after)]
    if faults := [fault for fault in found if isinstance(fault, Fault)]:
        raise InputFaults(*faults)
    first, second = (named for named in found if isinstance(named, _Named))
    sides = Sides(before=first.card, after=second.card, pairs=_pairs(first, second))
    if sides.same and all(old == new for old, new in sides.pairs):
        problem = f"{before!r} and {after!r} are the same"
        raise InputFaults(Fault(file="compare", problem=problem, advice="Name two variants, or two scorecards."))
    return sides


def _named(word: str, current: Scorecard, archive: Archived) -> _Named | Fault:
    """A variant of the current scorecard first: a name may look like an id."""
    if word in current.variants:
        return _Named(word=word, card=current, variant=word)
    digits, _, variant = word.partition(":")
    ids = {*archive.ids(), current.id}
    matching = sorted(name for name in ids if name.startswith(digits)) if _ID.fullmatch(digits) else []
    if len(matching) != 1:
        return _not_one(word, matching, current)
    card = current if matching[0] == current.id else archive.scorecard(matching[0])
    if variant and variant not in card.variants:
        advice = f"It has: {', '.join(card.variants)}."
        return Fault(file="compare", problem=f"scorecard {card.id} has no variant {variant!r}", advice=advice)
    return _Named(word=word, card=card, variant=variant or None)


def _not_one(word: str, matching: list[str], current: Scorecard) -> Fault:
    if matching:
        problem = f"{word[:60]!r} begins the ids of {len(matching)} scorecards"
        return Fault(file="compare", problem=problem, advice=f"Give more digits of one of: {', '.join(matching)}.")
    return Fault(
        file="compare",
        problem=f"{word[:60]!r} is no variant of the current scorecard and no archived scorecard",
        advice=f"Variants are: {', '.join(current.variants)}. Of an id at least {LEAST_DIGITS} digits are needed.",
    )


def _pairs(first: _Named, second: _Named) -> tuple[tuple[str, str], ...]:
    """The variants to pair.

    Raises:
        InputFaults: where one side has not what the other names, or nothing in common.
    """
    if first.variant is None and second.variant is None:
        pairs = tuple((name, name) for name in first.card.variants if name in second.card.variants)
    else:
        old, new = first.variant or second.variant, second.variant or first.variant
        assert old is not None
        assert new is not None
        pairs = ((old, new),) if old in first.card.variants and new in second.card.variants else ()
    if not pairs:
        problem = f"{first.word} and {second.word} have no variant of the same name"
        raise InputFaults(Fault(file="compare", problem=problem, advice="Name one of each: ID:VARIANT."))
    return pairs
