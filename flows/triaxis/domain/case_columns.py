"""Cases as columns: what statistics want of a million cases, of which they need no case as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.case import Case, Step, tags_of

Codes: TypeAlias = NDArray[np.int64]

NONE = -1
"""The code of what is missing: a tag that a case lacks, an arm that nobody chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One text of every case, such as a tag's or its session."""

    codes: Codes
    """Per case, into `values`; `NONE` where the case lacks it."""
    values: tuple[str, ...]
    """Sorted."""

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Tag:
        """The texts of all cases."""
        values = tuple(sorted({text for text in texts if text is not None}))
        place = {value: code for code, value in enumerate(values)}
        codes = np.fromiter((NONE if t is None else place[t] for t in texts), dtype=np.int64, count=len(texts))
        return cls(codes=codes, values=values)

    def at(self, order: NDArray[np.intp]) -> Tag:
        """The same of the cases in another order."""
        return Tag(codes=self.codes[order], values=self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseColumns:
    """The cases, sorted by id."""

    ids: tuple[str, ...]
    sessions: Tag
    tags: Mapping[str, Tag]
    """By name, sorted; `route` among them where cases have routes."""
    steps: tuple[tuple[int, tuple[Step, ...]], ...] = ()
    """The places of the cases that have steps, and these."""


@runtime_checkable
class HasColumns(Protocol):
    """Cases that need not be read one by one for their columns."""

    def columns(self) -> CaseColumns:
        """`columns_of` them."""
        ...


def columns_of(cases: Sequence[Case]) -> CaseColumns:
    """The columns of cases in any order."""
    if isinstance(cases, HasColumns):
        return cases.columns()
    rows = sorted(cases, key=lambda case: case.id)
    return CaseColumns(
        ids=tuple(case.id for case in rows),
        sessions=Tag.of([case.session for case in rows]),
        tags={name: Tag.of([case.tag(name) for case in rows]) for name in tags_of(rows)},
        steps=tuple((place, case.steps) for place, case in enumerate(rows) if case.steps),
    )
