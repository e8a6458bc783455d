"""Where every routed variant sends each case: decided by `prepare`, told by a model, or by the first answer's score."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from triaxis.domain.router import Cascade, Classifier, Router
from triaxis.domain.rows import Row
from triaxis.domain.rubric import Judged
from triaxis.domain.variant import RoutedVariant
from triaxis.ports.evidence import Evidence
from triaxis.quantities import Absent
from triaxis.rules.calls.price import call_cost
from triaxis.rules.calls.reply import parse_reply
from triaxis.rules.measures.tally import NONE, Codes, Floats, Tag, coded, looked_up, places
from triaxis.rules.route import decision_of, oracle_arm_of, route_named
from triaxis.rules.routes.routing import Decisions
from triaxis.steps.tables import Tables


def decisions(evidence: Evidence, tables: Tables) -> dict[str, Decisions]:
    """The decisions of every routed variant, by its name."""
    return {variant.name: _decided(evidence, tables, variant) for variant in tables.inputs.routed}


def _decided(evidence: Evidence, tables: Tables, variant: RoutedVariant) -> Decisions:
    router = variant.router
    if isinstance(router, Cascade):
        return _cascaded(evidence, tables, variant, router)
    routes, sure = _routes(evidence, tables, variant, router)
    place = tables.names.index(variant.name)
    known = [code for code, route in enumerate(routes.values) if route in router.arms]
    return Decisions(
        variant=variant,
        arms=coded(routes, variant.arm, tables.names),
        right=_right(variant, tables),
        sure=sure,
        undecided=int((~np.isin(routes.codes, known)).sum()),
        before=np.full(len(routes.codes), NONE if variant.caller is None else place, dtype=np.int64),
    )


def _right(variant: RoutedVariant, tables: Tables) -> Codes:
    right = tables.frame.tag(variant.router.oracle or "")
    return coded(right, partial(oracle_arm_of, variant), tables.names)


def _routes(evidence: Evidence, tables: Tables, variant: RoutedVariant, router: Router) -> tuple[Tag, Floats]:
    """Each case's route, and how sure the router is of it."""
    nobody = np.full(len(tables.frame.ids), np.nan)
    if router.field is not None:
        return tables.frame.tag(router.field), nobody
    if variant.caller is None:
        decided = tables.inputs.routes[variant.name]
        return Tag.of(decided.routes), _confidences(decided.confidence)
    said = _said(evidence, tables, variant.name)
    if isinstance(router.rule, Classifier):
        routes, sure = zip(*map(decision_of, said), strict=True)
        return Tag.of(routes), _confidences(sure)
    return Tag.of([route_named(text, router.arms) for text in said]), nobody


def _confidences(sure: Sequence[float | None]) -> Floats:
    return np.array([np.nan if one is None else one for one in sure], dtype=np.float64)


def _said(evidence: Evidence, tables: Tables, name: str) -> Sequence[str | None]:
    """What stands in the place of an answer for each case; a call that brought none says nothing."""
    table = evidence.columns("generations", ["variant", "case_id", "answer"])
    (variants, names), (codes, ids) = table.codes("variant"), table.codes("case_id")
    texts, cases = table.texts("answer"), looked_up(codes, places(ids, tables.frame.ids))
    found: list[str | None] = [None] * len(tables.frame.ids)
    mine = np.flatnonzero((variants == names.index(name)) & (cases != NONE)) if name in names else ()
    for row in map(int, mine):
        found[int(cases[row])] = texts[row]
    return found


def _cascaded(evidence: Evidence, tables: Tables, variant: RoutedVariant, cascade: Cascade) -> Decisions:
    """A case escalates where its first answer scores under the limit, failed, or could not be scored.

    A case that the dimension does not look at has no check to fail, and keeps its first answer.
    """
    first, second = tables.names.index(cascade.first), tables.names.index(cascade.second)
    judged = tables.judged.get(cascade.escalate.dimension)
    looked = np.zeros(len(tables.frame.ids), dtype=np.bool_)
    sure = np.full(len(looked), np.nan)
    if judged is not None:
        theirs = judged.scores.only(slice(judged.spans[first], judged.spans[first + 1]))
        own = theirs.only(theirs.cases != NONE)
        looked[own.cases] = True
        sure = own.per_case(tables.frame)
    escalates = looked & ~(sure >= cascade.escalate.below)
    return Decisions(
        variant=variant,
        arms=np.where(escalates, second, first),
        right=_right(variant, tables),
        sure=np.where(looked, np.nan_to_num(sure), 1.0),
        undecided=int((looked & np.isnan(sure)).sum()),
        before=np.where(escalates, first, NONE),
        judge_usd=_judge_usd(evidence, tables, cascade),
    )


def _judge_usd(evidence: Evidence, tables: Tables, cascade: Cascade) -> Floats | None:
    """Per case, what the judge of the first answers cost; None where the dimension asks none."""
    name = cascade.escalate.dimension
    if not any(d.name == name and isinstance(d.evaluator, Judged) for d in tables.inputs.rubric.active):
        return None
    place = {case_id: i for i, case_id in enumerate(tables.frame.ids)}
    sums, counts = np.zeros(len(place)), np.zeros(len(place))
    for judgment in evidence.judgments():
        if (judgment.variant, judgment.dimension) == (cascade.first, name) and judgment.case_id in place:
            sums[place[judgment.case_id]] += sum(_usd(row, tables) for row in judgment.rows)
            counts[place[judgment.case_id]] += 1
    return np.divide(sums, counts, out=np.zeros(len(sums)), where=counts > 0)


def _usd(row: Row, tables: Tables) -> float:
    """What one reply of a judge would cost in production; NaN where it cannot be known."""
    price = tables.inputs.prices.rows.get(row.model)
    if row.outcome == "terminal":
        return 0.0
    if price is None:
        return np.nan
    cost = call_cost(parse_reply(row.raw).usage, price, busy_core_s=row.busy_core_s)
    return np.nan if isinstance(cost, Absent) else float(cost.usd)
