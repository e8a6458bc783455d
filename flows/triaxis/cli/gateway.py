"""gateway: a server of its own, until it is stopped."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import click

from triaxis.cli.options import json_option

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SECONDS = click.FloatRange(min=0, min_open=True)


@click.command(name="gateway")
@click.option("--upstream", required=True, metavar="URL", help="The server, as its clients have it: http://…/v1.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen at.")
@click.option(
    "--port", default=8124, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 picks a free one."
)
@click.option(
    "--state",
    default=".triaxis/gateway",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where files and batches are kept.",
)
@click.option(
    "--concurrency",
    default=4,
    show_default=True,
    type=click.IntRange(min=1),
    help="Most rows of batches that the server has at once.",
)
@click.option("--key-env", metavar="NAME", help="The environment variable that holds the server's key.")
@click.option(
    "--connect-timeout", default=10.0, show_default=True, type=_SECONDS, help="Seconds until a connection stands."
)
@click.option(
    "--answer-timeout", default=600.0, show_default=True, type=_SECONDS, help="Seconds until a row is answered."
)
@json_option
def gateway(
    *,
    upstream: str,
    host: str,
    port: int,
    state: Path,
    concurrency: int,
    key_env: str | None,
    connect_timeout: float,
    answer_timeout: float,
    as_json: bool,
) -> None:
    """OpenAI's files and batches API in front of a compatible server that has none.

    Batches go on where they were when the gateway is stopped, killed or restarted. Everything else is passed through.

    Example: triaxis gateway --upstream http://127.0.0.1:11434/v1
    """
    from triaxis.wiring import gateway as opened

    if host not in LOOPBACK:
        whose = "that key" if key_env else "the upstream"
        click.echo(f"note: whoever reaches {host} can use {whose} and read every file", err=True)
    serving = opened(
        upstream=upstream,
        key_env=key_env,
        state=state,
        host=host,
        port=port,
        concurrency=concurrency,
        connect_timeout_s=connect_timeout,
        answer_timeout_s=answer_timeout,
        tell=partial(click.echo, err=True),
    )
    asyncio.run(_until_stopped(serving, as_json))


async def _until_stopped(serving: AbstractAsyncContextManager[str], as_json: bool) -> None:
    """Serves until Ctrl-C or SIGTERM; a second one does not wait for the rows that the server still has."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving as api_base:
        click.echo(json.dumps({"api_base": api_base}) if as_json else f"{api_base} answers; Ctrl-C ends it")
        await stopped.wait()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        click.echo("ending; what is not done goes on at the next start", err=True)
