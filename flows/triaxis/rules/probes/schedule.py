"""When a probe sends what: a stratified draw of the cases, open-loop arrivals, blocks, and their interleaving.

- The draw is by a hash of the case's id, within strata of equal tags: a case whose content changes stays where it is,
  a case that comes or goes moves a stratum by one at most, and a smaller draw is a part of every larger one. Arms of
  a routed variant that are probed alike are therefore probed over the same cases, and the latency of the routed view
  is, for each case, that of the arm which answers it.
- Arrivals follow the plan and never wait for an answer. Variants with the same plan share one schedule.
- Blocks are equal parts of the arrivals. They are sent block by block over all variants, so that a slow minute of the
  machine or the provider meets every variant and no block twice.
- Warm-up requests precede every block, one after another and off the clock. Where inputs must not repeat (`cache:
  cold`) they have cases of their own, which are never measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import TypeAlias, TypeVar, assert_never

import numpy as np

from triaxis.domain.case import Case, tag_text
from triaxis.domain.variant import ProbePlan

WARMUP_SHARE = 4
"""No more than one case in so many is kept for warm-up."""
_MICRO = 6
"""Offsets are whole microseconds, so that they are the same text everywhere."""

T = TypeVar("T")
Offsets: TypeAlias = tuple[float, ...]
"""Arrivals of one block, in seconds from its start, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """The cases a probe sends, in order."""

    measured: tuple[Case, ...]
    """Without repetition unless the plan declares a warm cache."""
    warmup: tuple[Case, ...]
    """Sent before each block."""
    notice: str | None = None
    """Why there are fewer than the plan asks for."""


def draw(cases: Sequence[Case], plan: ProbePlan) -> Draw:
    """The cases to send; fewer than `plan.requests` where there are not enough, unless the cache is to be warm."""
    nearest = _stratified(cases, plan.seed)
    wanted = plan.requests if plan.arrival != "trace" else min(plan.requests, len(plan.trace))
    if plan.cache == "warm":
        order = _by_hash(nearest[:wanted], plan.seed)
        repeated = tuple(order[i % len(order)] for i in range(wanted)) if order else ()
        return Draw(measured=repeated, warmup=tuple(order[: plan.warmup]), notice=_notice(plan, len(repeated), 0))
    spare = min(plan.warmup, max(len(cases) // WARMUP_SHARE, len(cases) - wanted))
    count = min(wanted, len(cases) - spare)
    measured = tuple(_by_hash(nearest[:count], plan.seed))
    return Draw(measured=measured, warmup=nearest[count : count + spare], notice=_notice(plan, count, spare))


def _notice(plan: ProbePlan, count: int, spare: int) -> str | None:
    if count >= plan.requests:
        return None
    if plan.arrival == "trace" and count == len(plan.trace):
        return f"{plan.requests} probe requests shrink to the {count} arrivals of the trace"
    return (
        f"{plan.requests} probe requests shrink to {count}: no input is sent twice, and {spare} cases are kept for "
        "warm-up; `cache: warm` allows repeated inputs"
    )


def _stratified(cases: Sequence[Case], seed: int) -> tuple[Case, ...]:
    """Cases in an order of which every beginning has each stratum's share, to within one.

    Systematic sampling: the case of rank r among the m of its stratum stands at (r + u) / m, where u in [0, 1) is the
    stratum's own, so that a stratum of one is not always early or always late.
    """
    strata = defaultdict[str, list[Case]](list)
    for case in cases:
        strata[_stratum(case)].append(case)
    placed = list[tuple[float, str, Case]]()
    for name, members in strata.items():
        start = _uniform(f"{seed}|{name}")
        for rank, case in enumerate(_by_hash(members, seed)):
            placed.append(((rank + start) / len(members), case.id, case))
    return tuple(case for _, _, case in sorted(placed, key=lambda at: at[:2]))


def _stratum(case: Case) -> str:
    tags = sorted(f"{name}={tag_text(value)}" for name, value in case.slice.items())
    return "|".join([case.route or "", *tags])


def _by_hash(cases: Sequence[Case], seed: int) -> list[Case]:
    return sorted(cases, key=lambda case: (_uniform(f"{seed}|{case.id}"), case.id))


def _uniform(name: str) -> float:
    return int.from_bytes(sha256(name.encode()).digest()[:6], "big") / 2**48


def arrivals(plan: ProbePlan, count: int, rng: np.random.Generator) -> tuple[Offsets, ...]:
    """`count` arrivals in `plan.blocks` parts of equal size (to within one), each on its own clock.

    A part begins where the arrival before it was, so that its first gap is an ordinary one. Fewer requests than blocks
    make fewer blocks.
    """
    times = _times(plan, count, rng)
    cuts = np.linspace(0, count, min(plan.blocks, count) + 1).round().astype(int).tolist() if count else [0]
    starts = [0.0, *times]
    return tuple(tuple(round(t - starts[low], _MICRO) for t in times[low:high]) for low, high in pairwise(cuts))


def _times(plan: ProbePlan, count: int, rng: np.random.Generator) -> Sequence[float]:
    match plan.arrival:
        case "trace":
            return plan.trace[:count]
        case "poisson":
            return np.cumsum(rng.exponential(1 / _rate(plan), count)).tolist()
        case "constant":
            return [(i + 1) / _rate(plan) for i in range(count)]
        case _:
            assert_never(plan.arrival)


def _rate(plan: ProbePlan) -> float:
    assert plan.rate_per_s is not None, "check makes sure that all arrivals but a trace's have a rate"
    return plan.rate_per_s


def schedule_name(plan: ProbePlan, count: int) -> tuple[str, ...]:
    """What seeds the arrivals: everything that shapes them and nothing else, so that equal plans share a schedule."""
    return ("probe", plan.arrival, str(plan.rate_per_s), str(plan.blocks), str(plan.seed), str(count))


def interleaved(blocks: Mapping[str, Sequence[T]]) -> tuple[T, ...]:
    """Every variant's first block, then every second one, ...; who begins moves on by one each round."""
    names = sorted(blocks)
    order = list[T]()
    for turn in range(max(map(len, blocks.values()), default=0)):
        first = turn % len(names)
        order += [blocks[name][turn] for name in names[first:] + names[:first] if turn < len(blocks[name])]
    return tuple(order)
