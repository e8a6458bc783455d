"""`triaxis generate` in batches of `triaxis gateway`, both killed at random moments, in front of a live provider."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import openai
import pytest
from batch_buyer import Buyer
from batch_ledger import BatchLedger
from batch_mixes import Mix
from batch_trials import Stock, traces_of
from chaos_workspace import KEY, LIMITS, TRIAXIS, USD, Usd
from gateway_process import mortal_gateway
from kill_moments import moments
from provider_parts import digest_of
from provider_process import BatchBill, running_provider

DELAY_MS = 40
CONCURRENCY = 6
LENGTH_S = 1.5
"""Of a life of the gateway, at most: the rows of a purchase take a third of it."""
FAULTS = ("rate_limit", "server", "hang", "reset", "truncated", "malformed", "no_choices", "bad_request", "filtered")
QUICK = 22
"""The seed of every day; the others belong to the long runs."""
AS_LIVE: Usd = {name: (usd[0], usd[1], usd[0], usd[1]) for name, usd in USD.items()}
"""Behind a gateway the provider bills live calls, so that a batch costs what they do."""
DEFECTIVE = (sys.executable, str(Path(__file__).with_name("defective.py")))


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(folder=tmp_path_factory.mktemp("stock"), usd=AS_LIVE)


def listed(api_base: str) -> list[BatchBill]:
    """Every batch that the gateway has, as a provider's ledger would show it."""
    with openai.OpenAI(api_key="none", base_url=api_base, max_retries=30) as client:
        found = list(client.batches.list(limit=100))
        inputs = [client.files.content(batch.input_file_id).text.splitlines() for batch in found]
    return [
        BatchBill(
            batch=batch.id,
            protocol="openai",
            name=(batch.metadata or {}).get("triaxis"),
            file=None,
            rows=len(lines),
            of=digest_of(json.loads(line)["custom_id"] for line in lines),
            at_ns=batch.created_at,
        )
        for batch, lines in zip(found, inputs, strict=True)
    ]


def a_mix(rng: random.Random) -> Mix:
    """What is bought, and what goes wrong."""
    faults = ",".join(f"{fault}={rng.choice((0.03, 0.08))}" for fault in FAULTS if rng.random() < 0.5)
    return Mix(
        models=("openai/small", "openai/big")[: rng.choice((1, 1, 2))],
        limits={**LIMITS, "batch_rows": rng.choice((7, 14, 20)), "total_timeout_s": 2.0},
        delivery={"transport": "batch"},
        options=("--delay-ms", str(DELAY_MS), "--faults", faults, "--key-env", "THE_KEY", "--echo-key"),
    )


def tried(
    folder: Path, seed: str, stock: Stock, *, ours: Sequence[str] = TRIAXIS, gateways: Sequence[str] = TRIAXIS
) -> list[str]:
    """Everything that is wrong with one purchase."""
    rng = random.Random(seed)
    mix, lives_s = a_mix(rng), [rng.uniform(0.05, LENGTH_S) for _ in range(rng.randint(1, 3))]
    folder.mkdir(parents=True, exist_ok=True)
    with running_provider(folder / "ledger.jsonl", *mix.options, "--seed", seed, env={"THE_KEY": KEY}) as provider:
        workspace, known = stock.taken(folder / "workspace", mix)
        options = ("--concurrency", str(CONCURRENCY), "--answer-timeout", "0.6", "--key-env", "OPENAI_API_KEY")
        with mortal_gateway(
            folder / "gateway",
            provider.api_base,
            *options,
            lives_s=lives_s,
            program=gateways,
            env={"OPENAI_API_KEY": KEY},
        ) as gateway:
            buyer = Buyer(workspace=workspace.moved(gateway.api_base), provider=provider, program=tuple(ours))
            odd = buyer.buy(moments(rng, workspace, folder / "ledger.jsonl", known.length_s))
            batches = listed(gateway.api_base)
    sys.stdout.write(f"{mix}\n{buyer.told()}; {gateway.kills} of the gateway\n")
    ledger = BatchLedger(batches=batches, rows=(), ours=BatchLedger.of(provider, workspace.book).ours)
    return [*odd, *workspace.books.audit(provider.bills(), kills=0), *ledger.faults(), *traces_of(workspace)]


@pytest.mark.parametrize(
    "seed", [QUICK, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(24) if seed != QUICK)]
)
def test_a_buyer_and_a_gateway_that_are_killed_pay_for_every_row_and_know_of_every_send(
    seed: int, tmp_path: Path, stock: Stock
) -> None:
    assert tried(tmp_path, f"gateway batches {seed}", stock) == []


@pytest.mark.chaos
@pytest.mark.parametrize("defect", ["one_send", "no_mark"])
def test_the_audit_notices_a_broken_promise(defect: str, tmp_path: Path, stock: Stock) -> None:
    """Of the buyer, which counts sends, or of the gateway, which marks them; not every seed meets its moment."""
    defective = {"ours" if defect == "one_send" else "gateways": (*DEFECTIVE, defect)}
    for number in range(6):
        if found := tried(tmp_path / str(number), f"{defect} {number}", stock, **defective):
            sys.stdout.write(f"{found[:3]}\n")
            return
    raise AssertionError(defect)
