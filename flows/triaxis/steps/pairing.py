"""Rows of two scorecards, or of two variants of one, paired case by case over the cases that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from triaxis.domain.case import Case, dataset_sha256
from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.evaluation import Inputs
from triaxis.domain.rubric import Rubric
from triaxis.domain.variant import Variant
from triaxis.ports.evidence import Evidence
from triaxis.rules.measures.variant import Plan, VariantRows, differences
from triaxis.rules.routes.routing import Decisions
from triaxis.stats.seeds import generator
from triaxis.steps.decisions import decisions
from triaxis.steps.tables import Tables, load
from triaxis.steps.views import Priced, price, rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """Evidence with the inputs that it was made for."""

    inputs: Inputs
    evidence: Evidence

    def variant(self, name: str) -> Variant:
        """The variant of that name."""
        return self.inputs.variant(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    tables: Tables
    priced: Priced
    decided: Mapping[str, Decisions]
    """By routed variant: whose answers count is what its router or cascade said."""
    dimensions: frozenset[str]

    def rows(self, variant: str) -> VariantRows:
        """With the scores of the dimensions that are compared."""
        place = self.tables.names.index(variant)
        rows = rows_of(self.tables, self.priced, place, self.decided.get(variant))
        return replace(rows, scores={name: s for name, s in rows.scores.items() if name in self.dimensions})


def paired(
    before: Rated, after: Rated, pairs: Sequence[tuple[str, str]], cases: Sequence[Case]
) -> Mapping[tuple[str, str], Mapping[str, DifferenceOrAbsent]]:
    """Second minus first of every pair of variants, by measure, over some cases that both sides have alike.

    Dimensions are those that score on both sides; each side's scores and dollars are by its own rubric and prices. A
    pair whose rows are all the same is left out: no interval belongs around what is known not to differ.
    """
    both = frozenset(d.name for d in before.inputs.rubric.active) & {d.name for d in after.inputs.rubric.active}
    first, second = (_load(side, cases, both) for side in (before, after))
    pairs = [(old, new) for old, new in pairs if not _alike(first.rows(old), second.rows(new))]
    rubric = Rubric(dimensions=tuple(d for d in after.inputs.rubric.dimensions if d.name in both))
    plan = Plan(frame=second.tables.frame, rubric=rubric, slo=after.inputs.slo)
    sha256 = dataset_sha256(cases)
    return {
        (old, new): differences(
            second.rows(new),
            first.rows(old),
            plan,
            partial(generator, sha256, f"{old}|{new}"),
        )
        for old, new in pairs
    }


def _alike(mine: VariantRows, others: VariantRows) -> bool:
    """Whether the rows of two variants say the very same."""
    columns: list[tuple[NDArray[np.generic], NDArray[np.generic]]] = [
        (mine.cases, others.cases),
        (mine.terminal, others.terminal),
        (mine.costs.usd, others.costs.usd),
    ]
    for name, scores in mine.scores.items():
        theirs = others.scores[name]
        columns += [(scores.cases, theirs.cases), (scores.values, theirs.values)]
        columns += [(scores.abstained, theirs.abstained), (scores.failed, theirs.failed)]
    probe, other = mine.probe, others.probe
    columns += [(probe.cases, other.cases), (probe.first, other.first), (probe.last, other.last)]
    columns += [(probe.scheduled, other.scheduled), (probe.sent, other.sent), (probe.failed, other.failed)]
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in columns)


def _load(side: Rated, cases: Sequence[Case], dimensions: frozenset[str]) -> _Loaded:
    """All dimensions are read, since a cascade decides by one that need not be compared."""
    tables = load(side.evidence, side.inputs.over(cases))
    decided = decisions(side.evidence, tables)
    return _Loaded(tables=tables, priced=price(tables), decided=decided, dimensions=dimensions)
