"""Cases and rows as arrays: who is a cluster, who is in a slice, whose rows a variant's are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.case import Case, Where, tags_of
from triaxis.domain.router import Router
from triaxis.domain.variant import RoutedVariant, Variant
from triaxis.quantities import Absent
from triaxis.rules.mix import OUTSIDE, UNWEIGHTED, Mix, Weighing, mix_of
from triaxis.rules.route import arms_of

Codes: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]

NONE = -1
"""The code of what is missing: a tag that a case lacks, an arm that nobody chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag over all cases."""

    codes: Codes
    """Per case, into `values`; `NONE` where the case lacks the tag."""
    values: tuple[str, ...]
    """Sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFrame:
    """The cases as columns; a case is its place in `ids`."""

    ids: tuple[str, ...]
    sessions: Tag
    tags: Mapping[str, Tag]
    clusters: Codes
    """Per case: its session, or a cluster of its own."""
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
    rows = sorted(cases, key=lambda case: case.id)
    sessions = _tag([case.session for case in rows])
    tags = {name: _tag([case.tag(name) for case in rows]) for name in tags_of(rows)}
    own = len(sessions.values) + np.arange(len(rows))
    return CaseFrame(
        ids=tuple(case.id for case in rows),
        sessions=sessions,
        tags=tags,
        clusters=np.where(sessions.codes == NONE, own, sessions.codes),
        whole=whole,
        mix=mix_of({name: (tag.codes, tag.values) for name, tag in tags.items()}, mix, len(rows)) if mix else None,
    )


def _tag(texts: Sequence[str | None]) -> Tag:
    values = tuple(sorted({text for text in texts if text is not None}))
    place = {value: code for code, value in enumerate(values)}
    codes = np.fromiter((NONE if t is None else place[t] for t in texts), dtype=np.int64, count=len(texts))
    return Tag(codes=codes, values=values)


def places(values: Sequence[str], index: Sequence[str]) -> Codes:
    """Where each of `values` stands in `index`; `NONE` for a value that is not there."""
    place = {name: number for number, name in enumerate(index)}
    return np.fromiter((place.get(value, NONE) for value in values), dtype=np.int64, count=len(values))


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

    def rows(self, variants: Codes, cases: Codes) -> NDArray[np.intp]:
        """The rows that are this variant's in the order of the cases, given each row's variant and case."""
        known = (cases != NONE) & (variants != NONE)
        mine = np.flatnonzero(known & (self.arms[np.where(known, cases, 0)] == variants))
        return mine[np.argsort(cases[mine], kind="stable")]


def owner_of(variant: Variant, names: Sequence[str], cases: Sequence[Case]) -> Owner:
    """A model variant owns its rows; one routed by a field owns, case by case, the rows of the arm that answers.

    Args:
        variant: Whose rows are asked for.
        names: All variants, in the order of the places.
        cases: In the order of the frame.
    """
    place = {name: number for number, name in enumerate(names)}
    if not isinstance(variant, RoutedVariant):
        return Owner(variant=variant.name, arms=np.full(len(cases), place[variant.name], dtype=np.int64))
    assert isinstance(variant.router, Router), "a cascade's routes come from its answers"
    routes = [case.tag(variant.router.field or "") for case in cases]
    return Owner(variant=variant.name, arms=places([arm or "" for arm in arms_of(variant, routes)], names))


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
