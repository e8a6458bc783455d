"""What holds of every router, whatever its arms got right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from build_measures import a_model, evidence_of, some_cases, some_inputs
from hypothesis import given, settings
from hypothesis import strategies as st

from triaxis.domain.router import Router
from triaxis.domain.routes import Routes
from triaxis.domain.routing import Routing
from triaxis.domain.variant import RoutedVariant
from triaxis.quantities import Absent, Estimate
from triaxis.rules.evaluators.regexes import repeats_within_repeat
from triaxis.stats.routing import apgr, call_performance_threshold, sweep
from triaxis.steps.assess import assess

N = 24
RIGHT = st.lists(st.booleans(), min_size=N, max_size=N)
UNIT = st.floats(0, 1)


def measured(big: list[bool], small: list[bool], chosen: list[bool], oracle: list[bool]) -> Routing:
    """The routing of a variant between two arms that were right so, with decisions and right routes as given."""
    cases = tuple(replace(c, route="b" if o else "s") for c, o in zip(some_cases(N), oracle, strict=True))
    router = Router(by="python", arms={"b": "base", "s": "small"}, oracle="route")
    views = (a_model("base"), a_model("small"), RoutedVariant(name="via", router=router))
    routes = Routes(routes=tuple("b" if c else "s" for c in chosen), confidence=(0.5,) * N)
    inputs = replace(some_inputs(*views, cases=cases), routes={"via": routes})
    got = {"base": big, "small": small}
    routing = assess(evidence=evidence_of(inputs, lambda v, i: float(got[v][i]))).variants["via"].routing
    assert routing is not None
    return routing


def precision_of(routing: Routing, name: str) -> float:
    found = next(way.precision for way in routing.alternatives if way.name == name)
    assert isinstance(found, Estimate)
    assert found.low <= found.value <= found.high
    return found.value


@settings(max_examples=25, deadline=None)
@given(RIGHT, RIGHT, RIGHT)
def test_drawing_is_the_mixture_of_the_arms(big: list[bool], small: list[bool], chosen: list[bool]) -> None:
    """And a router that draws is as good as its threshold sweep says of one score for all cases."""
    routing = measured(big, small, chosen, chosen)
    share = sum(chosen) / N
    mixed = share * precision_of(routing, "always base") + (1 - share) * precision_of(routing, "always small")
    assert precision_of(routing, "random") == pytest.approx(mixed)


@settings(max_examples=25, deadline=None)
@given(RIGHT, RIGHT, RIGHT)
def test_an_oracle_that_knows_who_is_right_beats_every_router(
    big: list[bool], small: list[bool], chosen: list[bool]
) -> None:
    """Where the labels name an arm that is right whenever one is, no way to route these arms is better."""
    oracle = [b and not s for b, s in zip(big, small, strict=True)]
    routing = measured(big, small, chosen, oracle)
    best = precision_of(routing, "oracle")
    assert all(precision_of(routing, way.name) <= best + 1e-12 for way in routing.alternatives)


@settings(max_examples=25, deadline=None)
@given(RIGHT, RIGHT, RIGHT)
def test_every_case_stands_in_one_cell(chosen: list[bool], oracle: list[bool], big: list[bool]) -> None:
    routing = measured(big, big, chosen, oracle)
    assert sum(cell.n for cell in routing.misroutes) == sum(arm.n for arm in routing.shares) == N
    right = sum(cell.n for cell in routing.misroutes if cell.chosen == cell.right) / N
    assert routing.right == pytest.approx(right)


@given(st.lists(st.tuples(UNIT, UNIT, UNIT), min_size=1, max_size=40))
def test_a_sweep_starts_at_one_arm_and_ends_at_the_other(rows: list[tuple[float, float, float]]) -> None:
    scores, weak, strong = map(np.array, zip(*rows, strict=True))
    curve = sweep(scores, weak, strong)
    assert (curve.shares[0], curve.shares[-1]) == (0, 1)
    assert curve.quality[0] == pytest.approx(weak.mean())
    assert curve.quality[-1] == pytest.approx(strong.mean())
    assert (np.diff(curve.shares) > 0).all()
    found = call_performance_threshold(curve, 0.5)
    assert isinstance(found, Absent) == (curve.gap <= 0)
    if not isinstance(found, Absent):
        assert 0 <= found <= 1


@given(st.lists(st.tuples(UNIT, st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_the_order_of_cases_changes_no_sweep(rows: list[tuple[float, bool, bool]]) -> None:
    """Nor does it matter in which order cases of one score come."""
    one, other = (apgr(sweep(*map(np.array, zip(*r, strict=True)))) for r in (rows, rows[::-1]))
    assert (one == other) if isinstance(one, Absent) else (one == pytest.approx(other))


@given(st.text("ab(|)*+?[]\\{},0", max_size=12))
def test_any_text_is_looked_at_without_an_error(pattern: str) -> None:
    assert repeats_within_repeat(pattern) in (True, False)
