"""What a routed case pays and waits for before its answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from triaxis.quantities import Absent
from triaxis.rules.measures.cost import CostRows
from triaxis.rules.measures.latency import ProbeRows, refusal
from triaxis.rules.measures.tally import NONE
from triaxis.rules.routes.ahead import Ahead, with_cost, with_wait


def costs(*usd: float, why: str = "") -> CostRows:
    """One answer a case."""
    values = np.array(usd)
    return CostRows(
        cases=np.arange(len(usd)), usd=values, parts={"stated": values}, why=why, sources=(), cached_share=None
    )


def times(*full_ms: float | None, cases: tuple[int, ...] | None = None) -> ProbeRows:
    """One request a case, sent when it was due; None failed."""
    n = len(full_ms)
    last = np.array([np.nan if ms is None else ms * 1e6 for ms in full_ms])
    return ProbeRows(
        cases=np.arange(n) if cases is None else np.array(cases, dtype=np.int64),
        blocks=np.zeros(n, dtype=np.int64),
        index=np.arange(n),
        scheduled=np.zeros(n),
        sent=np.zeros(n),
        first=last / 2,
        last=last,
        failed=np.isnan(last),
    )


def ahead(*places: int, usd: CostRows | None = None, probe: ProbeRows | None = None) -> Ahead:
    n = len(places)
    given = times(*[10.0] * n) if probe is None else probe
    return Ahead(places=np.array(places), costs=usd or costs(*[1.0] * n), probe=given)


def full(rows: ProbeRows) -> list[float]:
    return rows.milliseconds("full").tolist()


def test_only_cases_with_a_call_before_pay_for_it() -> None:
    found = with_cost(costs(5.0, 5.0, 5.0, 5.0), ahead(0, NONE, 0, NONE))
    assert found.usd.tolist() == [6.0, 5.0, 6.0, 5.0]
    assert found.parts["routing"].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_an_unknown_price_of_what_comes_before_leaves_no_cost() -> None:
    found = with_cost(costs(5.0, 5.0), ahead(0, NONE, usd=costs(np.nan, why="no price")))
    assert found.missing == Absent("1 of 2 answers have no cost: no price")


def test_a_judge_that_decides_is_paid_by_every_case() -> None:
    with_judge = replace(ahead(0, NONE), judge_usd=np.array([0.5, 0.25]))
    assert with_judge.usd.tolist() == [1.5, 0.25]
    assert with_judge.unknown == "the judge that decides whether a case escalates was not probed"


def test_the_answer_comes_after_the_wait() -> None:
    """10 ms later, first content and last alike."""
    found = with_wait(times(100.0, 100.0, 100.0, None), ahead(0, NONE, 0, 0))
    assert full(found)[:3] == [110.0, 100.0, 110.0]
    assert found.milliseconds("ttft").tolist()[:2] == [60.0, 50.0]
    assert found.failed.tolist() == [False, False, False, True]


def test_a_case_whose_first_call_always_failed_has_failed() -> None:
    found = with_wait(times(100.0, 100.0), ahead(0, 0, probe=times(None, 30.0)))
    assert found.failed.tolist() == [True, False]
    assert full(found)[1] == 130.0


def test_a_case_whose_first_call_was_not_measured_says_nothing() -> None:
    found = with_wait(times(100.0, 200.0), ahead(0, 0, probe=times(30.0, cases=(1,))))
    assert found.cases.tolist() == [1]
    assert full(found) == [230.0]


def test_where_no_case_was_measured_twice_the_reason_is_told() -> None:
    found = with_wait(times(100.0), ahead(0, 0, probe=times(30.0, cases=(1,))))
    assert refusal(found) == Absent("no case was probed both for the answer and for what comes before it")


@pytest.mark.parametrize("probe", [times(), replace(times(1.0), timed="mixed")])
def test_what_cannot_be_trusted_leaves_no_latency(probe: ProbeRows) -> None:
    found = with_wait(times(100.0), ahead(0, probe=probe))
    reason = refusal(found)
    assert reason is not None
    assert reason.why.startswith("of the calls before the answer: ")


def test_nothing_before_changes_nothing() -> None:
    answers = times(100.0, 200.0)
    found = with_wait(answers, Ahead(places=np.full(2, NONE), costs=costs(), probe=times()))
    assert full(found) == full(answers)
    assert found.timed == "probed"
    assert len(with_wait(times(), Ahead(places=np.full(2, NONE), costs=costs(), probe=times()))) == 0


def test_times_that_were_measured_differently_do_not_add_up() -> None:
    imported = replace(times(10.0), timed="imported")
    assert with_wait(times(100.0), ahead(0, probe=imported)).timed == "mixed"
