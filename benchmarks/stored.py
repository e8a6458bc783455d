"""Times an evaluation of very many answers that are all paid for, as a user types it: `triaxis run`.

    python benchmarks/stored.py [--cases 100000] [--keep DIR]

The rows are synthetic: each is made up here and put into the row store by the product's own code, as an answer that
was paid for, with the attempt behind it. Nothing is called. 100,000 cases x 2 variants by default, and three
dimensions, so 200,000 answers and 600,000 scores. Making them is not timed.

Wanted: assess and decide in 15 s and 1.5 GB; a second run, which has nothing to do, in 5 s; `triaxis --help` in 0.4 s.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median

from made_up import TRIAXIS, Timed, machine, show, timed, version_workspace, write_workspace
from provider import completion

from triaxis.domain.rows import Attempt, Request, Row
from triaxis.quantities import Tokens
from triaxis.steps import generate
from triaxis.wiring import Wiring, wire

SEGMENT = 1000
"""Answers sealed together, as a live run seals them."""
ASSESS_S, PEAK_MB, AGAIN_S, HELP_S = 15.0, 1500.0, 5.0, 0.4


def main() -> int:
    """Makes the rows, then measures; exit code 1 where a run fails or a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--no-dvc", action="store_true", help="leave git and DVC out of the workspace")
    parser.add_argument("--keep", type=Path, help="where to leave the workspace, for another look")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        print(make(given.make, given.cases, versioned=not given.no_dvc))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        root = given.keep or Path(scratch) / "workspace"
        # In a process of its own: what a child is said to use at most begins with what its parent used.
        made = timed([sys.executable, __file__, "--make", str(root), *sys.argv[1:]], Path.cwd())
        if made.code:
            show("making the rows failed", made)
            return 1
        print(f"made up {made.said.strip()} stored answers (synthetic) in {made.wall_s:.0f} s, not counted")
        return measure(root)


def measure(root: Path) -> int:
    """Runs, runs again, asks for help five times, and says what was wanted of each."""
    print(machine())
    first = timed([TRIAXIS, "run"], root)
    show("triaxis run, every answer stored", first)
    again = timed([TRIAXIS, "run"], root)
    show("again, nothing to do", again)
    helped = median(timed([TRIAXIS, "--help"], root).wall_s for _ in range(5))
    figures = {
        "assess and decide, s": (first.stages().get("assess", 0.0) + first.stages().get("decide", 0.0), ASSESS_S),
        "peak memory of the whole run, MB": (first.peak_mb, PEAK_MB),
        "run with nothing to do, s": (again.wall_s, AGAIN_S),
        "triaxis --help, median of 5, s": (helped, HELP_S),
    }
    print()
    for name, (value, most) in figures.items():
        print(f"{name:34} {value:8.2f}   wanted: under {most:g}   {'met' if value < most else 'MISSED'}")
    print(machine())
    runs: Sequence[Timed] = (first, again)
    return 0 if all(v < most for v, most in figures.values()) and not any(run.code for run in runs) else 1


def make(root: Path, cases: int, *, versioned: bool) -> int:
    """Writes a workspace, and every answer it wants into its row store; how many there are."""
    write_workspace(root, cases=cases, api_base="http://127.0.0.1:9/v1")
    if versioned:
        version_workspace(root)
    wiring = wire(root, "evaluation.yaml")
    rows = answers(wiring)
    count = 0
    while some := list(islice(rows, SEGMENT)):
        wiring.store.adopt((row for row, _ in some), [attempt for _, attempt in some])
        count += len(some)
    wiring.store.settle()  # merges the segments, as the end of a live run does
    return count


def answers(wiring: Wiring) -> Iterator[tuple[Row, Attempt]]:
    """A made-up answer to each request that the evaluation plans, with the attempt that bought it."""
    planned = generate.plan(wiring.workspace.read().inputs, templates=wiring.templates)
    for place, request in enumerate(planned.requests(planned.distinct)):
        yield answer(request, place)


def answer(request: Request, place: int) -> tuple[Row, Attempt]:
    """One row with its attempt; times and latencies are made up too."""
    key, model, endpoint = request.key, request.model, request.endpoint
    said = completion(model.removeprefix("openai/"), request.messages[-1].content)
    used = Tokens(input=said["usage"]["prompt_tokens"], output=said["usage"]["completion_tokens"])
    ms = 20.0 + place % 40
    row = Row(
        key=key, kind="call", model=model, endpoint=endpoint, outcome="answered", raw=json.dumps(said), latency_ms=ms
    )
    attempt = Attempt(
        key=key, at_ns=place, model=model, endpoint=endpoint, outcome="answered", ms=ms, usage=used, upper=used
    )
    return row, attempt


if __name__ == "__main__":
    sys.exit(main())
