"""assess: from stored rows to everything that can be measured of every variant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.evaluation import Inputs
from triaxis.domain.measures import Measures
from triaxis.ports.evidence import Evidence, TableName
from triaxis.quantities import NO_MONEY, Money
from triaxis.rules.calls.spending import Counted, spend_columns
from triaxis.rules.front.frontier import front
from triaxis.rules.measures.variant import Plan, Spent, VariantRows, differences, measure_variant
from triaxis.stats.seeds import generator
from triaxis.steps.decisions import decisions
from triaxis.steps.levers import Levers
from triaxis.steps.routings import Routings
from triaxis.steps.step_tables import variant_steps
from triaxis.steps.tables import load
from triaxis.steps.views import owners_of, price, rows_of


def assess(*, evidence: Evidence) -> Measures:
    """Measures every variant on every axis and against the baseline, and writes measures.json.

    Nothing here calls a model or looks at a clock: the same evidence gives the same measures.
    """
    measures = measured(evidence.inputs(), evidence, evidence.hashes()["dataset_sha256"])
    evidence.write_measures(measures)
    return measures


def measured(inputs: Inputs, evidence: Evidence, dataset_sha256: str) -> Measures:
    """What stored rows say under some inputs, which need not be those that they were made for; nothing is written.

    Rows of cases and variants that the inputs lack count for nothing.
    """
    spent, tables = _spent(evidence, inputs), load(evidence, inputs)
    priced, decided = price(tables), decisions(evidence, tables)
    plan = Plan(frame=tables.frame, rubric=inputs.rubric, slo=inputs.slo)
    rows = {name: rows_of(tables, priced, place, decided.get(name)) for place, name in enumerate(tables.names)}
    routings = Routings(tables, priced, decided, rows, plan, partial(generator, dataset_sha256))
    against = _against_baseline(rows, inputs.baseline, plan, dataset_sha256, routings)
    variants = {v.name: measure_variant(v, rows[v.name], plan, spent[v.name], against[v.name]) for v in inputs.variants}
    owners = owners_of(tables, decided)
    levers = Levers(
        evidence=evidence, tables=tables, rows=rows, owners=owners, plan=plan, dataset_sha256=dataset_sha256
    )
    seeded = partial(generator, dataset_sha256, "*")
    taken = variant_steps(inputs, evidence, tables.frame, owners, level=plan.level)
    return Measures(
        variants={
            name: replace(measured_, steps=taken.get(name), routing=routings.measured(name))
            for name, measured_ in levers.added(variants).items()
        },
        evidence_sha256=evidence.evidence_sha256(),
        weighted_to_mix=bool(inputs.slo.traffic.mix),
        front=front(rows, variants, plan, baseline=inputs.baseline, seeded=seeded),
        interactions=tuple(levers.interactions()),
    )


def _against_baseline(
    rows: Mapping[str, VariantRows], baseline: str, plan: Plan, dataset_sha256: str, routings: Routings
) -> dict[str, dict[str, DifferenceOrAbsent]]:
    """Every variant's differences, each drawn from a generator of its own name; none for the baseline itself."""
    return {
        name: {}
        if name == baseline
        else differences(mine, rows[baseline], plan, partial(generator, dataset_sha256, name))
        | routings.against(name, rows[baseline])
        for name, mine in rows.items()
    }


def _spent(evidence: Evidence, inputs: Inputs) -> dict[str, Spent]:
    """What each variant's calls cost: generation and probe together, judging apart.

    Variants that ask the same share what was paid. It is counted for the first of them by name, so that the figures of
    all variants add up to what the providers billed.
    """
    counted = Counted()
    generated, probed, judged = (_spend(evidence, inputs, table, counted) for table in _TABLES)
    found: dict[str, Spent] = {}
    for variant in inputs.variants:
        calls, load_, judge = (t.get(variant.name, (NO_MONEY, NO_MONEY)) for t in (generated, probed, judged))
        found[variant.name] = Spent(judge=judge[0], known=calls[0] + load_[0], possible=calls[1] + load_[1] + judge[1])
    return found


_TABLES: tuple[TableName, TableName, TableName] = ("generations", "probes", "judgments")


def _spend(evidence: Evidence, inputs: Inputs, table: TableName, counted: Counted) -> dict[str, tuple[Money, Money]]:
    """Known and possible dollars of one table's attempts that nobody counted yet, by variant."""
    prices = inputs.prices.rows
    return {name: spend_columns(counted.new(some), prices) for name, some in evidence.attempts(table)}
