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
from triaxis.rules.cards.values import (
    Json,
    JsonObject,
    compared_json,
    compared_of,
    count_of,
    difference_json,
    difference_of,
    known_of,
    list_of,
    measure_json,
    measure_of,
    number,
    number_of,
    object_of,
    text_of,
    texts_by_name,
    texts_of,
)


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


def recall_from(card: JsonObject) -> Measure | None:
    """The recall of a variant's `retrieval`; None where it has none."""
    return measure_of(object_of(card["retrieval"])["recall"]) if "retrieval" in card else None


def interactions_json(judged: Sequence[JudgedInteraction]) -> Json:
    """The member `interactions` of a scorecard, where a factorial joins levers."""
    return {"interactions": [_interaction(j) for j in judged]} if judged else {}


def lever_from(card: JsonObject) -> LeverCard | None:
    """A variant's `lever`; None where it has none."""
    if "lever" not in card:
        return None
    lever = object_of(card["lever"])
    effects = {name: _compared(object_of(effect)) for name, effect in object_of(lever["effects"]).items()}
    checks = tuple(_check(object_of(check)) for check in list_of(lever["checks"]))
    return LeverCard(of=text_of(lever["of"]), effects=effects, checks=checks)


def lever_measures_from(card: JsonObject) -> LeverMeasures | None:
    """What was measured behind a variant's `lever`."""
    lever = lever_from(card)
    if lever is None:
        return None
    effects = {name: effect.difference for name, effect in lever.effects.items()}
    return LeverMeasures(of=lever.of, effects=effects, checks=lever.checks)


def truncation_from(card: JsonObject) -> tuple[Truncation, ...]:
    """A variant's `truncation`; nothing where a cap cut nothing."""
    return tuple(_truncated(object_of(row)) for row in list_of(card.get("truncation", [])))


def interactions_from(card: JsonObject) -> tuple[JudgedInteraction, ...]:
    """A scorecard's interactions; none where it has none."""
    return tuple(_judged(object_of(entry)) for entry in list_of(card.get("interactions", [])))


def _effect(effect: Compared) -> Json:
    return {key: value for key, value in compared_json(effect).items() if key != "gated"}


def _compared(effect: JsonObject) -> Compared:
    return compared_of({**effect, "gated": False})


def _check(check: JsonObject) -> LeverCheck:
    outcome = cast("CheckOutcome", text_of(check["outcome"]))
    return LeverCheck(lever=text_of(check["lever"]), outcome=outcome, says=text_of(check["says"]))


def _interaction(judged: JudgedInteraction) -> Json:
    interaction = judged.interaction
    label = Compared(difference=interaction.difference, verdict=judged.verdict, gated=False, margin=None)
    value: Json = {"of": interaction.of, "levers": list(interaction.levers), "measure": interaction.measure}
    aliases: list[JsonValue] = [list(alias) for alias in interaction.aliases]
    return value | ({"aliases": aliases} if aliases else {}) | _effect(label)


def _judged(entry: JsonObject) -> JudgedInteraction:
    label = _compared(entry)
    return JudgedInteraction(
        interaction=Interaction(
            of=text_of(entry["of"]),
            levers=texts_of(entry["levers"]),
            measure=text_of(entry["measure"]),
            difference=label.difference,
            aliases=tuple(texts_of(alias) for alias in list_of(entry.get("aliases", []))),
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


def _truncated(row: JsonObject) -> Truncation:
    return Truncation(
        reason=text_of(row["finish_reason"]),
        cap=count_of(row["cap"]) if "cap" in row else None,
        where=texts_by_name(row["slice"]),
        n=count_of(row["n"]),
        of=count_of(row["of"]),
        score=known_of(row, "score"),
        against=text_of(row["against"]),
        change=difference_of(object_of(row["change"])),
        changes={name: number_of(change) for name, change in object_of(row["changes"]).items()},
    )
