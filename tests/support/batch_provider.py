"""A provider of batches that keeps a ledger of what it billed, over real HTTP in a process of its own.

It speaks the batch protocols of OpenAI (`/v1`, and `/openai` as Azure has it), Anthropic (`/v1/messages/batches`),
Mistral (`/mistral/v1`) and xAI (`/xai/v1`), and answers chat completions as the ledger provider does, into one ledger.
A batch is in the ledger before its id is told, and its rows before anything shows that they were run; a batch that
nobody asks after again runs, and bills, all the same. Everything that it says is simulated.

    python batch_provider.py --ledger ledger.jsonl --polls 2 --calls create.lost=1 --rows busy=0.1 --batches expired=1

prints one line of JSON with its address, and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio

from aiohttp import web
from batch_dialects import XAI, Anthropic, Mistral
from batch_jobs import BATCH_FAULTS, ROW_FAULTS, Fate
from batch_openai import OpenAI
from batch_state import CALL_FAULTS, CALLS, FINDS, Batches, BatchSettings
from ledger_provider import Provider, arguments, settings_of
from provider_parts import Ledger, rates, serve

MOST_BYTES = 2**30


def application(given: argparse.Namespace) -> tuple[web.Application, Batches]:
    """Everything that is served."""
    settings = settings_of(given)
    kinds = [*CALL_FAULTS, *(f"{call}.{fault}" for call in CALLS for fault in CALL_FAULTS)]
    batches = Batches(
        settings=settings,
        batch=BatchSettings(
            calls=rates(given.calls, kinds),
            at_most=given.at_most,
            find=given.find,
            polls=given.polls,
            run_s=given.run_s,
            page=given.page,
        ),
        ledger=Ledger(settings.ledger),
        fate=Fate(seed=settings.seed, batches=rates(given.batches, BATCH_FAULTS), rows=rates(given.rows, ROW_FAULTS)),
    )
    app = web.Application(client_max_size=MOST_BYTES)
    openai = OpenAI(batches)
    app.router.add_post("/v1/chat/completions", Provider(settings, batches.ledger).answered)
    app.router.add_routes([*openai.routes("/v1"), *openai.routes("/openai"), *Anthropic(batches).routes()])
    app.router.add_routes([*Mistral(batches, openai).routes(), *XAI(batches, openai).routes()])
    return app, batches


def main() -> None:
    """Answers batches."""
    parser = arguments("A provider of batches with a ledger and faults.")
    parser.add_argument("--calls", default="", help="[CALL.]KIND=RATE,...: " + " ".join(CALL_FAULTS))
    parser.add_argument("--at-most", type=int, default=10**9, help="how often one call meets a fault")
    parser.add_argument("--batches", default="", help="KIND=RATE,...: " + " ".join(BATCH_FAULTS))
    parser.add_argument("--rows", default="", help="KIND=RATE,...: " + " ".join(ROW_FAULTS))
    parser.add_argument("--find", choices=FINDS, default="metadata")
    parser.add_argument("--polls", type=int, default=0, help="looks until a batch has ended; 0 goes by time")
    parser.add_argument("--run-s", type=float, default=0.0, help="seconds until a batch has ended")
    parser.add_argument("--page", type=int, default=100, help="entries of a list at once, at most")
    given = parser.parse_args()

    async def run() -> None:
        app, batches = application(given)
        await serve(app, given.port, batches.end_all)

    asyncio.run(run())


if __name__ == "__main__":
    main()
