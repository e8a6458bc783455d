"""Spending, audited against somebody else's books, while the buyer is killed at random moments."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from provider_process import RunningProvider, running_provider
from purchases import Plan, audit

from triaxis.rules.reply import parse_reply

BUYER = Path(__file__).with_name("buyer.py")
ANSWERS = 160
MIX = "rate_limit=0.03,server=0.03,hang=0.02,reset=0.03,truncated=0.03,malformed=0.03,no_choices=0.02,filtered=0.02"
MOST_RESUMES = 8

FEW, ALL = range(3), range(3, 30)
runs = pytest.mark.parametrize("seed", [*FEW, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in ALL)])


def started(plan: Plan, *defects: str) -> subprocess.Popen[bytes]:
    """The buyer, at work."""
    path = os.pathsep.join([str(BUYER.parents[1] / "support"), str(BUYER.parents[2] / "flows")])
    command = [sys.executable, str(BUYER), str(plan.folder / "plan.json"), *defects]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})


def whole_run_s(plan: Plan) -> float:
    """How long a run takes that nobody kills."""
    began = time.monotonic()
    assert started(plan).wait(timeout=120) == 0
    return time.monotonic() - began


def killed(plan: Plan, after_s: float, *defects: str) -> bool:
    """Kills the buyer with -9 after that time; False where it had ended by then."""
    buyer = started(plan, *defects)
    try:
        buyer.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        buyer.kill()
        buyer.wait()
        return True
    return False


def resumed(plan: Plan, *defects: str) -> None:
    """Runs until everything is bought; what outlasts its retries in one run is tried again by the next."""
    for _ in range(MOST_RESUMES):
        if started(plan, *defects).wait(timeout=120) == 0:
            return
    pytest.fail(f"not complete after {MOST_RESUMES} runs")


def answers(plan: Plan) -> dict[str, str]:
    """What was bought, by key."""
    return {key: parse_reply(row.raw).text for key, row in plan.store.rows(plan.requests.keys()).items()}


def a_plan(folder: Path, provider: RunningProvider) -> Plan:
    """Written, in a folder of its own."""
    plan = Plan(folder=folder, api_base=provider.api_base, count=ANSWERS)
    plan.write()
    return plan


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    """The answers of a run without faults or kills, and how long it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with running_provider(folder / "ledger.jsonl", "--delay-ms", "60") as provider:
        plan = a_plan(folder / "buyer", provider)
        length_s = whole_run_s(plan)
        assert audit(plan, provider.bills(), kills=0) == []
        assert len(provider.bills()) == ANSWERS
    return answers(plan), length_s


def bought_under_kills(
    folder: Path, length_s: float, seed: str, faults: str = "", defect: tuple[str, ...] = ()
) -> tuple[Plan, list[str]]:
    """One to three kills, each uniform over the length of a run; then whole runs until all is bought, and the audit."""
    rng = random.Random(seed)
    moments = [rng.uniform(0, length_s) for _ in range(rng.randint(1, 3))]
    sys.stdout.write(f"seed {seed!r}: killed after {', '.join(f'{moment:.3f}' for moment in moments)} s\n")
    options = ("--delay-ms", "60", "--faults", faults, "--seed", seed, "--retry-after-s", "0.05")
    with running_provider(folder / "ledger.jsonl", *options) as provider:
        plan = a_plan(folder / "buyer", provider)
        kills = sum([killed(plan, moment, *defect) for moment in moments])
        resumed(plan, *defect)
        return plan, audit(plan, provider.bills(), kills=kills)


@runs
def test_a_killed_run_pays_twice_only_for_what_was_in_flight(
    seed: int, tmp_path: Path, undisturbed: tuple[dict[str, str], float]
) -> None:
    expected, length_s = undisturbed
    plan, faults = bought_under_kills(tmp_path, length_s, f"kill {seed}")
    assert faults == []
    assert answers(plan) == expected


@runs
def test_a_killed_run_adds_up_under_a_provider_that_faults(
    seed: int, tmp_path: Path, undisturbed: tuple[dict[str, str], float]
) -> None:
    expected, length_s = undisturbed
    plan, faults = bought_under_kills(tmp_path, length_s, f"fault {seed}", MIX)
    assert faults == []
    got = answers(plan)
    filtered = {key for key, row in plan.store.rows(plan.requests.keys()).items() if row.outcome == "terminal"}
    assert got.keys() == expected.keys()
    assert {k: v for k, v in got.items() if k not in filtered} == {
        k: v for k, v in expected.items() if k not in filtered
    }


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
        _, faults = bought_under_kills(tmp_path / str(number), length_s, f"{defect} {number}", defect=(defect,))
        found += faults
        if found:
            break
    assert found
