"""Levers in a scorecard's JSON, both ways.

    variants.NAME.lever    {of, levers, effects: {MEASURE: difference with label}, checks: [{lever, outcome, says}]}
    interactions           [{of, levers, measure, aliases, difference with label}]

Neither is there where no variant extends another, or no factorial joins levers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.levers import CheckOutcome, Interaction, LeverCheck, LeverMeasures
from triaxis.domain.scorecard import Compared, JudgedInteraction, LeverCard, VariantCard
from triaxis.rules.card_parts import Json as Read
from triaxis.rules.card_parts import as_compared, as_entries, as_members, as_text, as_texts
from triaxis.rules.card_values import Json, compared_json


def lever_json(card: VariantCard) -> Json:
    """The member `lever` of a variant, where it extends another."""
    lever = card.lever
    if lever is None:
        return {}
    effects: Json = {name: _effect(effect) for name, effect in sorted(lever.effects.items())}
    checks: list[JsonValue] = [{"lever": c.lever, "outcome": c.outcome, "says": c.says} for c in lever.checks]
    return {"lever": {"of": lever.of, "levers": sorted(card.measures.levers), "effects": effects, "checks": checks}}


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
