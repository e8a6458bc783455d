"""Levers in a scorecard's JSON, both ways.

    variants.NAME.lever    {of, levers, effects: {MEASURE: difference with label}, checks: [{lever, outcome, says}]}
    variants.NAME.truncation
                           [{finish_reason, cap, slice: {TAG: VALUE}, n, of, score, against, change, changes}]
    variants.NAME.retrieval
                           {recall: estimate}
    interactions           [{of, levers, measure, aliases, difference with label}]

None is there where no variant extends another, a cap cut nothing, or no factorial joins levers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.levers import CheckOutcome, Interaction, LeverCheck, LeverMeasures
from triaxis.domain.scorecard import Compared, JudgedInteraction, LeverCard, VariantCard
from triaxis.domain.truncation import Truncation
from triaxis.quantities import Measure
from triaxis.rules.card_parts import Json as Read
from triaxis.rules.card_parts import (
    as_compared,
    as_count,
    as_difference,
    as_entries,
    as_measure,
    as_members,
    as_number,
    as_text,
    as_texts,
    as_texts_by_name,
    known_number,
)
from triaxis.rules.card_values import Json, compared_json, difference_json, measure_json, number


def lever_json(card: VariantCard) -> Json:
    """The member `lever` of a variant, where it extends another."""
    lever = card.lever
    if lever is None:
        return {}
    effects: Json = {name: _effect(effect) for name, effect in sorted(lever.effects.items())}
    checks: list[JsonValue] = [{"lever": c.lever, "outcome": c.outcome, "says": c.says} for c in lever.checks]
    return {"lever": {"of": lever.of, "levers": sorted(card.measures.levers), "effects": effects, "checks": checks}}


def truncation_json(card: VariantCard) -> Json:
    """The member `truncation` of a variant, where a cap cut some of its answers."""
    rows = card.measures.truncation
    return {"truncation": [_truncation(row) for row in rows]} if rows else {}


def retrieval_json(card: VariantCard) -> Json:
    """The member `retrieval` of a variant, where it has a retriever."""
    recall = card.measures.recall
    return {} if recall is None else {"retrieval": {"recall": measure_json(recall)}}


def recall_from(card: Read) -> Measure | None:
    """The recall of a variant's `retrieval`; None where it has none."""
    return as_measure(as_members(card["retrieval"])["recall"]) if "retrieval" in card else None


def interactions_json(judged: Sequence[JudgedInteraction]) -> Json:
    """The member `interactions` of a scorecard, where a factorial joins levers."""
    return {"interactions": [_interaction(j) for j in judged]} if judged else {}


def lever_from(card: Read) -> LeverCard | None:
    """A variant's `lever`; None where it has none."""
    if "lever" not in card:
        return None
    lever = as_members(card["lever"])
    effects = {name: _compared(as_members(effect)) for name, effect in as_members(lever["effects"]).items()}
    checks = tuple(_check(as_members(check)) for check in as_entries(lever["checks"]))
    return LeverCard(of=as_text(lever["of"]), effects=effects, checks=checks)


def lever_measures_from(card: Read) -> LeverMeasures | None:
    """What was measured behind a variant's `lever`."""
    lever = lever_from(card)
    if lever is None:
        return None
    effects = {name: effect.difference for name, effect in lever.effects.items()}
    return LeverMeasures(of=lever.of, effects=effects, checks=lever.checks)


def truncation_from(card: Read) -> tuple[Truncation, ...]:
    """A variant's `truncation`; nothing where a cap cut nothing."""
    return tuple(_truncated(as_members(row)) for row in as_entries(card.get("truncation", [])))


def interactions_from(card: Read) -> tuple[JudgedInteraction, ...]:
    """A scorecard's interactions; none where it has none."""
    return tuple(_judged(as_members(entry)) for entry in as_entries(card.get("interactions", [])))


def _effect(effect: Compared) -> Json:
    return {key: value for key, value in compared_json(effect).items() if key != "gated"}


def _compared(effect: Read) -> Compared:
    return as_compared({**effect, "gated": False})


def _check(check: Read) -> LeverCheck:
    outcome = cast("CheckOutcome", as_text(check["outcome"]))
    return LeverCheck(lever=as_text(check["lever"]), outcome=outcome, says=as_text(check["says"]))


def _interaction(judged: JudgedInteraction) -> Json:
    interaction = judged.interaction
    label = Compared(difference=interaction.difference, verdict=judged.verdict, gated=False, margin=None)
    value: Json = {"of": interaction.of, "levers": list(interaction.levers), "measure": interaction.measure}
    aliases: list[JsonValue] = [list(alias) for alias in interaction.aliases]
    return value | ({"aliases": aliases} if aliases else {}) | _effect(label)


def _judged(entry: Read) -> JudgedInteraction:
    label = _compared(entry)
    return JudgedInteraction(
        interaction=Interaction(
            of=as_text(entry["of"]),
            levers=as_texts(entry["levers"]),
            measure=as_text(entry["measure"]),
            difference=label.difference,
            aliases=tuple(as_texts(alias) for alias in as_entries(entry.get("aliases", []))),
        ),
        verdict=label.verdict,
    )


def _truncation(row: Truncation) -> Json:
    known: Json = {} if row.score is None else {"score": number(row.score)}
    return known | {
        "finish_reason": row.reason,
        **({} if row.cap is None else {"cap": row.cap}),
        "slice": dict(row.where),
        "n": row.n,
        "of": row.of,
        "against": row.against,
        "change": difference_json(row.change),
        "changes": {name: number(change) for name, change in row.changes.items()},
    }


def _truncated(row: Read) -> Truncation:
    return Truncation(
        reason=as_text(row["finish_reason"]),
        cap=as_count(row["cap"]) if "cap" in row else None,
        where=as_texts_by_name(row["slice"]),
        n=as_count(row["n"]),
        of=as_count(row["of"]),
        score=known_number(row, "score"),
        against=as_text(row["against"]),
        change=as_difference(as_members(row["change"])),
        changes={name: as_number(change) for name, change in as_members(row["changes"]).items()},
    )
