"""Times an evaluation through a provider's batches, as a user types it, from cases to sealed evidence.

    python benchmarks/batch.py [--cases 100000] [--resume] [--judge] [--keep DIR]

`triaxis generate` asks a simulated provider of batches, which answers at once and is a process of its own. `triaxis
prepare` comes first and is reported, but not counted. `--resume` evaluates half of the cases first, and then all: the
run that is timed finds half of its answers and buys the others. `--judge` has a judge score every answer, in batches
too.

Peak memory is that of the largest process that a command started, itself among them, as the operating system counts
resident pages when it ends (`wait4`). Processor time hardly depends on what else the machine does; wall time does.

Wanted: 20,000 rows a second; 600 MB, and from a million rows on 1.2 GB; a resumed run of 200,000 in 10 s.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from made_up import HERE, TRIAXIS, Timed, machine, said, show, timed, write_cases, write_workspace

from triaxis.adapters.parquet import rows as parquet

ROWS_PER_S, RESUMED_S = 20_000.0, 10.0
PEAK_MB, MANY, PEAK_OF_MANY_MB = 600.0, 1_000_000, 1_200.0

EVALUATION = """\
schema_version: 1
name: made-up
dataset: datasets/made-up/cases.jsonl
rubric: rubrics/made-up/rubric.yaml
slo: rubrics/made-up/slo.yaml
prices: prices.yaml
baseline: fast
limits: {concurrency: %(concurrency)d, max_usd: 1000000}
variants:
  fast:
    model: openai/fast
    api_base: %(api_base)s
    endpoint: simulated
    prompt: prompts/answer.md
    params: {temperature: 0, max_tokens: 64}
    transport: batch
"""
PRICES = """\
schema_version: 1
models:
  openai/fast: {input_cost_per_token: 2.0e-6, output_cost_per_token: 4.0e-6, input_cost_per_token_batches: 1.0e-6,
    output_cost_per_token_batches: 2.0e-6}
  openai/judge: {input_cost_per_token: 2.0e-6, output_cost_per_token: 4.0e-6, input_cost_per_token_batches: 1.0e-6,
    output_cost_per_token_batches: 2.0e-6}
"""
JUDGED = """\
schema_version: 1
judges:
  strict: {model: openai/judge, api_base: %s, endpoint: simulated, params: {temperature: 0}, transport: batch}
dimensions:
  faithful: {evaluator: judge, prompt: prompts/judge.md, judges: [strict]}
  resolution: {evaluator: exact, weight: 0.5}
"""
JUDGE = """\
--- system
You judge the answers of an assistant of a bank's app.
--- user
Question: {{ input }}

Context: {{ context }}

Expected: {{ expected }}

