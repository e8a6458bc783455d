"""Rows of two scorecards, or of two variants of one, paired case by case over the cases that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from triaxis.domain.case import Case, dataset_sha256
from triaxis.domain.evaluation import Inputs
from triaxis.domain.measures import DifferenceOrAbsent
from triaxis.domain.rubric import Rubric
from triaxis.domain.variant import Variant
from triaxis.ports.evidence import Evidence
from triaxis.rules.variant_measures import Plan, VariantRows, differences
from triaxis.stats.seeds import generator
from triaxis.steps.tables import Tables, load
from triaxis.steps.views import Priced, price, rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """Evidence with the inputs that it was made for."""

    id: str
    """Of the scorecard."""
    inputs: Inputs
    evidence: Evidence

    def variant(self, name: str) -> Variant:
        """The variant of that name."""
        return self.inputs.variant(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    tables: Tables
    priced: Priced

    def rows(self, variant: str) -> VariantRows:
        return rows_of(self.tables, self.priced, self.tables.names.index(variant))


def paired(
    before: Rated, after: Rated, pairs: Sequence[tuple[str, str]], cases: Sequence[Case]
) -> Mapping[tuple[str, str], Mapping[str, DifferenceOrAbsent]]:
    """Second minus first of every pair of variants, by measure, over some cases that both sides have alike.

    Dimensions are those that score on both sides; each side's scores and dollars are by its own rubric and prices.
    """
    both = {d.name for d in before.inputs.rubric.active} & {d.name for d in after.inputs.rubric.active}
    first, second = (_load(side, cases, both) for side in (before, after))
    plan = Plan(frame=second.tables.frame, rubric=second.tables.inputs.rubric, slo=after.inputs.slo)
    sha256 = dataset_sha256(cases)
    return {
        (old, new): differences(
            second.rows(new),
            first.rows(old),
            plan,
            partial(generator, sha256, f"{before.id}:{old}|{after.id}:{new}"),
        )
        for old, new in pairs
    }


def _load(side: Rated, cases: Sequence[Case], dimensions: set[str]) -> _Loaded:
    rubric = Rubric(dimensions=tuple(d for d in side.inputs.rubric.dimensions if d.name in dimensions))
    tables = load(side.evidence, replace(side.inputs, cases=cases, rubric=rubric))
    return _Loaded(tables=tables, priced=price(tables))
