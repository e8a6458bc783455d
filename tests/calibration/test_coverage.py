"""Intervals hold the truth as often as they claim to, in the worlds where they are used."""

from __future__ import annotations

import os
from functools import cache
from math import log, sqrt
from pathlib import Path

import pytest
from simulated import GIVEN_UP, LEVEL, WORLDS, Coverage, World, coverage, coverage_table, gate_table, queue

from triaxis.quantities import Estimate
from triaxis.stats.quantiles import quantile
from triaxis.stats.seeds import generator

PAGE = Path(__file__).parents[2] / "docs" / "numbers-simulated.md"
MANY = 5000


@cache
def found(world: World) -> Coverage:
    return coverage(world, world.samples)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_bounds_miss_no_more_than_allowed(world: World) -> None:
    """Each one-sided bound misses no more often than its world allows, three standard errors aside."""
    seen = found(world)
    slack = 3 * sqrt(world.allowed * (1 - world.allowed) / world.samples)

    assert max(seen.above, seen.below) <= world.allowed + slack


@pytest.mark.chaos
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_bounds_miss_no_more_than_allowed_over_many_samples(world: World) -> None:
    """The same with the noise of the simulation out of the way; and both bounds hold the truth as often as they say."""
    seen = coverage(world, MANY)
    slack = 3 * sqrt(world.allowed * (1 - world.allowed) / MANY)

    assert max(seen.above, seen.below) <= world.allowed + slack
    assert seen.held >= LEVEL - world.short - 2 * sqrt(LEVEL * (1 - LEVEL) / MANY)


def test_the_page_shows_what_the_simulation_gives() -> None:
    """The tables of the page are those that the code makes now; TRIAXIS_REWRITE=1 writes them."""
    tables = {
        "gate, guard 0.03": gate_table(0.03),
        "gate, guard 0": gate_table(0.0),
        "coverage": coverage_table([(world, found(world)) for world in WORLDS]),
    }
    page = PAGE.read_text(encoding="utf-8")
    fresh = page
    for name, table in tables.items():
        start, end = f"<!-- {name} -->\n", "<!-- end -->"
        head, rest = fresh.split(start)
        fresh = head + start + table + end + rest.split(end, 1)[1]
    if os.environ.get("TRIAXIS_REWRITE"):
        PAGE.write_text(fresh, encoding="utf-8")
        page = fresh

    assert page == fresh


@pytest.mark.parametrize(("load", "held"), [(0.8, 0.17), (0.9, 0.08)])
def test_bounds_for_independent_requests_fail_in_a_queue(load: float, held: float) -> None:
    """What would happen without the blocks: 200 requests, p95, order statistics."""
    rng, truth = generator("naive", str(load)), -log(0.05) / (1 - load)
    measures = [quantile(queue(rng, load, 5, 40).ravel(), q=0.95, level=0.9) for _ in range(1000)]
    hits = sum(isinstance(seen, Estimate) and seen.low <= truth <= seen.high for seen in measures)

    assert hits / 1000 == pytest.approx(held, abs=0.03)


def test_samples_that_say_too_little_get_no_upper_bound() -> None:
    """200 requests to a server at 90% load tell as much as a handful, and no bound of their p95 is made of them."""
    world = next(world for world in WORLDS if "queue at 90% load" in world.name)

    assert found(world).unbounded > 0.9
    assert world.truth < GIVEN_UP
