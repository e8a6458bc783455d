"""check and plan: what is wrong, and what a run would do. Neither spends anything."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from triaxis.cli.options import json_option, workspace_options
from triaxis.errors import InputFaults


@click.command(name="check")
@workspace_options
@json_option
def check(root: Path, config: str, as_json: bool) -> int:
    """Report every fault of every input file, with file, line and advice; spends nothing.

    Example: triaxis check -c full.yaml
    """
    from triaxis.wiring import wire

    wiring = wire(root, config)
    try:
        notices = wiring.check()
    except InputFaults as error:
        if not as_json:
            raise
        click.echo(json.dumps({"faults": [asdict(fault) for fault in error.faults], "notices": []}, indent=2))
        return error.exit_code
    if as_json:
        click.echo(json.dumps({"faults": [], "notices": list(notices)}, indent=2))
    else:
        click.echo("\n".join([*(f"note: {notice}" for notice in notices), "no faults"]))
    return 0


@click.command(name="plan")
@workspace_options
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Plan for this variant; may be repeated.")
@json_option
def plan(root: Path, config: str, variants: tuple[str, ...], as_json: bool) -> None:
    """Say what a run would call and cost, and why each stage must run; spends nothing.

    Example: triaxis plan --json
    """
    from triaxis.pipelines.outlook import outlook
    from triaxis.wiring import wire

    seen = outlook(wire(root, config), only=variants)
    click.echo(json.dumps(seen.to_json(), indent=2) if as_json else seen.text())
