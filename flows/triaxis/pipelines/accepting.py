"""What `accept` does: holds the decision against the verdict, and writes it beside the archived scorecard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from triaxis.domain.decision import Decision
from triaxis.domain.scorecard import Scorecard, Verdict
from triaxis.errors import Fault, InputFaults
from triaxis.rules.gating.accepting import Choice, choice_faults, decision, unwaived
from triaxis.wiring import Wiring, stored_scorecard, wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A decision that is written down."""

    card: Scorecard
    decision: Decision
    path: str
    """Of decision.json, relative to the workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A variant that is kept back by what nobody waived; nothing is written."""

    card: Scorecard
    variant: str
    verdict: Verdict
    missing: Mapping[str, str]
    """What keeps it back, and why."""


def accept(root: Path, config: str, choice: Choice) -> Accepted | Refused:
    """Records a choice on the current scorecard.

    Raises:
        InputFaults: with everything wrong with the choice; where the scorecard is not archived.
        Busy: where a run holds the workspace.
    """
    wiring = wire(root, config)
    with wiring.lock("accept"):
        card = stored_scorecard(root, config)
        at = datetime.fromtimestamp(wiring.clock.now_ns() // 10**9, UTC)
        faults = (*choice_faults(card, choice, at.date().isoformat()), *_not_archived(wiring, card))
        if faults:
            raise InputFaults(*faults)
        if missing := unwaived(card, choice):
            verdict = card.variants[choice.variant].verdict
            return Refused(card=card, variant=choice.variant, verdict=verdict, missing=missing)
        made = decision(card, choice, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        path = wiring.archived.decide(card, made)
        return Accepted(card=card, decision=made, path=path.relative_to(wiring.root).as_posix())


def _not_archived(wiring: Wiring, card: Scorecard) -> tuple[Fault, ...]:
    if card.id in wiring.archived.ids():
        return ()
    problem = f"scorecard {card.id} is not in the archive"
    return (Fault(file=f"{wiring.reports}/scorecards", problem=problem, advice="`triaxis publish` archives it."),)
