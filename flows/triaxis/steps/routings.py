"""The routing of every routed variant, from the rows of its arms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.routing import Routing
from triaxis.rules.measures.tally import NONE, Owner
from triaxis.rules.measures.variant import Plan, VariantRows
from triaxis.rules.routes.precision import route_differences
from triaxis.rules.routes.routing import Decisions, Field, measure_routing
from triaxis.steps.tables import Tables
from triaxis.steps.views import Priced, ahead_of, owned


@dataclass(frozen=True, slots=True)
class Routings:
    """What routing is measured from."""

    tables: Tables
    priced: Priced
    decided: Mapping[str, Decisions]
    """By routed variant."""
    rows: Mapping[str, VariantRows]
    """Of every variant."""
    plan: Plan
    seeded: Callable[[str, str], np.random.Generator]
    """The generator of one measure of one variant."""

    def measured(self, name: str) -> Routing | None:
        """The routing of a variant; None where it does not route."""
        decided = self.decided.get(name)
        if decided is None:
            return None
        right = Owner(variant=name, arms=decided.right)
        field = Field(
            names=self.tables.names,
            rows=self.rows,
            oracle=owned(self.tables, self.priced, right) if (decided.right != NONE).any() else None,
            ahead=ahead_of(self.tables, self.priced, decided),
            plan=self.plan,
            seeded=partial(self.seeded, name),
        )
        return measure_routing(decided, field)

    def against(self, name: str, baseline: VariantRows) -> dict[str, DifferenceOrAbsent]:
        """A routed variant's differences to the baseline, route by route; none of any other."""
        decided = self.decided.get(name)
        if decided is None:
            return {}
        return route_differences(
            decided,
            ours=self.rows[name],
            theirs=baseline,
            plan=self.plan,
            seeded=partial(self.seeded, name),
            names=self.tables.names,
        )
