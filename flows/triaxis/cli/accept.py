"""accept: the decision, written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaxis.cli.options import json_option, workspace_options

if TYPE_CHECKING:
    from triaxis.pipelines.accepting import Accepted, Refused


@click.command(name="accept")
@click.argument("variant")
@workspace_options
@click.option("--by", required=True, metavar="NAME", help="Who answers for the decision.")
@click.option("--because", required=True, metavar="TEXT", help="Why.")
@click.option("--waive", multiple=True, metavar="OBJECTIVE", help="A known miss to look away from; may be repeated.")
@click.option("--until", multiple=True, metavar="DATE", help="Last day of the waivers: one for all, or one for each.")
@json_option
def accept(
    *,
    variant: str,
    root: Path,
    config: str,
    by: str,
    because: str,
    waive: tuple[str, ...],
    until: tuple[str, ...],
    as_json: bool,
) -> int:
    """Record that VARIANT ships: who decided it, why, and what was waived, beside the archived scorecard.

    A variant that is held or inconclusive needs a waiver of everything that keeps it back. A waiver never changes a
    verdict: `gate` shows it beside one. Exit 0 recorded, 3 or 4 refused by the verdict.

    Example: triaxis accept capped --by Ann --because "no worse"
    """
    from triaxis.pipelines.accepting import Accepted
    from triaxis.pipelines.accepting import accept as recorded
    from triaxis.rules.gating.accepting import Choice
    from triaxis.rules.gating.standing import EXIT

    choice = Choice(variant=variant, approver=by, because=because, waive=waive, until=until)
    outcome = recorded(root, config, choice)
    if isinstance(outcome, Accepted):
        click.echo(json.dumps(_recorded(outcome), indent=2) if as_json else _text(outcome))
        return 0
    click.echo(_refusal(outcome), err=True)
    if as_json:
        click.echo(
            json.dumps({"variant": variant, "verdict": outcome.verdict, "missing": dict(outcome.missing)}, indent=2)
        )
    return EXIT[outcome.verdict]


def _recorded(outcome: Accepted) -> dict[str, object]:
    waivers = [{"objective": w.objective, "until": w.until} for w in outcome.decision.waivers]
    return {
        "id": outcome.card.id,
        "variant": outcome.decision.variant,
        "verdict": outcome.decision.verdict,
        "waivers": waivers,
        "decision": outcome.path,
    }


def _text(outcome: Accepted) -> str:
    made = outcome.decision
    waived = [f"  waived until {w.until}: {w.objective}" for w in made.waivers]
    lead = f"{made.variant} is accepted by {made.approver}; its verdict stays {made.verdict}"
    return "\n".join([lead, *waived, f"recorded in {outcome.path}; commit it"])


def _refusal(outcome: Refused) -> str:
    waivers = " ".join(f"--waive '{name}'" for name in outcome.missing)
    reasons = [f"  {name}: {why}" for name, why in outcome.missing.items()]
    advice = f"Gather more evidence, or answer for it: {waivers} --until DATE"
    return "\n".join([f"{outcome.variant} is not accepted: its verdict is {outcome.verdict}", *reasons, advice])
