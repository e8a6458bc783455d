"""The effects of a variant's levers, labelled as against a baseline but gating nothing."""

from __future__ import annotations

from triaxis.domain.levers import LeverMeasures
from triaxis.domain.scorecard import LeverCard
from triaxis.domain.slo import Regression
from triaxis.rules.gating.compare import compare


def lever_card(lever: LeverMeasures, regression: Regression) -> LeverCard:
    """Better, same or worse in every measure than the variant that it extends."""
    effects = compare(lever.effects, regression, ungated=lever.effects)
    return LeverCard(of=lever.of, effects=effects, checks=lever.checks)
