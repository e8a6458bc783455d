"""Cases and rows as arrays: who is a cluster, who is in a slice, whose rows a variant's are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.case import Case, Step, Where
from triaxis.domain.case_columns import NONE, Tag, columns_of
from triaxis.domain.router import Router
from triaxis.domain.variant import RoutedVariant, Variant
from triaxis.quantities import Absent
from triaxis.rules.measures.mix import OUTSIDE, UNWEIGHTED, Mix, Weighing, mix_of

Codes: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]

Rows: TypeAlias = NDArray[np.intp] | slice
"""Places of rows; a slice where they stand together, so that taking them copies nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFrame:
    """The cases as columns; a case is its place in `ids`."""

    ids: tuple[str, ...]
    sessions: Tag
    tags: Mapping[str, Tag]
    clusters: Codes
    """Per case: its session, or a cluster of its own."""
    steps: Sequence[tuple[int, Sequence[Step]]] = ()
    """The places of the cases that have steps, and these."""
    whole: bool = True
    """Whether no case was sampled or quarantined away, so that sessions are complete."""
    mix: Mix | Absent | None = None
    """What each case counts in production; None where the dataset's own mix stands for itself."""

    @property
    def sessionless(self) -> int:
        """Cases that name no session."""
        return int((self.sessions.codes == NONE).sum())

    @property
    def unit(self) -> str:
        """What the clusters are called."""
        return "sessions" if len(self.sessions.values) and not self.sessionless else "cases"

    def tag(self, name: str) -> Tag:
        """A tag of the cases, which none of them has where the dataset lacks it."""
        nobody = Tag(codes=np.full(len(self.ids), NONE, dtype=np.int64), values=())
        return self.tags.get(name, nobody)

    def within(self, where: Where) -> Mask:
        """The cases of a slice: values of one tag are alternatives, tags must all match."""
        chosen = np.ones(len(self.ids), dtype=np.bool_)
        for name, values in where.items():
            tag = self.tags.get(name)
            if tag is None:
                return np.zeros(len(self.ids), dtype=np.bool_)
            wanted = [code for code, value in enumerate(tag.values) if value in values]
            chosen &= np.isin(tag.codes, wanted)
        return chosen

    def weighing(self, told: Codes, among: Mask | None = None) -> Weighing | Absent:
        """What rows count, by the case of each: `Mix.weighing`, or all the same where there is no mix."""
        if self.mix is None:
            return UNWEIGHTED
        return self.mix if isinstance(self.mix, Absent) else self.mix.weighing(told, among)

    def under(self, routes: Mapping[str, float], source: str) -> Mix | Absent:
        """Other traffic than the mix's: these shares of the cases' routes."""
        tags = {name: (tag.codes, tag.values) for name, tag in self.tags.items()}
        return mix_of(tags, {"route": routes}, len(self.ids), source=source)

    def counted(self, cases: Codes) -> Codes:
        """Of the cases given, one a row, those that production has."""
        return cases if self.mix is None or isinstance(self.mix, Absent) else cases[self.mix.strata[cases] != OUTSIDE]


def case_frame(
    cases: Sequence[Case], *, whole: bool = True, mix: Mapping[str, Mapping[str, float]] | None = None
) -> CaseFrame:
    """The cases, sorted by id, as columns.

    Args:
        cases: In any order.
        whole: Whether none was left out.
        mix: Tag to value to production's share of it; nothing is weighted where it is empty.
    """
    columns = columns_of(cases)
    sessions, tags, count = columns.sessions, columns.tags, len(columns.ids)
    own = len(sessions.values) + np.arange(count)
    return CaseFrame(
        ids=columns.ids,
        sessions=sessions,
        tags=tags,
        clusters=np.where(sessions.codes == NONE, own, sessions.codes),
        steps=columns.steps,
        whole=whole,
        mix=mix_of({name: (tag.codes, tag.values) for name, tag in tags.items()}, mix, count) if mix else None,
    )


