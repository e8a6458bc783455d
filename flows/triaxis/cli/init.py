"""init: a workspace that runs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
def init(folder: Path) -> None:
    """Write a workspace that runs into DIR, or complete an existing one; changes nothing that is there.

    Example: triaxis init my-evaluation
    """
    from triaxis.wiring import new_workspace

    for path, outcome in new_workspace(folder):
        click.echo(f"{outcome:8}{path}")
    click.echo(f"next: cd {folder} && triaxis check && triaxis run")
