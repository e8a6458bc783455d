"""Precision against the baseline route by route, so that a route that got worse does not hide in the whole."""

from __future__ import annotations

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.router import Cascade
from triaxis.rules.measures.pairing import paired_by_case
from triaxis.rules.measures.precision import MOST_SLICES
from triaxis.rules.measures.tally import Tag, present
from triaxis.rules.measures.variant import Plan, SeededBy, VariantRows
from triaxis.rules.names import precision_name, sliced
from triaxis.rules.routes.routing import Decisions


def route_differences(
    d: Decisions,
    *,
    ours: VariantRows,
    theirs: VariantRows,
    plan: Plan,
    seeded: SeededBy,
    names: tuple[str, ...],
) -> dict[str, DifferenceOrAbsent]:
    """Each dimension's difference to the baseline over the cases of each route, so that no route hides in the whole.

    The route is the right one where ground truth names it, else the case's own field, else the arm that was chosen.
    """
    name, tag = _routes_of(d, plan, names)
    if len(tag.values) > MOST_SLICES:
        return {}
    found: dict[str, DifferenceOrAbsent] = {}
    for dimension in ours.scores:
        mine, others = ours.scores[dimension].per_case(plan.frame), theirs.scores[dimension].per_case(plan.frame)
        for code in present(tag.codes):
            measure = sliced(precision_name(dimension), {name: (tag.values[code],)})
            among, rng = tag.codes == code, seeded(measure)
            found[measure] = paired_by_case(mine, others, plan.frame, level=plan.level, rng=rng, among=among)
    return found


def _routes_of(d: Decisions, plan: Plan, names: tuple[str, ...]) -> tuple[str, Tag]:
    router = d.variant.router
    own = router.oracle or (None if isinstance(router, Cascade) else router.field)
    if own is not None and own in plan.frame.tags:
        return own, plan.frame.tags[own]
    return "arm", Tag(codes=d.arms, values=names)
