"""compare: two variants, two scorecards, or two files of objectives."""

from __future__ import annotations

import json
from pathlib import Path

import click

from triaxis.cli.options import json_option, workspace_options


@click.command(name="compare")
@click.argument("before")
@click.argument("after")
@workspace_options
@json_option
def compare(before: str, after: str, root: Path, config: str, as_json: bool) -> None:
    """What changed from BEFORE to AFTER, paired case by case, and which change alone turned a verdict.

    Each is a variant of the current scorecard, the id of an archived one (its first digits will do), or ID:VARIANT.
    Two .yaml files are compared as objectives. Nothing is called.

    Example: triaxis compare few_shot short
    """
    if _is_slo(before) and _is_slo(after):
        _slos(Path(before), Path(after), as_json=as_json)
        return
    from triaxis.pipelines.comparing import compared
    from triaxis.rules.sheets.comparison_text import comparison_json, comparison_text

    found = compared(root, config, before, after)
    click.echo(json.dumps(comparison_json(found), indent=2) if as_json else comparison_text(found))


def _is_slo(word: str) -> bool:
    return word.endswith((".yaml", ".yml"))


def _slos(before: Path, after: Path, *, as_json: bool) -> None:
    from triaxis.pipelines.deciding import compared_slos
    from triaxis.rules.sheets.gate_text import changes_json, changes_text

    changes = compared_slos(before, after)
    if as_json:
        click.echo(json.dumps({"slo_changes": changes_json(changes)}, indent=2))
    else:
        click.echo(changes_text(changes) or "the objectives are the same")
