"""run: the whole flow."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from triaxis.cli.options import json_option, workspace_options


@click.command(name="run")
@workspace_options
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Evaluate this variant; may be repeated.")
@click.option("--no-wait", is_flag=True, help="Submit provider batches and exit 5 instead of waiting for them.")
@json_option
def run(root: Path, config: str, variants: tuple[str, ...], no_wait: bool, as_json: bool) -> None:
    """Evaluate: read, ask, measure, judge, decide, publish. Only what changed runs.

    Example: triaxis run -c full.yaml
    """
    from triaxis.cli.loud import warn
    from triaxis.cli.progress import progress
    from triaxis.pipelines.deciding import standings
    from triaxis.pipelines.run import run_all
    from triaxis.rules.gating.looks import looks_notes
    from triaxis.wiring import archived

    with progress() as shown:
        outcome = asyncio.run(run_all(root, config, shown, only=variants, wait=not no_wait))
    if as_json:
        click.echo(json.dumps(outcome.to_json(), indent=2, sort_keys=True))
    else:
        click.echo(outcome.text())
        for note in looks_notes(outcome.card):
            click.echo(f"note: {note}")
    warn(standings(outcome.card, tuple(outcome.card.variants), archived(root, config)))
