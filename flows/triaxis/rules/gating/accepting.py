"""What a decision needs: everything that keeps a variant back is waived, by name, until a day that is to come."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from triaxis.domain.decision import Alternative, Decision, Waiver
from triaxis.domain.scorecard import Scorecard
from triaxis.errors import Fault
from triaxis.quantities import Absent
from triaxis.rules.gating.standing import blockers
from triaxis.rules.words import score


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody asks to be written down."""

    variant: str
    approver: str
    because: str
    waive: tuple[str, ...] = ()
    """Objectives, as `blockers` names them."""
    until: tuple[str, ...] = ()
    """The last day of each waiver, or one day for all."""


def choice_faults(card: Scorecard, choice: Choice, today: str) -> tuple[Fault, ...]:
    """Everything wrong with a choice, whatever the verdict."""
    return tuple(_faults(card, choice, today))


def _faults(card: Scorecard, choice: Choice, today: str) -> Iterator[Fault]:
    if choice.variant not in card.variants:
        problem = f"no variant {choice.variant!r} is in the scorecard"
        yield Fault(file="accept", problem=problem, advice=f"The scorecard has: {', '.join(card.variants)}.")
    for option, text in (("--by", choice.approver), ("--because", choice.because)):
        if not text.strip():
            yield Fault(
                file=option, problem="it is empty", advice="A decision has somebody who answers for it, and why."
            )
    yield from _date_faults(choice, today)
    if choice.variant in card.variants:
        yield from _name_faults(choice.waive, blockers(card.variants[choice.variant]))


def _date_faults(choice: Choice, today: str) -> Iterator[Fault]:
    if len(choice.until) not in {len(choice.waive), min(1, len(choice.waive))}:
        problem = f"{len(choice.until)} days stand for {len(choice.waive)} waivers"
        yield Fault(file="--until", problem=problem, advice="Give one day for all waivers, or one for each, in order.")
    for day in choice.until:
        try:
            written = date.fromisoformat(day).isoformat()
        except ValueError:
            written = ""
        if written != day:
            yield Fault(file="--until", problem=f"{day!r} is no date", advice="Write a day that exists, as YYYY-MM-DD.")
        elif day <= today:
            yield Fault(file="--until", problem=f"{day} is not to come", advice="A waiver ends on a day after today.")


def _name_faults(names: Sequence[str], open_: Mapping[str, str]) -> Iterator[Fault]:
    waivable = f"To be waived there is: {', '.join(open_)}." if open_ else "Nothing needs a waiver."
    for name in names:
        if name not in open_:
            close = difflib.get_close_matches(name, open_, n=1)
            advice = (f"Did you mean {close[0]!r}? " if close else "") + waivable
            yield Fault(file="--waive", problem=f"{name!r} does not keep the variant back", advice=advice)
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield Fault(file="--waive", problem=f"{name!r} is waived twice", advice="Waive it once.")


def unwaived(card: Scorecard, choice: Choice) -> Mapping[str, str]:
    """What keeps the chosen variant back and is not waived, with the reason.

    Staying with the baseline is never refused. What no waiver can name, such as an SLO without objectives, keeps a
    variant back under the name `verdict`.
    """
    variant = card.variants[choice.variant]
    if choice.variant == card.baseline or variant.verdict == "promote":
        return {}
    open_ = blockers(variant) or {"verdict": " ".join(variant.reasons)}
    return {name: why for name, why in open_.items() if name not in choice.waive}


def decision(card: Scorecard, choice: Choice, decided_at: str) -> Decision:
    """The record of a choice without faults, of which nothing is `unwaived`."""
    days = choice.until if len(choice.until) == len(choice.waive) else choice.until * len(choice.waive)
    return Decision(
        variant=choice.variant,
        verdict=card.variants[choice.variant].verdict,
        approver=choice.approver,
        because=choice.because,
        decided_at=decided_at,
        rejected=tuple(_alternative(card, choice.variant, name) for name in card.variants if name != choice.variant),
        waivers=tuple(
            Waiver(objective=name, approver=choice.approver, because=choice.because, until=day)
            for name, day in zip(choice.waive, days, strict=True)
        ),
        weights=card.weights,
    )


def _alternative(card: Scorecard, chosen: str, name: str) -> Alternative:
    variant = card.variants[name]
    reasons = variant.reasons if variant.verdict != "promote" else (_could_ship(card, chosen, name),)
    return Alternative(variant=name, verdict=variant.verdict, reasons=reasons)


def _could_ship(card: Scorecard, chosen: str, name: str) -> str:
    what = "It is the baseline" if name == card.baseline else "It can ship as well"
    mine, theirs = (card.variants[n].axes.composite for n in (name, chosen))
    if isinstance(mine, Absent) or isinstance(theirs, Absent):
        return f"{what}."
    return f"{what}; its composite is {score(mine)}, that of {chosen} {score(theirs)}."
