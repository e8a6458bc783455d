"""Times the estimates alone: every interval of five variants and five dimensions over a million cases, from arrays.

    python benchmarks/intervals.py [--cases 1000000]

What a scorecard shows of precision, cost, errors and latency, and all comparisons with the baseline, weighted to a mix
and clustered by session. Then the paired bootstrap against scipy's at the same number of draws, in this very process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from scipy.stats import bootstrap

from triaxis.domain.measures import VariantMeasures
from triaxis.domain.rubric import Dimension, Exact, Rubric
from triaxis.domain.slo import PrecisionObjective, Slo, Terms, Traffic
from triaxis.domain.variant import ModelVariant
from triaxis.quantities import NO_MONEY
from triaxis.rules.measures.cost import CostRows
from triaxis.rules.measures.latency import ProbeRows
from triaxis.rules.measures.mix import mix_of
from triaxis.rules.measures.precision import Scores
from triaxis.rules.measures.tally import CaseFrame, Tag
from triaxis.rules.measures.variant import Plan, Spent, VariantRows, differences, measure_variant
from triaxis.stats.bootstrap import paired_mean_difference
from triaxis.stats.seeds import generator

T = TypeVar("T")
VARIANTS = ("base", "big", "capped", "medium", "small")
DIMENSIONS = ("faithful", "format", "resolved", "short", "tone")
KINDS = ("balance", "dispute", "faq", "intent", "policy")
MIX = {"kind": {"balance": 0.4, "dispute": 0.05, "faq": 0.3, "intent": 0.2, "policy": 0.05}}
PROBED, BLOCK = 400, 40
DRAWS, BATCH = 2000, 50
SPENT = Spent(judge=NO_MONEY, known=NO_MONEY, possible=NO_MONEY)


def main() -> int:
    """Prints processor seconds, peak memory and the ratio as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    cases = parser.parse_args().cases
    plan = a_plan(cases)
    _, seconds = _timed(lambda: assessed(plan))
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    took = {
        "cases": cases,
        "scores": cases * len(VARIANTS) * len(DIMENSIONS),
        "assess_cpu_s": round(seconds, 1),
        "peak_mb": peak,
        "bootstrap": [against_scipy(n, graded=g) for n, g in ((2000, False), (2000, True), (100_000, True))],
    }
    print(json.dumps(took, indent=2))
    return 0


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """The work's result and its processor seconds, which others on the machine do not stretch; it is of one thread."""
    started = time.process_time()
    return work(), time.process_time() - started


def a_plan(cases: int) -> Plan:
    """Cases in sessions of two, of five kinds that the dataset has equally often and production does not."""
    kinds = np.arange(cases) % len(KINDS)
    sessions = np.arange(cases) // 2
    frame = CaseFrame(
        ids=tuple(map(str, range(cases))),
        sessions=Tag(codes=sessions, values=tuple(map(str, range(int(sessions[-1]) + 1)))),
        tags={"kind": Tag(codes=kinds, values=KINDS)},
        clusters=sessions,
        mix=mix_of({"kind": (kinds, KINDS)}, MIX, cases),
    )
    objectives = (
        *(PrecisionObjective(dimension=name, min=0.9, terms=Terms(guard=0.03)) for name in DIMENSIONS),
        PrecisionObjective(dimension="tone", min=0.9, terms=Terms(guard=0.03, where={"kind": ("policy",)})),
    )
    slo = Slo(owner="nobody", review_by="2099-01-01", objectives=objectives, traffic=Traffic(mix=MIX))
    return Plan(frame=frame, rubric=Rubric(dimensions=tuple(map(a_dimension, DIMENSIONS))), slo=slo)


def a_dimension(name: str) -> Dimension:
    """Any."""
    return Dimension(name=name, evaluator=Exact())


def assessed(plan: Plan) -> dict[str, VariantMeasures]:
    """Each variant measured and compared with the first, whose rows alone are held beside its own."""
    base, found = some_rows(plan, 0), dict[str, VariantMeasures]()
    for place, name in enumerate(VARIANTS):
        rows = base if place == 0 else some_rows(plan, place)
        against = {} if place == 0 else differences(rows, base, plan, partial(generator, name))
        found[name] = measure_variant(ModelVariant(name=name, model="openai/made-up"), rows, plan, SPENT, against)
    return found


def some_rows(plan: Plan, place: int) -> VariantRows:
    """One answer a case, right or wrong in four dimensions and graded in one, with its dollars, and a probe."""
    rng, cases = generator("rows", str(place)), len(plan.frame.ids)
    every, none = np.arange(cases), np.zeros(cases, dtype=np.bool_)
    scores = {
        name: Scores(cases=every, values=_values(rng, cases, place, graded=not number), failed=none, abstained=none)
        for number, name in enumerate(DIMENSIONS)
    }
    usd = rng.lognormal(-7 - 0.2 * place, 0.5, cases)
    costs = CostRows(cases=every, usd=usd, parts={"input": usd}, why="", sources=("unknown",), cached_share=None)
    return VariantRows(cases=every, terminal=none, scores=scores, costs=costs, probe=a_probe(rng))


def _values(
    rng: np.random.Generator, cases: int, place: int, *, graded: bool
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    right = (rng.random(cases) < 0.97 - 0.02 * place).astype(np.float64)
    return right * rng.random(cases).round(3) if graded else right


def a_probe(rng: np.random.Generator) -> ProbeRows:
    """Requests in blocks, on one schedule for all variants."""
    place = np.arange(PROBED)
    scheduled = (place % BLOCK * 500_000_000).astype(np.float64)
    first = rng.lognormal(4.6, 0.3, PROBED) * 1e6
    return ProbeRows(
        cases=place,
        blocks=place // BLOCK,
        index=place % BLOCK,
        scheduled=scheduled,
        sent=scheduled + 1e5,
        first=scheduled + first,
        last=scheduled + 4 * first,
        failed=np.zeros(PROBED, dtype=np.bool_),
        timeout_ms=60_000.0,
    )


def against_scipy(pairs: int, *, graded: bool) -> dict[str, float | str]:
    """Processor seconds of our paired bootstrap and of scipy's percentile one, over the same pairs; best of three."""
    rng = generator("pairs")
    a, b = rng.random(pairs), rng.random(pairs)
    a, b = (a, b) if graded else ((a < 0.9).astype(np.float64), (b < 0.85).astype(np.float64))

    def ours() -> object:
        return paired_mean_difference(a, b, level=0.9, rng=generator("ours"), draws=DRAWS)

    def theirs() -> object:
        return bootstrap(
            (a, b),
            _mean_difference,
            paired=True,
            n_resamples=DRAWS,
            batch=BATCH,
            confidence_level=0.9,
            method="percentile",
            rng=1,
        )

    fast, slow = (min(_timed(work)[1] for _ in range(3)) for work in (ours, theirs))
    kind = "graded" if graded else "right or wrong"
    return {"pairs": f"{pairs:,} {kind}", "ms": 1000 * fast, "scipy_ms": 1000 * slow, "ratio": round(slow / fast, 1)}


def _mean_difference(
    a: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    b: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    axis: int = -1,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray((a - b).mean(axis=axis))


if __name__ == "__main__":
    sys.exit(main())
