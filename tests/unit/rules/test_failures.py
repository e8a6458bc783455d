import numpy as np
import pytest
from build_measures import some_cases

from triaxis.quantities import Absent, Estimate
from triaxis.rules.measures.failures import Calls, error_rate, objective_errors
from triaxis.rules.measures.tally import case_frame

FRAME = case_frame(some_cases(40, sessions=20))


def some_calls(*, probed: bool, failed: int = 4) -> Calls:
    return Calls(cases=np.arange(40), failed=np.arange(40) < failed, probed=probed)


def test_a_probe_counts_requests_and_generation_counts_sessions() -> None:
    probe, generation = (
        error_rate(some_calls(probed=True), FRAME, level=0.9),
        error_rate(some_calls(probed=False), FRAME, level=0.9),
    )
    assert isinstance(probe, Estimate)
    assert isinstance(generation, Estimate)
    assert probe.value == generation.value == pytest.approx(0.1)
    assert (probe.n, probe.method, generation.n) == (40, "wilson", 20)


def test_without_calls_there_is_no_rate() -> None:
    nothing = Calls(cases=np.zeros(0, dtype=np.int64), failed=np.zeros(0, dtype=np.bool_), probed=False)
    assert error_rate(nothing, FRAME, level=0.9) == Absent("no call was made")


@pytest.mark.parametrize(("probed", "units", "unit"), [(True, 20, "requests"), (False, 10, "sessions")])
def test_an_objective_counts_the_units_of_its_slice(probed: bool, units: int, unit: str) -> None:
    """Sessions are dealt in turn, so that each holds cases of one kind."""
    found = objective_errors(some_calls(probed=probed), FRAME, where={"kind": ("faq",)}, level=0.9)
    assert (found.units, found.unit) == (units, unit)


def test_repeats_of_a_case_share_its_failures() -> None:
    twice = Calls(cases=np.array([0, 0, 1]), failed=np.array([True, False, False]), probed=False)
    assert twice.per_case(FRAME)[:2].tolist() == [0.5, 0.0]
