"""Times `assess` and `decide` over many stored rows, in a process of their own, and says what they took.

    python benchmarks/assess.py [--cases 1000000] [--keep DIR]

The rows are made up: five variants and a view routed over two of them, five dimensions, sessions of two turns, token
counts, scores and probe times drawn from a seed. Making them is not timed: a million cases take a minute or two.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import numpy as np
from made_up_rows import write_rows

from triaxis.adapters.evidence.files import FileEvidence
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs, PriceRow, Prices, Validation
from triaxis.domain.hashes import input_hashes
from triaxis.domain.router import Router
from triaxis.domain.rows import ProbeRow
from triaxis.domain.rubric import Dimension, Exact, Rubric
from triaxis.domain.slo import CostObjective, LatencyObjective, Objective, PrecisionObjective, Slo, Terms, Traffic
from triaxis.domain.variant import ModelVariant, ProbePlan, RoutedVariant, Variant
from triaxis.steps.assess import assess
from triaxis.steps.decide import decide

T = TypeVar("T")

MODELS = ("big", "capped", "medium", "small", "tiny")
DIMENSIONS = ("faithful", "format", "resolved", "short", "tone")
KINDS = ("balance", "dispute", "faq", "intent", "policy")
MODEL = "openai/made-up"


def main() -> int:
    """Makes the rows, then measures in a child so that making them does not count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=40_000, help="of each of the five variants")
    parser.add_argument("--keep", type=Path, help="where to leave the evidence, for another look")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        return measure(given.measure)
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        started = time.perf_counter()
        make(folder, cases=given.cases)
        print(f"made up in {time.perf_counter() - started:.1f} s (not counted)", flush=True)
        return subprocess.run([sys.executable, __file__, "--measure", str(folder)], check=False).returncode


def measure(folder: Path) -> int:
    """Assesses and decides, and prints processor seconds and peak memory as one JSON object."""
    evidence = FileEvidence(folder)
    _, assessed = _timed(lambda: assess(evidence=evidence))
    card, decided = _timed(lambda: decide(evidence=evidence))
    took = {
        "assess_cpu_s": round(assessed, 2),
        "decide_cpu_s": round(decided, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "id": card.id,
        "verdicts": {name: variant.verdict for name, variant in sorted(card.variants.items())},
    }
    print(json.dumps(took, indent=2))
    return 0


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """The work's result and its processor seconds, of all its threads, which others on the machine do not stretch."""
    started = time.process_time()
    return work(), time.process_time() - started


def make(folder: Path, *, cases: int) -> None:
    """Writes inputs and all three tables of rows."""
    inputs, evidence = _inputs(cases), FileEvidence(folder)
    evidence.write_inputs(inputs, Validation(expectations=(), quarantined=(), cases=cases), input_hashes(inputs))
    write_rows(
        folder / "evidence", variants=MODELS, cases=[c.id for c in inputs.cases], dimensions=DIMENSIONS, model=MODEL
    )
    evidence.write_probes(_probes(inputs), (), ())


def _inputs(cases: int) -> Inputs:
    guarded = Terms(guard=0.03)
    objectives: tuple[Objective, ...] = (
        *(PrecisionObjective(dimension=name, min=0.9, terms=guarded) for name in DIMENSIONS),
        PrecisionObjective(dimension="tone", min=0.9, terms=Terms(guard=0.03, where={"kind": ("policy",)})),
        LatencyObjective(measure="full", statistic="p95", max_ms=900, tolerance_ms=300, terms=Terms(guard=0.1)),
        CostObjective(per="session", max_usd=Decimal("0.004"), tolerance_usd=Decimal("0.002")),
    )
    routed = RoutedVariant(
        name="routed", router=Router(by="field", field="route", arms={"simple": "small", "complex": "big"})
    )
    models: tuple[Variant, ...] = tuple(ModelVariant(name=name, model=MODEL, probe=ProbePlan()) for name in MODELS)
    price = PriceRow(
        model=MODEL,
        source="made up",
        input_cost_per_token=Decimal("1e-6"),
        output_cost_per_token=Decimal("2e-6"),
        cache_read_input_token_cost=Decimal("1e-7"),
    )
    return Inputs(
        name="made-up",
        baseline="big",
        variants=tuple(sorted((*models, routed), key=lambda v: v.name)),
        cases=tuple(map(_case, range(cases))),
        rubric=Rubric(dimensions=tuple(Dimension(name=name, evaluator=Exact()) for name in DIMENSIONS)),
        slo=Slo(
            owner="nobody", review_by="2099-01-01", objectives=objectives, traffic=Traffic(sessions_per_day=50_000)
        ),
        prices=Prices(rows={MODEL: price}, table_sha256="0" * 64, litellm_version="made up"),
    )


def _case(place: int) -> Case:
    return Case(
        id=f"case-{place:07}",
        input=f"What is made up about question {place}?",
        expected="everything",
        slice={"kind": KINDS[place % len(KINDS)], "hard": place % 3 == 0},
        session=f"session-{place // 2:06}",
        route=("simple", "complex")[place % 2],
    )


def _probes(inputs: Inputs) -> Iterator[ProbeRow]:
    rng = np.random.default_rng(3)
    for variant in inputs.generated:
        first = (rng.lognormal(4.6, 0.3, 200) * 1e6).astype(int).tolist()
        for place, ns in enumerate(first):
            scheduled = (place % 40) * 500_000_000
            yield ProbeRow(
                case_id=inputs.cases[place].id,
                variant=variant.name,
                block=place // 40,
                index=place % 40,
                scheduled_ns=scheduled,
                sent_ns=scheduled + 100_000,
                first_ns=scheduled + ns,
                last_ns=scheduled + 4 * ns,
                client="made up",
            )


if __name__ == "__main__":
    sys.exit(main())
