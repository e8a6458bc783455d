"""When a probe sends what."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from build_probe import a_plan, probe_cases

from triaxis.domain.case import Case
from triaxis.rules.probes.schedule import arrivals, draw, interleaved, schedule_name
from triaxis.stats.seeds import generator


def ids(cases: tuple[Case, ...]) -> list[str]:
    return [case.id for case in cases]


def rng() -> np.random.Generator:
    return generator("test")


def test_a_draw_keeps_the_shares_of_every_stratum() -> None:
    """60 cases: 20 complex and 40 simple, each half faq and half balance; 30 requests take half of each stratum."""
    drawn = draw(probe_cases(60), a_plan(requests=30))
    assert Counter(case.route for case in drawn.measured) == {"complex": 10, "simple": 20}
    assert Counter(case.slice["kind"] for case in drawn.measured) == {"faq": 15, "balance": 15}


def test_strata_of_one_case_are_drawn_without_favour() -> None:
    """Were every lone case placed alike, a draw would take all or none of them, or go by name."""
    lone = tuple(Case(id=f"c{i}", input="x", slice={"tag": f"{i:02}"}) for i in range(40))
    drawn = [int(str(case.slice["tag"])) for case in draw(lone, a_plan(requests=20)).measured]
    assert len(drawn) == 20
    assert 5 <= sum(i < 20 for i in drawn) <= 15


def test_a_case_whose_content_changes_stays_where_it_is() -> None:
    before, after = probe_cases(40), probe_cases(40, c007="something else", c020="and this")
    assert ids(draw(before, a_plan()).measured) == ids(draw(after, a_plan()).measured)


def test_a_case_that_goes_moves_a_stratum_by_one_at_most() -> None:
    cases = probe_cases(60)
    whole = set(ids(draw(cases, a_plan(requests=30)).measured))
    for gone in (0, 13, 44):
        rest = set(ids(draw(cases[:gone] + cases[gone + 1 :], a_plan(requests=30)).measured))
        assert len(whole - rest) <= 3


def test_a_smaller_draw_is_a_part_of_a_larger_one() -> None:
    """So that arms with different numbers of requests are probed over the same cases."""
    small, large = (set(ids(draw(probe_cases(60), a_plan(requests=n)).measured)) for n in (20, 40))
    assert small < large


def test_the_order_of_the_file_does_not_matter() -> None:
    cases = probe_cases(40)
    assert draw(cases, a_plan()) == draw(tuple(reversed(cases)), a_plan())


def test_another_seed_draws_other_cases() -> None:
    one, two = (ids(draw(probe_cases(60), a_plan(seed=seed)).measured) for seed in (1, 2))
    assert one != two


def test_requests_shrink_to_the_cases_there_are_and_say_so() -> None:
    """80 cases for 200 requests: 77 are measured once, 3 are kept for warm-up."""
    drawn = draw(probe_cases(80), a_plan(requests=200, warmup=3))
    assert len(drawn.measured) == len(set(ids(drawn.measured))) == 77
    assert not set(ids(drawn.measured)) & set(ids(drawn.warmup))
    assert drawn.notice == (
        "200 probe requests shrink to 77: no input is sent twice, and 3 cases are kept for warm-up; "
        "`cache: warm` allows repeated inputs"
    )


def test_no_more_than_a_quarter_of_the_cases_is_kept_for_warmup() -> None:
    drawn = draw(probe_cases(5), a_plan(requests=200, warmup=3))
    assert (len(drawn.measured), len(drawn.warmup)) == (4, 1)


def test_where_cases_abound_nothing_shrinks() -> None:
    drawn = draw(probe_cases(60), a_plan(requests=20, warmup=2))
    assert (len(drawn.measured), len(drawn.warmup), drawn.notice) == (20, 2, None)


def test_a_warm_cache_allows_repetition() -> None:
    drawn = draw(probe_cases(8), a_plan(requests=20, cache="warm"))
    assert set(Counter(ids(drawn.measured)).values()) == {2, 3}
    assert len(drawn.warmup) == 2
    assert drawn.notice is None


def test_nothing_is_drawn_of_nothing() -> None:
    drawn = draw((), a_plan(cache="warm"))
    assert drawn.measured == ()
    assert draw((), a_plan()).measured == ()


def test_a_trace_has_as_many_requests_as_arrivals() -> None:
    drawn = draw(probe_cases(60), a_plan(arrival="trace", trace=(0.5, 1.0, 2.5), requests=20, rate_per_s=None))
    assert len(drawn.measured) == 3
    assert drawn.notice == "20 probe requests shrink to the 3 arrivals of the trace"


def test_poisson_arrivals_have_the_rate_and_the_spread_of_their_law() -> None:
    """Gaps of 2 a second: mean and standard deviation 0.5 s; of 4,000 gaps 4 standard errors are 0.032 and 0.045."""
    gaps = [
        late - early
        for block in arrivals(a_plan(requests=4000), 4000, rng())
        for early, late in pairwise((0.0, *block))
    ]
    assert len(gaps) == 4000
    assert np.mean(gaps) == pytest.approx(0.5, abs=0.032)
    assert np.std(gaps) == pytest.approx(0.5, abs=0.045)


def test_constant_arrivals_are_a_gap_apart() -> None:
    assert arrivals(a_plan(arrival="constant", blocks=2), 4, rng()) == ((0.5, 1.0), (0.5, 1.0))


def test_a_trace_keeps_its_gaps_in_blocks() -> None:
    """Each block starts where the arrival before it was: 2.5 - 1.0 and 2.6 - 1.0 for the second."""
    plan = a_plan(arrival="trace", trace=(0.5, 1.0, 2.5, 2.6), blocks=2, rate_per_s=None)
    assert arrivals(plan, 4, rng()) == ((0.5, 1.0), (1.5, 1.6))


def test_blocks_are_equal_to_within_one_and_none_is_empty() -> None:
    assert [len(block) for block in arrivals(a_plan(blocks=5), 77, rng())] == [15, 16, 15, 16, 15]
    assert [len(block) for block in arrivals(a_plan(blocks=5), 3, rng())] == [1, 1, 1]
    assert arrivals(a_plan(blocks=5), 0, rng()) == ()


def test_offsets_are_whole_microseconds() -> None:
    assert all(at == round(at, 6) for block in arrivals(a_plan(), 20, rng()) for at in block)


def test_plans_that_send_alike_share_a_schedule() -> None:
    """What does not shape arrivals must not move them: a new take is compared with an old one on the same load."""
    plan = a_plan()
    assert schedule_name(plan, 20) == schedule_name(replace(plan, take=2, timeout_s=5, cache="warm"), 20)
    assert schedule_name(plan, 20) != schedule_name(replace(plan, rate_per_s=3.0), 20)
    assert schedule_name(plan, 20) != schedule_name(replace(plan, seed=2), 20)


def test_blocks_are_interleaved_and_every_variant_begins_in_turn() -> None:
    blocks = {"b": ["b0", "b1", "b2"], "a": ["a0", "a1"]}
    assert interleaved(blocks) == ("a0", "b0", "b1", "a1", "b2")
    assert interleaved({}) == ()