Answer: {{ answer }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the simulated provider says of itself."""

    batches: int
    rows: int
    uploads_s: list[float]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Provider:
    """A running simulated provider of batches."""

    api_base: str

    def heard(self) -> Heard:
        """What it got and the CPU time it used, since it started."""
        return Heard(**said(self.api_base))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A run that bought rows, and what the provider had to do with it."""

    run: Timed
    rows: int
    batches: int
    first_s: float
    """Until the first file of requests arrived."""
    theirs_s: float
    """Processor time of the provider."""


def main() -> int:
    """Runs it all; exit code 1 where a run fails, an answer is missing, or a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=0, help="100,000 by default, or 200,000 with --resume")
    parser.add_argument("--resume", action="store_true", help="have half of the answers already")
    parser.add_argument("--judge", action="store_true", help="let a judge score every answer")
    parser.add_argument("--keep", type=Path, help="where to leave the workspace, for another look")
    given = parser.parse_args()
    cases = given.cases or (200_000 if given.resume else 100_000)
    print(f"{machine()}; {cases:,} cases; the provider is simulated")
    with tempfile.TemporaryDirectory() as scratch, provider() as server:
        root = given.keep or Path(scratch) / "workspace"
        make(root, server, cases // 2 if given.resume else cases, judged=given.judge)
        if given.resume:
            bought(root, server, "generate")
            write_cases(root, cases)
            prepared(root)
        figures = {
            **measured(root, server, cases, resumed=given.resume),
            **(judged(root, server, cases) if given.judge else {}),
        }
    return 0 if report(figures) else 1


def make(root: Path, server: Provider, cases: int, *, judged: bool) -> None:
    """A workspace, prepared."""
    files = {"evaluation.yaml": EVALUATION, "prices.yaml": PRICES, "prompts/judge.md": JUDGE}
    rubric = {"rubrics/made-up/rubric.yaml": JUDGED % server.api_base} if judged else {}
    write_workspace(root, cases=cases, api_base=server.api_base, files={**files, **rubric})
    prepared(root)


def prepared(root: Path) -> None:
    """Prepares the workspace, and says what that took."""
    run = timed([TRIAXIS, "prepare"], root)
    show("triaxis prepare, not counted", run)
    if run.code:
        raise SystemExit(run.code)


def measured(root: Path, server: Provider, cases: int, *, resumed: bool) -> Mapping[str, tuple[float, str, bool]]:
    """Buys the answers; each figure, what is wanted of it, and whether that is met."""
    got = bought(root, server, "generate")
    answers = parquet.count(root / "reports/evidence/generations.parquet")
    most_mb, per_s = PEAK_OF_MANY_MB if cases >= MANY else PEAK_MB, got.rows / got.run.wall_s
    figures = {
        "answers in generations.parquet": (answers, f"{cases:,}", answers == cases),
        "peak memory of generate, MB": (got.run.peak_mb, f"under {most_mb:,.0f}", got.run.peak_mb < most_mb),
    }
    if resumed:
        figures["until the first new batch is handed over, s"] = got.first_s, "", True
        return figures | {"the whole run, s": (got.run.wall_s, f"under {RESUMED_S:g}", got.run.wall_s < RESUMED_S)}
    return figures | {"rows a second, cases to evidence": (per_s, f"{ROWS_PER_S:,.0f}", per_s >= ROWS_PER_S)}


def judged(root: Path, server: Provider, cases: int) -> Mapping[str, tuple[float, str, bool]]:
    """Has every answer judged."""
    got = bought(root, server, "judge")
    scores = parquet.count(root / "reports/evidence/judgments.parquet")
    return {
        "scores in judgments.parquet": (scores, f"{2 * cases:,}", scores == 2 * cases),
        "judged rows a second": (got.rows / got.run.wall_s, "", True),
        "peak memory of judge, MB": (got.run.peak_mb, "", True),
    }


def bought(root: Path, server: Provider, verb: str) -> Bought:
    """Runs a verb that buys rows, and prints what it took."""
    before, started_s = server.heard(), time.time()
    run = timed([TRIAXIS, verb], root)
    after = server.heard()
    show(f"triaxis {verb}", run)
    if run.code:
        raise SystemExit(run.code)
    got = Bought(
        run=run,
        rows=after.rows - before.rows,
        batches=after.batches - before.batches,
        first_s=after.uploads_s[len(before.uploads_s)] - started_s,
        theirs_s=after.cpu_s - before.cpu_s,
    )
    ours_us, theirs_us = run.cpu_s / got.rows * 1e6, got.theirs_s / got.rows * 1e6
    print(f"  {got.rows:,} rows in {got.batches} batches, the first of them at the provider after {got.first_s:.2f} s")
    print(f"  processor time a row: {ours_us:.0f} us, and {theirs_us:.1f} of the provider")
    return got


def report(figures: Mapping[str, tuple[float, str, bool]]) -> bool:
    """Prints the figures; whether every target is met."""
    print()
    for name, (value, wanted, met) in figures.items():
        verdict = f"   wanted: {wanted}   {'met' if met else 'MISSED'}" if wanted else ""
        print(f"{name:46} {value:12,.1f}{verdict}")
    print(machine())
    return all(met for _, _, met in figures.values())


@contextlib.contextmanager
def provider() -> Generator[Provider]:
    """A simulated provider in a process of its own."""
    command = [sys.executable, str(HERE / "batch_provider.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield Provider(json.loads(child.stdout.readline())["api_base"])
        child.stdin.close()


if __name__ == "__main__":
    sys.exit(main())
