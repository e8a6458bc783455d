"""One of several workers that share a store: `python shared_worker.py claim|store URL FOLDER NUMBER`, told on stdin.

`claim` waits for a line, then asks for the claim `run` and prints what came of it; a line `later` moves its clock by an
hour first. `store` adds rows, reads them back and merges, for some rounds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from build_store import a_row, a_store, an_attempt, key

from triaxis.adapters.store import segments
from triaxis.adapters.store.blobs import Blobs, FolderBlobs
from triaxis.adapters.store.claims import BlobClaims
from triaxis.adapters.store.url_blobs import UrlBlobs
from triaxis.adapters.system_clock import SystemClock

ROUNDS, ROWS = 12, 5


class LateClock(SystemClock):
    """The machine's clock, which can be moved on."""

    late_s = 0

    def now_ns(self) -> int:
        """Wall clock."""
        return super().now_ns() + self.late_s * 10**9


def claim(blobs: Blobs) -> None:
    """Asks for the claim whenever a line comes."""
    clock = LateClock()
    claims = BlobClaims(blobs, clock)
    _say("ready")
    for line in sys.stdin:
        if line.strip() == "later":
            clock.late_s += 3600
        held = claims.claim("run", 60.0)
        _say("held" if held is not None and held.held else "refused")


def store(blobs: Blobs, folder: Path, number: int) -> None:
    """Adds rows of its own and rows that all add; reads everything of its own each round, and merges at its end."""
    segments.MANY = 3
    shared = a_store(folder, blobs=blobs)
    mine: list[int] = []
    for turn in range(ROUNDS):
        some = [1000 * number + turn * ROWS + place for place in range(ROWS)]
        mine += some
        with shared.sealing() as sealing:
            for n in (*some, 9000 + turn):
                sealing.add(an_attempt(n), a_row(n))
        shared.settle()
        expected = {key(n): a_row(n) for n in mine}
        assert shared.rows(expected.keys()) == expected
        assert shared.attempts(expected.keys()) == {key(n): (an_attempt(n),) for n in mine}
    _say("done")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(verb: str, url: str, folder: Path, number: int) -> None:
    """The worker's whole life."""
    blobs = UrlBlobs(url, folder / "cache") if "://" in url else FolderBlobs(Path(url))
    if verb == "claim":
        claim(blobs)
    else:
        store(blobs, folder, number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
