"""The part of assess that is about levers: every variant against the one it extends, and levers against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.levers import Interaction, LeverCheck, LeverMeasures
from triaxis.domain.measures import VariantMeasures
from triaxis.domain.truncation import Truncation
from triaxis.domain.variant import ModelVariant, Variant
from triaxis.ports.evidence import Evidence
from triaxis.quantities import Absent, Measure
from triaxis.rules.levers.checks import check_lever
from triaxis.rules.levers.contrasts import contrasts
from triaxis.rules.levers.interactions import interactions
from triaxis.rules.levers.retrieval import recall
from triaxis.rules.levers.truncation import Ended, truncation
from triaxis.rules.measures.tally import Owner
from triaxis.rules.measures.variant import Plan, VariantRows, differences
from triaxis.stats.seeds import generator
from triaxis.steps.endings import Wordings, endings_of, facts_of
from triaxis.steps.tables import Tables

Differences = Mapping[str, DifferenceOrAbsent]
_SAME_WORDS = frozenset({"quantization", "speculative_decoding"})
"""Levers whose check compares answers word for word."""


@dataclass(frozen=True, kw_only=True)
class Levers:
    """What is measured of levers, from the rows of all variants."""

    evidence: Evidence
    tables: Tables
    rows: Mapping[str, VariantRows]
    owners: Mapping[str, Owner]
    """Whose answers count as each variant's, by name."""
    plan: Plan
    dataset_sha256: str
    """Seeds the draws."""

    def added(self, measured: Mapping[str, VariantMeasures]) -> dict[str, VariantMeasures]:
        """Every variant's measures with its levers' and its truncation; differences to the baseline are known."""
        cut = {v.name: self._truncation(v) for v in self.tables.inputs.variants}
        measured = {v.name: replace(measured[v.name], recall=self._recall(v)) for v in self.tables.inputs.variants}
        return {
            v.name: replace(measured[v.name], lever=self._lever(v, measured, cut), truncation=cut[v.name])
            for v in self.tables.inputs.variants
        }

    def interactions(self) -> Iterator[Interaction]:
        """What the levers of a factorial do together beyond what they do apart."""
        for contrast in contrasts(self.tables.inputs.variants):
            seeded = partial(generator, self.dataset_sha256, "*".join(contrast.levers))
            yield from interactions(contrast, self.rows, self.plan, seeded)

    def _lever(
        self, variant: Variant, measured: Mapping[str, VariantMeasures], cut: Mapping[str, Sequence[Truncation]]
    ) -> LeverMeasures | None:
        of = variant.extends
        if of is None:
            return None
        effects = self._effects(variant, of, measured[variant.name].against_baseline)
        return LeverMeasures(of=of, effects=effects, checks=tuple(self._checks(variant, of, measured, cut)))

    def _effects(self, variant: Variant, of: str, against: Differences) -> Differences:
        if of == self.tables.inputs.baseline:
            return against
        mine, seeded = self.rows[variant.name], partial(generator, self.dataset_sha256, variant.name)
        if of in self.rows:
            return differences(mine, self.rows[of], self.plan, seeded)
        return dict.fromkeys(differences(mine, mine, self.plan, seeded), Absent(f"{of} is not evaluated here"))

    def _checks(
        self,
        variant: Variant,
        of: str,
        measured: Mapping[str, VariantMeasures],
        cut: Mapping[str, Sequence[Truncation]],
    ) -> Iterator[LeverCheck]:
        if of not in self.rows:
            return
        ours, theirs = self.owners[variant.name], self.owners[of]
        facts = [facts_of(self.tables, measured[o.variant], o, cut[o.variant]) for o in (ours, theirs)]
        same = self._wordings.same(ours, theirs) if _SAME_WORDS & set(variant.levers) else None
        for lever in sorted(variant.levers):
            yield check_lever(lever, facts[0], facts[1], same=same)

    @cached_property
    def _wordings(self) -> Wordings:
        return Wordings.of(self.evidence, self.tables)

    def _recall(self, variant: Variant) -> Measure | None:
        if not isinstance(variant, ModelVariant) or variant.retriever is None:
            return None
        return recall(variant.retriever, self.tables.inputs.cases, self.plan.frame, level=self.plan.level)

    def _truncation(self, variant: Variant) -> tuple[Truncation, ...]:
        """Against what the variant extends, else against the baseline; nothing for the baseline itself."""
        against = variant.extends if variant.extends in self.rows else self.tables.inputs.baseline
        if variant.name == against or against is None:
            return ()
        return truncation(
            self._ended(variant.name),
            self._ended(against),
            self.plan.frame,
            weights={d.name: d.weight for d in self.plan.rubric.active},
            against=against,
            level=self.plan.level,
            seeded=partial(generator, self.dataset_sha256, variant.name),
        )

    def _ended(self, name: str) -> Ended:
        return Ended(
            endings=endings_of(self.tables, self.owners[name]),
            scores={dimension: s.per_case(self.plan.frame) for dimension, s in self.rows[name].scores.items()},
        )
