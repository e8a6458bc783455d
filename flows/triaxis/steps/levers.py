"""The part of assess that is about levers: every variant against the one it extends, and levers against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.evaluation import Inputs
from triaxis.domain.levers import Interaction, LeverMeasures
from triaxis.domain.variant import Variant
from triaxis.quantities import Absent
from triaxis.rules.contrasts import contrasts
from triaxis.rules.interactions import interactions
from triaxis.rules.variant_measures import Plan, VariantRows, differences
from triaxis.stats.seeds import generator

Differences = Mapping[str, DifferenceOrAbsent]


def lever_measures(
    inputs: Inputs, rows: Mapping[str, VariantRows], against: Mapping[str, Differences], plan: Plan, dataset_sha256: str
) -> dict[str, LeverMeasures]:
    """By the name of each variant that extends another.

    Args:
        inputs: What is evaluated.
        rows: By variant.
        against: Each variant's differences to the baseline, which are its effects where it extends that.
        plan: By what differences are measured.
        dataset_sha256: Seeds the draws.
    """

    def effects(variant: Variant, of: str) -> Differences:
        if of == inputs.baseline:
            return against[variant.name]
        mine, seeded = rows[variant.name], partial(generator, dataset_sha256, variant.name)
        if of in rows:
            return differences(mine, rows[of], plan, seeded)
        return dict.fromkeys(differences(mine, mine, plan, seeded), Absent(f"{of} is not evaluated here"))

    return {v.name: LeverMeasures(of=v.extends, effects=effects(v, v.extends)) for v in inputs.variants if v.extends}


def interaction_measures(
    inputs: Inputs, rows: Mapping[str, VariantRows], plan: Plan, dataset_sha256: str
) -> Iterator[Interaction]:
    """What the levers of a factorial do together beyond what they do apart."""
    for contrast in contrasts(inputs.variants):
        named = "*".join(contrast.levers)
        yield from interactions(contrast, rows, plan, partial(generator, dataset_sha256, named))
