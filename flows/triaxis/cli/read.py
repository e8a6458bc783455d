"""Verbs that only read: gate, show, schema. They take no lock and import no vendor of the pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import click

from triaxis.cli.options import json_option, workspace_options
from triaxis.domain.scorecard import Scorecard, VariantCard, Verdict
from triaxis.errors import Fault, InputFaults

EXIT: dict[Verdict, int] = {"promote": 0, "hold": 3, "inconclusive": 4}
MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


@click.command(name="gate")
@click.argument("variant", required=False)
@workspace_options
@json_option
def gate(variant: str | None, root: Path, config: str, as_json: bool) -> int:
    """The decision on VARIANT of the current scorecard: exit 0 promote, 3 hold, 4 inconclusive.

    VARIANT may be left out where there is one candidate.

    Example: triaxis gate capped
    """
    from triaxis.wiring import stored_scorecard

    card = stored_scorecard(root, config)
    name = _chosen(card, variant)
    decided = card.variants[name]
    _warn_if_overdue(card)
    if as_json:
        answer = {"id": card.id, "variant": name, "verdict": decided.verdict, "reasons": list(decided.reasons)}
        click.echo(json.dumps(answer, indent=2))
    else:
        lines = [f"{name}: {decided.verdict}", *(f"  {reason}" for reason in decided.reasons), *_objectives(decided)]
        click.echo("\n".join(lines))
    return EXIT[decided.verdict]


@click.command(name="show")
@workspace_options
@json_option
def show(root: Path, config: str, as_json: bool) -> None:
    """The current scorecard in the terminal.

    Example: triaxis show --json
    """
    from triaxis.rules.card import to_json
    from triaxis.rules.sheet import headline
    from triaxis.wiring import stored_scorecard

    card = stored_scorecard(root, config)
    _warn_if_overdue(card)
    if as_json:
        click.echo(json.dumps(to_json(card), indent=2, ensure_ascii=False))
        return
    click.echo(f"{card.name}, scorecard {card.id}\n{headline(card)}")
    for name, variant in card.variants.items():
        word = "baseline" if name == card.baseline else variant.verdict
        click.echo("\n".join([f"\n{name}: {word}", *_objectives(variant)]))


@click.command(name="schema")
@click.argument("name")
def schema(name: str) -> None:
    """The JSON Schema of a file format, for your editor.

    Example: triaxis schema evaluation
    """
    from triaxis.wiring import file_schema, file_schemas

    if name not in file_schemas():
        raise InputFaults(
            Fault(file=name, problem="no file format has this name", advice=f"There are: {', '.join(file_schemas())}.")
        )
    click.echo(json.dumps(file_schema(name), indent=2, ensure_ascii=False))


def _chosen(card: Scorecard, variant: str | None) -> str:
    """The variant asked about.

    Raises:
        InputFaults: for a name that is none, or none where there are several candidates.
    """
    candidates = [name for name in card.variants if name != card.baseline] or list(card.variants)
    if variant is None and len(candidates) == 1:
        return candidates[0]
    if variant is None:
        problem = f"the scorecard has {len(candidates)} candidates"
        raise InputFaults(Fault(file="gate", problem=problem, advice=f"Name one of: {', '.join(candidates)}."))
    if variant not in card.variants:
        advice = f"The scorecard has: {', '.join(card.variants)}."
        raise InputFaults(Fault(file="gate", problem=f"no variant {variant!r} is in the scorecard", advice=advice))
    return variant


def _objectives(variant: VariantCard) -> list[str]:
    from triaxis.rules.sheet import interval_text, value_text
    from triaxis.rules.words import quantity

    return [
        f"  {MARKS[o.verdict]} {o.name} {value_text(o.axis, o.estimate)} ({interval_text(o.axis, o.estimate)}), "
        f"target {quantity(o.axis, o.target)}: {o.verdict}"
        for o in variant.objectives
    ]


def _warn_if_overdue(card: Scorecard) -> None:
    from datetime import UTC, datetime

    if card.review_by and datetime.now(UTC).date().isoformat() > card.review_by:
        click.echo(
            f"WARNING: these objectives were to be reviewed by {card.review_by}; they still gate. "
            f"Ask their owner, {card.owner}, to look at them again.",
            err=True,
        )
