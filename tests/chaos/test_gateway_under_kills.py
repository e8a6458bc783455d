"""A gateway killed at random moments and started again: the client sees every row once, and the ledger agrees."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest
from build_gateway import CHAT, a_row, jsonl, lines_of
from gateway_process import TRIAXIS, running_gateway
from ledger_provider import identity
from provider_process import Bill, RunningProvider, running_provider

ROWS = 100
CONCURRENCY = 6
DELAY_MS = 60
LENGTH_S = ROWS / CONCURRENCY * DELAY_MS / 1000
"""Of the sending, undisturbed."""
MIX = "rate_limit=0.04,server=0.04,hang=0.02,reset=0.04,truncated=0.04,malformed=0.04,bad_request=0.03"
ENDED = ("completed", "failed", "expired", "cancelled")
DEFECTIVE = (sys.executable, str(Path(__file__).with_name("defective.py")))

runs = pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(2, 30))]
)


@dataclass(slots=True, kw_only=True)
class Customer:
    """Uploads, begins a batch and waits for it, as if nothing could happen to the server; then looks at everything."""

    folder: Path
    port: str
    done: threading.Event = field(default_factory=threading.Event)
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    """Of the output and error file, by batch: a request that was cut off is sent again, and may begin a second one."""
    statuses: set[str] = field(default_factory=set[str])

    def work(self) -> None:
        """All of it; OpenAI's client tries again by itself."""
        base = f"http://127.0.0.1:{self.port}/v1"
        with openai.OpenAI(api_key="none", base_url=base, max_retries=30, timeout=20) as client:
            try:
                self._batch(client)
                for batch in client.batches.list():
                    files = (batch.output_file_id, batch.error_file_id)
                    found = [client.files.content(file).content for file in files if file is not None]
                    self.lines[batch.id] = [line for content in found for line in lines_of(content)]
                    self.statuses.add(batch.status)
            finally:
                self.done.set()

    def _batch(self, client: openai.OpenAI) -> None:
        path = self.folder / "input.jsonl"
        path.write_bytes(jsonl([a_row(number) for number in range(ROWS)]))
        with path.open("rb") as file:
            uploaded = client.files.create(file=("input.jsonl", file.read()), purpose="batch")
        client.batches.create(input_file_id=uploaded.id, endpoint=CHAT, completion_window="24h")
        while not all(batch.status in ENDED for batch in client.batches.list()):
            time.sleep(0.05)


def survived(folder: Path, provider: RunningProvider, seed: str, *, program: Sequence[str]) -> tuple[Customer, int]:
    """A customer who was served by gateways that were killed, and how many kills it took."""
    rng = random.Random(seed)
    moments = [rng.uniform(0.05, LENGTH_S * 0.9) for _ in range(rng.randint(1, 3))]
    sys.stdout.write(f"seed {seed!r}: killed after {', '.join(f'{moment:.3f}' for moment in moments)} s\n")
    options = ("--concurrency", str(CONCURRENCY), "--answer-timeout", "0.6")
    port, customer, kills = "0", None, 0
    for moment in (*moments, None):
        with running_gateway(folder, provider.api_base, *options, port=port, program=program) as gateway:
            port = gateway.port
            if customer is None:
                customer = Customer(folder=folder, port=port)
                threading.Thread(target=customer.work, daemon=True).start()
            ended = customer.done.wait(timeout=120 if moment is None else moment)
            kills += not ended
            gateway.kill()
    assert customer is not None
    return customer, kills


def audit(customer: Customer, bills: Sequence[Bill], *, kills: int, faults: str) -> list[str]:
    """Everything that a client or an accountant would complain of."""
    found = [] if customer.statuses == {"completed"} else [f"ended as {sorted(customer.statuses)}"]
    sends = Counter[str]()
    expected = sorted(f"row-{number}" for number in range(ROWS))
    for batch_id, lines in customer.lines.items():
        if sorted(line["custom_id"] for line in lines) != expected:
            found.append(f"{batch_id} has not every row once")
        for line in lines:
            sends[line["custom_id"]] += line.get("triaxis", {}).get("sends", 1)
    billed = Counter(bill.request for bill in bills if bill.billed)
    for number in range(ROWS):
        row = a_row(number)
        if billed[identity(row["body"])] > sends[row["custom_id"]]:
            found.append(
                f"{row['custom_id']} was billed more often than the {sends[row['custom_id']]} times it tells of"
            )
    cut_off = sends.total() - sum(bill.billed for bill in bills)
    again = sends.total() - ROWS * len(customer.lines)
    if not faults and max(cut_off, again) > kills * CONCURRENCY:
        found.append(f"{again} rows were sent again, though {kills} kills cut off fewer")
    return found


def served(folder: Path, seed: str, *, faults: str = "", program: Sequence[str] = (TRIAXIS,)) -> list[str]:
    """What the audit finds after a batch under kills."""
    options = ("--delay-ms", str(DELAY_MS), "--faults", faults, "--seed", seed)
    folder.mkdir(parents=True, exist_ok=True)
    with running_provider(folder / "ledger.jsonl", *options) as provider:
        customer, kills = survived(folder, provider, seed, program=program)
        return audit(customer, provider.bills(), kills=kills, faults=faults)


@runs
@pytest.mark.parametrize("faults", ["", MIX], ids=["kills", "faults"])
def test_a_killed_gateway_serves_every_row_once_and_tells_of_every_send(seed: int, faults: str, tmp_path: Path) -> None:
    assert served(tmp_path, f"gateway {seed} {bool(faults)}", faults=faults) == []


@pytest.mark.parametrize("defect", ["no_mark", pytest.param("late_outcomes", marks=pytest.mark.chaos)])
def test_the_audit_notices_a_broken_promise(defect: str, tmp_path: Path) -> None:
    for number in range(6):
        if served(tmp_path / str(number), f"{defect} {number}", program=(*DEFECTIVE, defect)):
            return
    raise AssertionError(defect)
