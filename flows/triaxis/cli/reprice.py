"""reprice: a stored scorecard under another price table."""

from __future__ import annotations

import json
from pathlib import Path

import click

from triaxis.cli.options import json_option, workspace_options


@click.command(name="reprice")
@workspace_options
@click.option("--prices", type=click.Path(path_type=Path), metavar="FILE", help="A prices.yaml, or LiteLLM's JSON.")
@click.option("--litellm-version", "version", metavar="X", help="The table of this LiteLLM, installed or archived.")
@click.option("--scorecard", metavar="ID", help="An archived scorecard, by its first digits; else the current one.")
@json_option
def reprice(
    *, root: Path, config: str, prices: Path | None, version: str | None, scorecard: str | None, as_json: bool
) -> None:
    """What a stored scorecard would say at other prices, and which prices differ; nothing is called or written.

    Costs, axes, objectives and verdicts are made anew of the stored rows. A prices.yaml replaces the rows that it has;
    a table of LiteLLM's replaces those that came from LiteLLM. No table is ever fetched.

    Example: triaxis reprice --prices next-year.yaml
    """
    if (prices is None) == (version is None):
        raise click.UsageError("give either --prices FILE or --litellm-version X")
    from triaxis.pipelines.repricing import repriced
    from triaxis.rules.measures.repricing import repriced_json, repriced_text

    found = repriced(root, config, prices=prices, version=version, scorecard=scorecard)
    click.echo(json.dumps(repriced_json(found), indent=2, ensure_ascii=False) if as_json else repriced_text(found))