def places(values: Sequence[str], index: Sequence[str]) -> Codes:
    """Where each of `values` stands in `index`, which is sorted; `NONE` for a value that is not there."""
    start = bisect_left(index, values[0]) if values else 0
    if tuple(values) == tuple(index[start : start + len(values)]):
        # Rows stand in the order of the cases, so that some thousand of them mostly name a stretch of those.
        return np.arange(start, start + len(values))
    found = (bisect_left(index, value) for value in values)
    there = (NONE if n == len(index) or index[n] != value else n for n, value in zip(found, values, strict=True))
    return np.fromiter(there, dtype=np.int64, count=len(values))


def looked_up(codes: NDArray[np.integer], table: Codes) -> Codes:
    """Codes of one list as codes of another; null stays null."""
    # The appended entry is what -1 indexes.
    return np.append(table, NONE)[codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Which rows of every table count as one variant's."""

    variant: str
    arms: Codes
    """Per case, the place of the variant that answers it in the evaluation's list; `NONE` where none does."""

    def rows(self, spans: Codes, cases: Codes) -> Rows:
        """The rows that are this variant's in the order of the cases.

        Args:
            spans: Of the rows, by `spans_of`.
            cases: Of each row.
        """
        arms = present(self.arms)
        if len(arms) == 1 and (self.arms == arms[0]).all():
            own = slice(int(spans[arms[0]]), int(spans[arms[0] + 1]))
            if _in_order(cases[own]):
                return own
        mine = np.concatenate([np.zeros(0, np.intp), *(self._of_arm(arm, spans, cases) for arm in arms)])
        return mine[np.argsort(cases[mine], kind="stable")]

    def _of_arm(self, arm: int, spans: Codes, cases: Codes) -> NDArray[np.intp]:
        """The arm's rows of cases that it answers."""
        theirs = cases[spans[arm] : spans[arm + 1]]
        return spans[arm] + np.flatnonzero((theirs != NONE) & (self.arms[theirs] == arm))


def spans_of(variants: Codes, count: int) -> Codes:
    """Where the rows of each of so many variants begin, and where those of the last end, in rows sorted by variant."""
    return np.searchsorted(variants, np.arange(count + 1))


def _in_order(cases: Codes) -> bool:
    return not len(cases) or bool(cases[0] != NONE and (cases[1:] >= cases[:-1]).all())


def owner_of(variant: Variant, names: Sequence[str], frame: CaseFrame) -> Owner:
    """A model variant owns its rows; one routed by a field owns, case by case, the rows of the arm that answers.

    Args:
        variant: Whose rows are asked for.
        names: All variants, in the order of the places.
        frame: The cases.
    """
    if not isinstance(variant, RoutedVariant):
        return Owner(variant=variant.name, arms=np.full(len(frame.ids), names.index(variant.name), dtype=np.int64))
    assert isinstance(variant.router, Router), "a cascade's routes come from its answers"
    routes = frame.tag(variant.router.field or "")
    return Owner(variant=variant.name, arms=coded(routes, variant.arm, names))


def coded(routes: Tag, arm: Callable[[str | None], str | None], names: Sequence[str]) -> Codes:
    """Per case, the place among `names` of what its route leads to; `NONE` where that is nowhere."""
    place = {name: number for number, name in enumerate(names)}
    by_route = [NONE if (name := arm(route)) is None else place.get(name, NONE) for route in (*routes.values, None)]
    # The last entry is what `NONE`, a case without a route, indexes.
    return np.array(by_route, dtype=np.int64)[routes.codes]


def per_case(cases: Codes, values: Floats, n_cases: int) -> Floats:
    """The mean of `values` (one a row) by case; NaN for a case without a row."""
    counts = np.bincount(cases, minlength=n_cases)
    sums = np.bincount(cases, weights=values, minlength=n_cases)
    return np.divide(sums, counts, out=np.full(n_cases, np.nan), where=counts > 0)


def present(codes: Codes) -> tuple[int, ...]:
    """The different codes there are, ascending, null apart."""
    kinds: list[int] = np.flatnonzero(np.bincount(codes[codes != NONE])).tolist()
    return tuple(kinds)


def distinct(codes: Codes) -> int:
    """How many different codes there are."""
    return int(np.count_nonzero(np.bincount(codes)))
