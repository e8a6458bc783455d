"""Verbs that only read: show, schema. They take no lock and import no vendor of the pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import click

from triaxis.cli.options import json_option, workspace_options
from triaxis.errors import Fault, InputFaults


@click.command(name="show")
@workspace_options
@json_option
def show(root: Path, config: str, as_json: bool) -> None:
    """The current scorecard in the terminal.

    Example: triaxis show --json
    """
    from triaxis.cli.loud import warn
    from triaxis.pipelines.deciding import standings
    from triaxis.rules.cards.card import to_json
    from triaxis.rules.gating.looks import looks_notes
    from triaxis.rules.sheets.gate_text import objective_lines
    from triaxis.rules.sheets.sheet import headline
    from triaxis.wiring import archived, stored_scorecard

    card = stored_scorecard(root, config)
    warn(standings(card, tuple(card.variants), archived(root, config)))
    if as_json:
        click.echo(json.dumps(to_json(card), indent=2, ensure_ascii=False))
        return
    click.echo(f"{card.name}, scorecard {card.id}\n{headline(card)}")
    for name, variant in card.variants.items():
        word = "baseline" if name == card.baseline else variant.verdict
        click.echo("\n".join([f"\n{name}: {word}", *objective_lines(variant)]))
    if notes := looks_notes(card):
        click.echo("\n".join(["", *(f"note: {note}" for note in notes)]))


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
