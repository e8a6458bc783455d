"""Spending, audited against somebody else's books, while the buyer is killed at random moments."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from killing import Subject
from provider_process import RunningProvider, running_provider
from purchases import Plan

BUYER = Path(__file__).with_name("buyer.py")
ANSWERS = 160
MIX = "rate_limit=0.03,server=0.03,hang=0.02,reset=0.03,truncated=0.03,malformed=0.03,no_choices=0.02,filtered=0.02"

runs = pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(3, 30))]
)


def a_buyer(plan: Plan, *defects: str) -> Subject:
    return Subject(command=[sys.executable, str(BUYER), str(plan.write()), *defects], folder=plan.folder)


def a_plan(folder: Path, provider: RunningProvider) -> Plan:
    return Plan(folder=folder / "buyer", api_base=provider.api_base, count=ANSWERS)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    """The answers of a run without faults or kills, and how long it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with running_provider(folder / "ledger.jsonl", "--delay-ms", "60") as provider:
        plan = a_plan(folder, provider)
        length_s = a_buyer(plan).finished()
        assert plan.books.audit(provider.bills(), kills=0) == []
        assert len(provider.bills()) == ANSWERS
    return plan.books.answers(), length_s


def bought_under_kills(
    folder: Path, length_s: float, seed: str, *, faults: str = "", defects: tuple[str, ...] = ()
) -> tuple[dict[str, str], list[str]]:
    """What was bought, and what the audit found."""
    options = ("--delay-ms", "60", "--faults", faults, "--seed", seed)
    with running_provider(folder / "ledger.jsonl", *options) as provider:
        plan = a_plan(folder, provider)
        kills = a_buyer(plan, *defects).killed_and_finished(seed, length_s, most=3)
        return plan.books.answers(), plan.books.audit(provider.bills(), kills=kills)


@runs
def test_a_killed_buyer_pays_twice_only_for_what_was_in_flight(
    seed: int, tmp_path: Path, undisturbed: tuple[dict[str, str], float]
) -> None:
    expected, length_s = undisturbed
    answers, faults = bought_under_kills(tmp_path, length_s, f"kill {seed}")
    assert faults == []
    assert answers == expected


@runs
def test_a_killed_buyer_adds_up_under_a_provider_that_faults(
    seed: int, tmp_path: Path, undisturbed: tuple[dict[str, str], float]
) -> None:
    expected, length_s = undisturbed
    answers, faults = bought_under_kills(tmp_path, length_s, f"fault {seed}", faults=MIX)
    assert faults == []
    assert answers.items() <= expected.items()


@pytest.mark.parametrize(
    "defect",
    [
        "no_intention",
        pytest.param("late_intention", marks=pytest.mark.chaos),
        pytest.param("lost_answers", marks=pytest.mark.chaos),
    ],
)
def test_the_audit_notices_a_broken_promise(
    defect: str, tmp_path: Path, undisturbed: tuple[dict[str, str], float]
) -> None:
    """Without the intention, or with the write after the send, a kill leaves bills that no book knows of."""
    _, length_s = undisturbed
    found: list[str] = []
    for number in range(6):
        seed = f"{defect} {number}"
        found += bought_under_kills(tmp_path / str(number), length_s, seed, defects=(defect,))[1]
        if found:
            break
    assert found
