"""A part of the dataset that keeps its strata's shares and does not move when other cases change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from triaxis.domain.case import Case
from triaxis.domain.evaluation import Sample

Stratum: TypeAlias = tuple[str, ...]
"""The texts of the tags that a sample is stratified by; empty where a case lacks the tag."""


def draw(cases: Iterable[Case], sample: Sample) -> tuple[Case, ...]:
    """The sampled cases, sorted by id; all of them where there are no more than asked for.

    Within a stratum the cases with the lowest hashes of seed and id are drawn, so that a case is drawn or not by its
    id alone: an edited input moves nothing, and an added or removed case moves at most the last one drawn of a stratum.
    Cases are drawn one by one; a session may be drawn in part.
    """
    strata: dict[Stratum, list[Case]] = defaultdict(list)
    for case in cases:
        strata[tuple(case.tag(tag) or "" for tag in sample.by)].append(case)
    sizes = shares({name: len(members) for name, members in strata.items()}, sample.cases)
    drawn = [case for name, members in strata.items() for case in _lowest(members, sample.seed)[: sizes[name]]]
    return tuple(sorted(drawn, key=lambda case: case.id))


def shares(sizes: Mapping[Stratum, int], total: int) -> dict[Stratum, int]:
    """How many of `total` go to each stratum: in proportion, the remainders to those that lost most by rounding.

    The largest-remainder method of Hamilton, in whole numbers; equal remainders go by name. No stratum gets more than
    it has.
    """
    everything = sum(sizes.values())
    wanted = min(total, everything)
    if wanted == everything:
        return dict(sizes)
    parts = {name: divmod(wanted * size, everything) for name, size in sizes.items()}
    left = wanted - sum(whole for whole, _ in parts.values())
    lucky = sorted(parts, key=lambda name: (-parts[name][1], name))[:left]
    return {name: whole + (name in lucky) for name, (whole, _) in parts.items()}


def _lowest(members: Sequence[Case], seed: int) -> list[Case]:
    return sorted(members, key=lambda case: (sha256(f"{seed}|{case.id}".encode()).digest(), case.id))
