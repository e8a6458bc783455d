"""What very many attempts cost: each counted once, and those that are priced alike summed before they meet a price.

Prices are straight lines in tokens, and decimals are exact, so that the dollars are those of `price.spend`, which
prices one attempt after another, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.attempts import KINDS, UNTOLD, AttemptColumns, Counts, tokens_of
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.keys import Mask, Places
from triaxis.quantities import Money, Tokens
from triaxis.rules.calls.price import Billed, bracket

Words: TypeAlias = NDArray[np.uint64]
_HALF = 32
"""Bits of a count that are summed apart, so that no sum passes 64 bits."""
_MIX = np.array([1, 0, 0, 0, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
"""Makes one word of a name's six. A key is a hash, whose first word tells keys apart as well as all of it."""


def spend_columns(attempts: AttemptColumns, rows_by_model: Mapping[str, PriceRow]) -> tuple[Money, Money]:
    """What the attempts are known to have cost, and what they may have cost on top: `price.spend` of them."""
    known = possible = Decimal(0)
    for model, billed in _alike(attempts, rows_by_model):
        more, at_most = bracket(billed, rows_by_model[model])
        known, possible = known + more, possible + at_most
    return Money(known), Money(possible)


def _alike(attempts: AttemptColumns, rows_by_model: Mapping[str, PriceRow]) -> Iterator[tuple[str, Billed]]:
    """Each model's calls, summed where they are priced alike; calls that cost their busy seconds one by one, first."""
    timed = attempts.answered & ~np.isnan(attempts.busy_core_s) & _self_hosted(attempts, rows_by_model)
    for row in np.flatnonzero(timed).tolist():
        yield attempts.model_names[attempts.models[row]], _one(attempts, row)
    kinds = _kinds(attempts)
    for kind in np.unique(kinds[~timed]).tolist():
        mine = np.flatnonzero((kinds == kind) & ~timed)
        yield attempts.model_names[attempts.models[mine[0]]], _sum(attempts, mine)


def _self_hosted(attempts: AttemptColumns, rows_by_model: Mapping[str, PriceRow]) -> Mask:
    """Whether busy seconds have a price."""
    used = np.unique(attempts.models).tolist()
    priced = np.zeros(len(attempts.model_names), np.bool_)
    for model in used:
        row = rows_by_model[attempts.model_names[model]]
        priced[model] = row.usd_per_core_hour is not None or row.usd_per_gpu_hour is not None
    return priced[attempts.models]


def _one(attempts: AttemptColumns, row: int) -> Billed:
    return Billed(
        usage=tokens_of(attempts.usage[row]),
        upper=tokens_of(attempts.upper[row]),
        mode="batch" if attempts.batched[row] else "live",
        may_bill=bool(attempts.may_bill[row]),
        busy_core_s=float(attempts.busy_core_s[row]),
    )


def _kinds(attempts: AttemptColumns) -> Counts:
    """A number a row, equal where one price applies and the same counts are told."""
    flags = [attempts.batched, attempts.may_bill, *(attempts.usage != UNTOLD).T, *(attempts.upper != UNTOLD).T]
    numbers = attempts.models
    for flag in flags:
        numbers = 2 * numbers + flag
    return numbers


def _sum(attempts: AttemptColumns, rows: Places) -> Billed:
    """One bill of calls that are priced alike."""
    return Billed(
        usage=_summed(attempts.usage[rows]),
        upper=_summed(attempts.upper[rows]),
        mode="batch" if attempts.batched[rows[0]] else "live",
        may_bill=bool(attempts.may_bill[rows[0]]),
        calls=len(rows),
    )


def _summed(counts: Counts) -> Tokens:
    """The sums of counts, each of which all rows tell or none does."""
    high, low = (counts >> _HALF).sum(axis=0).tolist(), (counts & ((1 << _HALF) - 1)).sum(axis=0).tolist()
    told = (counts[0] != UNTOLD).tolist()
    sums = {kind: (h << _HALF) + w for kind, h, w, known in zip(KINDS, high, low, told, strict=True) if known}
    return Tokens(**sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    marks: Words
    """One word a name, sorted: equal names have equal marks, and different names hardly ever."""
    words: Words
    """The names themselves, in that order."""

    def marked(self, marks: Words) -> Mask:
        """Which of some sorted marks are here too."""
        places = np.minimum(np.searchsorted(self.marks, marks), len(self.marks) - 1)
        return self.marks[places] == marks

    def sharing(self, marks: Words) -> Words:
        """The names here of any of these sorted marks."""
        first, last = (np.searchsorted(marks, self.marks, side=side) for side in ("left", "right"))
        return self.words[last > first]


class Counted:
    """Which attempts somebody was charged with already: those that share what was paid are charged once."""

    def __init__(self) -> None:
        self._held: list[_Names] = []

    def new(self, attempts: AttemptColumns) -> AttemptColumns:
        """Those that nobody was charged with yet; from now on somebody is.

        Where one stands here twice, the outcome that says more counts.
        """
        names = attempts.names()
        marks = names @ _MIX
        order = np.argsort(marks, kind="stable")
        marks = marks[order]
        doubtful = self._doubtful(marks)
        new = np.ones(len(names), np.bool_)
        if doubtful.any():
            mine = np.sort(order[doubtful])
            new[mine] = _firsts(self._sharing(np.unique(marks[doubtful])), names[mine], attempts.unknown[mine])
        kept = new[order]
        if kept.any():
            self._held.append(_Names(marks=marks[kept], words=names[order[kept]]))
        return attempts if new.all() else attempts.at(new)

    def _doubtful(self, marks: Words) -> Mask:
        """Which of some sorted marks stand more than once; all others are of names that nothing else has."""
        doubtful = np.zeros(len(marks), np.bool_)
        twin = marks[1:] == marks[:-1]
        doubtful[1:] |= twin
        doubtful[:-1] |= twin
        for held in self._held:
            doubtful |= held.marked(marks)
        return doubtful

    def _sharing(self, marks: Words) -> Words:
        return np.concatenate([np.zeros((0, len(_MIX)), np.uint64), *(held.sharing(marks) for held in self._held)])


def _firsts(earlier: Words, names: Words, unknown: Mask) -> Mask:
    """Which of the names are not among the earlier ones; of equal ones the first of a known fate, else the first."""
    rows = np.concatenate([earlier, names])
    rank = np.concatenate([np.zeros(len(earlier), np.int64), 1 + unknown])
    order = np.lexsort((rank, *rows.T))
    other = np.ones(len(rows), np.bool_)
    other[1:] = (rows[order[1:]] != rows[order[:-1]]).any(axis=1)
    first = np.zeros(len(rows), np.bool_)
    first[order[other]] = True
    return first[len(earlier) :]
