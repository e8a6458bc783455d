"""Whose rows a variant's are: its own, or case by case those of the arm that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import assert_never

import numpy as np

from triaxis.domain.variant import ImportedVariant, ModelVariant, RoutedVariant, Variant
from triaxis.rules.calls.price import CostColumns
from triaxis.rules.measures.cost import Cached, CostRows, cached_share, imported_cost, production_cost
from triaxis.rules.measures.latency import ProbeRows, Timed
from triaxis.rules.measures.precision import Scores
from triaxis.rules.measures.tally import NONE, Floats, Owner, Rows, owner_of, present
from triaxis.rules.measures.variant import VariantRows
from triaxis.rules.routes.ahead import Ahead, with_cost, with_wait
from triaxis.rules.routes.routing import Decisions
from triaxis.steps.tables import Tables, taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What every row of generations.parquet would cost in production."""

    costs: CostColumns
    why: Mapping[int, str]
    """By the variant's place: why some of its rows have no cost."""
    cached: Mapping[int, Cached]
    at_ends: tuple[Floats, Floats] | None = None
    """Dollars with nothing of a prompt read from cache, and with all of it; None where no profile assumes a share."""


def price(tables: Tables) -> Priced:
    """Prices each variant's own rows as it would be served, a router's replies among them; arms' rows are theirs."""
    rows = len(tables.answers.cases)
    parts = {field.name: np.full(rows, np.nan) for field in fields(CostColumns)}
    why: dict[int, str] = {}
    cached: dict[int, Cached] = {}
    for place, variant in enumerate(tables.inputs.variants):
        if (asked := _asked(variant)) is None:
            continue
        mine = tables.answers.of(place)
        probed = taken(tables.probed.usage, tables.probed.of(place)).cached_share
        cached[place] = cached_share(variant.serving, probed)
        costs, why[place] = _cost(tables, asked, mine, cached[place])
        for kind, column in costs.parts.items():
            parts[kind][mine] = column
    return Priced(costs=CostColumns(**parts), why=why, cached=cached, at_ends=_at_ends(tables))


def _at_ends(tables: Tables) -> tuple[Floats, Floats] | None:
    """What every row would cost were nothing, and were everything of its prompt read from cache."""
    if all(profile.cache_hit_rate is None for profile in tables.inputs.slo.profiles):
        return None
    ends = tuple(np.full(len(tables.answers.cases), np.nan) for _ in (0.0, 1.0))
    for place, variant in enumerate(tables.inputs.variants):
        if isinstance(variant, RoutedVariant):
            continue
        mine = tables.answers.of(place)
        for usd, share in zip(ends, (0.0, 1.0), strict=True):
            usd[mine] = _cost(tables, variant, mine, Cached(share=share, source="assumed"))[0].total
    return ends[0], ends[1]


def _cost(
    tables: Tables, variant: ModelVariant | ImportedVariant, rows: Rows, cached: Cached
) -> tuple[CostColumns, str]:
    usage, terminal, prices = (
        taken(tables.answers.usage, rows),
        tables.answers.terminal[rows],
        tables.inputs.prices.rows,
    )
    match variant:
        case ModelVariant():
            return production_cost(usage, terminal, prices.get(variant.model), variant.serving, cached)
        case ImportedVariant():
            row = None if variant.model is None else prices.get(variant.model)
            return imported_cost(usage, tables.answers.stated[rows], terminal, row, variant, cached=cached)
        case _:
            assert_never(variant)


def owners_of(tables: Tables, decided: Mapping[str, Decisions]) -> dict[str, Owner]:
    """Whose answers count as each variant's, by name: a routed one's are, case by case, those of the arm decided on."""
    return {
        variant.name: Owner(variant=variant.name, arms=decided[variant.name].arms)
        if variant.name in decided
        else owner_of(variant, tables.names, tables.frame)
        for variant in tables.inputs.variants
    }


