"""How cases are dealt into folds, so that a classifier routes none that it has seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from triaxis.domain.case import Case
from triaxis.domain.router import Classifier
from triaxis.rules.route import fold_of

_PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Cases that are routed by what others teach; all of them as places among the cases."""

    number: int
    """From 0."""
    held: tuple[int, ...]
    """Those that are routed."""
    taught: tuple[int, ...]
    """Those that are learned from: of other folds, with a label."""
    labels: tuple[str, ...]
    """Of `taught`."""

    @property
    def teachable(self) -> bool:
        """Whether there are two labels to tell apart."""
        return len(set(self.labels)) >= _PAIR


def folds(rule: Classifier, cases: Sequence[Case], usable: Collection[int] | None = None) -> Iterator[Fold]:
    """The folds that have cases, by number; `usable` are the places that may be learned from and routed, else all."""
    there = range(len(cases)) if usable is None else sorted(usable)
    own = {place: fold_of(cases[place], rule.folds, rule.seed) for place in there}
    for number in sorted(set(own.values())):
        others = (place for place in there if own[place] != number)
        taught = [(place, label) for place in others if (label := cases[place].tag(rule.learns)) is not None]
        yield Fold(
            number=number,
            held=tuple(place for place in there if own[place] == number),
            taught=tuple(place for place, _ in taught),
            labels=tuple(label for _, label in taught),
        )
