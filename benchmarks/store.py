"""Times the row store over very many rows: sealing, opening, asking what is known, and reading everything back.

    python benchmarks/store.py [--rows 200000] [--batch 50000] [--shuffled] [--at URL] [--keep DIR]

The rows are made up, about 1 KB each with the attempt that bought them. They are sealed batch by batch, in another
order than they are asked for in, as a provider's batches come back: whole batches in any order, and any order within a
batch. `--shuffled` mixes all rows instead, which no provider does. Each part runs in a process of its own, so that its
peak memory is its own; making the rows up is not counted in seconds, but one batch of them is in memory.

Wanted, a row with its attempt: 12 us to seal and 12 to read back; 1.5 s to open the store and to know a million keys;
400 MB.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from made_up import machine
from numpy.typing import NDArray

from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.claims import BlobClaims
from triaxis.adapters.store.row_store import BlobRowStore
from triaxis.adapters.store.url_blobs import UrlBlobs
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.keys import Keys
from triaxis.domain.rows import Attempt, Row
from triaxis.quantities import Tokens

CHUNK = 8_192
PARTS = ("seal", "known", "read")
SEAL_US, READ_US, KNOWN_S, PEAK_MB = 12.0, 12.0, 1.5, 400.0
MILLION = 1_000_000
BODY = (
    '{"id": "chatcmpl-%(number)d", "object": "chat.completion", "created": 1700000000, "model": "made-up-small", '
    '"choices": [{"index": 0, "message": {"role": "assistant", "content": "%(text)s"}, "finish_reason": "stop"}], '
    '"usage": {"prompt_tokens": 320, "completion_tokens": 130, "total_tokens": 450}}'
)


def main() -> int:
    """Runs each part in a child; exit code 1 where one fails or misses what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=50_000, help="rows of a provider's batch")
    parser.add_argument("--shuffled", action="store_true", help="mix all rows, not only those of a batch")
    parser.add_argument("--at", default="", help="a URL to keep the store at, such as s3://bucket/folder")
    parser.add_argument("--keep", type=Path, help="where to leave the store, for another look")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        print(json.dumps(measure(given)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(given.keep or scratch)
        command = [sys.executable, __file__, *sys.argv[1:], "--keep", folder]
        print(machine())
        took = {part: json.loads(subprocess.check_output([*command, "--part", part])) for part in PARTS}
    return show(given.rows, took)


def show(rows: int, took: dict[str, dict[str, float]]) -> int:
    """Says what was measured and what was wanted of it."""
    figures = {
        "seal, us a row": (took["seal"]["seal_s"] / rows * 1e6, SEAL_US),
        "seal, peak MB": (took["seal"]["peak_mb"], PEAK_MB),
        "open and know every key, s": (took["known"]["known_s"], KNOWN_S * max(1.0, rows / MILLION)),
        "known again, s": (took["known"]["again_s"], KNOWN_S * max(1.0, rows / MILLION)),
        "known, peak MB": (took["known"]["peak_mb"], PEAK_MB),
        "read back, us a row": (took["read"]["read_s"] / rows * 1e6, READ_US),
        "read back, peak MB": (took["read"]["peak_mb"], PEAK_MB),
    }
    for name, (value, most) in figures.items():
        print(f"{name:34} {value:8.2f}   wanted: under {most:g}   {'met' if value < most else 'MISSED'}")
    for part, verb in (("seal", "sealed"), ("read", "read back")):
        print(f"{rows:,} rows {verb}: {rows / took[part][f'{part}_s']:,.0f} a second")
    print(machine())
    return 0 if all(value < most for value, most in figures.values()) else 1


def measure(given: argparse.Namespace) -> dict[str, float]:
    """One part, in this process; seconds and peak memory."""
    blobs: Blobs = UrlBlobs(given.at, given.keep / "cache") if given.at else FolderBlobs(given.keep / "store")
    store = BlobRowStore(blobs, BlobClaims(blobs, SystemClock()), given.keep / "journal")
    took = {"seal": seal, "known": known, "read": read}[given.part](store, given)
    return {**took, "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}


def seal(store: BlobRowStore, given: argparse.Namespace) -> dict[str, float]:
    """Every row and its attempt, batch by batch, each batch sealed by itself."""
    order, seconds = _order(given.rows, given.batch, mixed=given.shuffled), 0.0
    for start in range(0, given.rows, given.batch):
        some = [_made_up(number) for number in order[start : start + given.batch].tolist()]
        began = time.perf_counter()
        with store.sealing() as sealing:
            for row, attempt in some:
                sealing.add(attempt, row)
        seconds += time.perf_counter() - began
    return {"seal_s": seconds}


def known(store: BlobRowStore, given: argparse.Namespace) -> dict[str, float]:
    """Which of the keys there are, asked of a store that was never opened here, and asked again."""
    keys = Keys.joined(Keys.of(texts) for texts in _chunks(given.rows))
    first, again = (_seconds(lambda: store.known(keys).all()) for _ in range(2))
    return {"known_s": first, "again_s": again}


def read(store: BlobRowStore, given: argparse.Namespace) -> dict[str, float]:
    """All rows and attempts, in chunks, in the order of their numbers; opening the store is counted."""
    seconds = 0.0
    for texts in _chunks(given.rows):
        began = time.perf_counter()
        rows, attempts = store.rows(texts), store.attempts(texts)
        seconds += time.perf_counter() - began
        assert len(rows) == len(attempts) == len(texts)
    return {"read_s": seconds}


def _seconds(ask: Callable[[], np.bool_]) -> float:
    began = time.perf_counter()
    assert ask()
    return time.perf_counter() - began


def _order(rows: int, batch: int, *, mixed: bool) -> NDArray[np.int64]:
    rng = np.random.default_rng(1)
    if mixed:
        return rng.permutation(rows)
    parts: list[NDArray[np.int64]] = [
        start + rng.permutation(min(batch, rows - start)) for start in range(0, rows, batch)
    ]
    order: list[int] = rng.permutation(len(parts)).tolist()
    return np.concatenate([parts[place] for place in order])


def _chunks(rows: int) -> Iterator[list[str]]:
    for start in range(0, rows, CHUNK):
        yield [_key(number) for number in range(start, min(rows, start + CHUNK))]


def _key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _made_up(number: int) -> tuple[Row, Attempt]:
    """A row of about 1 KB, no two alike, and its attempt."""
    rng = random.Random(number)
    raw = BODY % {"number": number, "text": " ".join(rng.choices(WORDS, k=110))}
    row = Row(
        key=_key(number),
        kind="call",
        model="openai/made-up",
        endpoint=None,
        outcome="answered",
        raw=raw,
        client="batch",
    )
    used, upper = Tokens(input=320, output=rng.randrange(300)), Tokens(input=400, output=600)
    attempt = Attempt(
        key=row.key,
        at_ns=1_700_000_000_000_000_000,
        batch=f"made-up-{number // 50_000}",
        model=row.model,
        endpoint=None,
        outcome="answered",
        usage=used,
        upper=upper,
    )
    return row, attempt


WORDS = [hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest()[: 2 + n % 9] for n in range(5_000)]


if __name__ == "__main__":
    sys.exit(main())
