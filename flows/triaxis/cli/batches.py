"""batches: provider batches, and what a person decides about them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Concatenate, ParamSpec

import click

from triaxis.cli.options import json_option, workspace_options
from triaxis.ports.progress import Progress

P = ParamSpec("P")


@click.group(name="batches", invoke_without_command=True)
@workspace_options
@click.option("--ask", is_flag=True, help="Ask providers how far the batches on their way are.")
@json_option
@click.pass_context
def batches(ctx: click.Context, root: Path, config: str, ask: bool, as_json: bool) -> None:
    """List every provider batch with its state, age, rows and dollars, or decide about one.

    Example: triaxis batches --ask
    """
    ctx.obj = root, config
    if ctx.invoked_subcommand is not None:
        return
    from triaxis.cli.progress import progress
    from triaxis.pipelines.batch_verbs import listed

    with progress() as shown:
        found = asyncio.run(listed(root, config, shown, ask=ask))
    if as_json:
        click.echo(json.dumps({"batches": [one.to_json() for one in found]}, indent=2))
    else:
        click.echo("\n".join(one.text() for one in found) or "no batches")


@batches.command(name="adopt")
@click.argument("name")
@click.argument("provider_id")
@click.pass_obj
def adopt(where: tuple[Path, str], name: str, provider_id: str) -> None:
    """Say that a batch of unknown fate is at its provider, under PROVIDER_ID.

    Example: triaxis batches adopt triaxis-5f0c batch_68f1
    """
    from triaxis.pipelines import batch_verbs

    _decide(batch_verbs.adopt, where, name, provider_id)


@batches.command(name="cancel")
@click.argument("name")
@click.pass_obj
def cancel(where: tuple[Path, str], name: str) -> None:
    """Ask the provider to stop a batch; what it has completed is billed, and kept.

    Example: triaxis batches cancel triaxis-5f0c
    """
    from triaxis.pipelines import batch_verbs

    _decide(batch_verbs.cancel, where, name)


@batches.command(name="resubmit")
@click.argument("name")
@click.pass_obj
def resubmit(where: tuple[Path, str], name: str) -> None:
    """Give a batch up, so that the next run asks for its rows again, and pays again if it was there after all.

    Example: triaxis batches resubmit triaxis-5f0c
    """
    from triaxis.pipelines import batch_verbs

    _decide(batch_verbs.resubmit, where, name)


def _decide(
    verb: Callable[Concatenate[Path, str, Progress, P], Awaitable[str]],
    where: tuple[Path, str],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    from triaxis.cli.progress import progress

    async def decided() -> str:
        with progress() as shown:
            return await verb(*where, shown, *args, **kwargs)

    click.echo(asyncio.run(decided()))