def rows_of(tables: Tables, priced: Priced, place: int, decided: Decisions | None = None) -> VariantRows:
    """The rows that count as the variant's at that place, in the order of the cases.

    Those of a routed variant carry what comes before its answers: a router's own calls, or a cascade's first ones.
    """
    variant = tables.inputs.variants[place]
    if decided is None:
        return owned(tables, priced, owner_of(variant, tables.names, tables.frame))
    rows = owned(tables, priced, Owner(variant=variant.name, arms=decided.arms))
    ahead = ahead_of(tables, priced, decided)
    if ahead is None:
        return rows
    return replace(rows, costs=with_cost(rows.costs, ahead), probe=with_wait(rows.probe, ahead))


def ahead_of(tables: Tables, priced: Priced, decided: Decisions) -> Ahead | None:
    """What comes before the answers of a routed variant; None where nothing does."""
    if decided.judge_usd is None and (decided.before == NONE).all():
        return None
    before = owned(tables, priced, Owner(variant=decided.variant.name, arms=decided.before))
    return Ahead(places=decided.before, costs=before.costs, probe=before.probe, judge_usd=decided.judge_usd)


def owned(tables: Tables, priced: Priced, owner: Owner) -> VariantRows:
    """The rows of the variant that each case has been given to."""
    answers = owner.rows(tables.answers.spans, tables.answers.cases)
    return VariantRows(
        cases=tables.answers.cases[answers],
        terminal=tables.answers.terminal[answers],
        scores={d.name: _scores(tables, owner, d.name) for d in tables.inputs.rubric.active},
        costs=_costs(tables, priced, answers),
        probe=_probe(tables, owner),
    )


def _scores(tables: Tables, owner: Owner, dimension: str) -> Scores:
    """The judgments in one dimension; none where nothing was judged."""
    judged = tables.judged.get(dimension)
    if judged is None:
        nothing = np.zeros(0, dtype=np.bool_)
        return Scores(cases=np.zeros(0, dtype=np.int64), values=np.zeros(0), failed=nothing, abstained=nothing)
    return judged.scores.only(owner.rows(judged.spans, judged.scores.cases))


def _costs(tables: Tables, priced: Priced, rows: Rows) -> CostRows:
    arms = present(tables.answers.variants[rows])
    shares = {priced.cached[arm].share for arm in arms}
    costs = CostColumns(**{kind: column[rows] for kind, column in priced.costs.parts.items()})
    return CostRows(
        cases=tables.answers.cases[rows],
        usd=costs.total,
        parts=costs.parts,
        why="; ".join(sorted({priced.why[arm] for arm in arms})),
        sources=tuple(priced.cached[arm].source for arm in arms),
        cached_share=shares.pop() if len(shares) == 1 else None,
        at_ends=None if priced.at_ends is None else (priced.at_ends[0][rows], priced.at_ends[1][rows]),
    )


def _probe(tables: Tables, owner: Owner) -> ProbeRows:
    """The measured requests, in the order of their schedule."""
    probed, all_rows = tables.probed, tables.probed.rows
    mine = np.arange(len(all_rows))[owner.rows(probed.spans, all_rows.cases)]
    mine = mine[np.lexsort((all_rows.index[mine], all_rows.blocks[mine]))]
    arms = [asked for arm in present(owner.arms) if (asked := _asked(tables.inputs.variants[arm])) is not None]
    plans = [arm.probe for arm in arms if isinstance(arm, ModelVariant) and arm.probe is not None]
    return replace(
        all_rows.taken(mine),
        cached_share=taken(probed.usage, mine).cached_share,
        clients=tuple(probed.client_names[code] for code in present(probed.clients[mine])),
        timed=_timed(arms),
        warmup=max((plan.warmup for plan in plans), default=0),
        timeout_ms=max((1000 * plan.timeout_s for plan in plans), default=None),
    )


def _asked(variant: Variant) -> ModelVariant | ImportedVariant | None:
    """What has rows under the variant's name."""
    return variant.caller if isinstance(variant, RoutedVariant) else variant


def _timed(arms: Sequence[Variant]) -> Timed:
    imported = {isinstance(arm, ImportedVariant) for arm in arms}
    if imported == {True, False}:
        return "mixed"
    return "imported" if imported == {True} else "probed"
