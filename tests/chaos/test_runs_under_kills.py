"""`triaxis run`, killed at random moments, faults mixed in: one scorecard, and books that agree with the ledger."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from build_store import a_store
from killing import Subject
from provider_process import RunningProvider, running_provider
from purchases import Books

from triaxis.domain.case import Message
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Request
from triaxis.quantities import Money

CASES = 60
CONCURRENCY = 6
KEY = "sk-made-up-and-searched-for-in-every-file"
MIX = "rate_limit=0.03,server=0.03,hang=0.02,reset=0.03,truncated=0.03,malformed=0.03,no_choices=0.02"
PRICES = {
    "openai/small": {"input_cost_per_token": 1.0e-6, "output_cost_per_token": 2.0e-6},
    "openai/big": {"input_cost_per_token": 3.0e-6, "output_cost_per_token": 9.0e-6},
}
PARAMS = {"max_tokens": 12, "temperature": 0}
RUBRIC = {"mentions": {"evaluator": "contains"}, "finished": {"evaluator": "finished"}}
TRIAXIS = (str(Path(sys.executable).with_name("triaxis")),)
SLO = {
    "schema_version": 1,
    "owner": "tests",
    "review_by": "2099-01-01",
    "traffic": {"sessions_per_day": 1000, "requests_per_session": 1},
    "precision": [{"dimension": "mentions", "min": 0.3}, {"dimension": "finished", "min": 0.9}],
    "cost": [{"per": "request", "max_usd": 0.01}],
    "errors": {"max_rate": 0.05},
}

runs = pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.chaos) for seed in range(1, 30))])


def a_text(number: int) -> str:
    return f"Question {number}: where is transfer {number * 7919 % 1000}?"


def a_price(model: str) -> PriceRow:
    row = {name: Money.of(usd).usd for name, usd in PRICES[model].items()}
    return PriceRow(
        model=model,
        source="prices.yaml",
        input_cost_per_token=row["input_cost_per_token"],
        output_cost_per_token=row["output_cost_per_token"],
    )


def an_evaluation(api_base: str) -> Mapping[str, Any]:
    limits = {"max_usd": 5, "concurrency": CONCURRENCY, "first_token_timeout_s": 0.5, "max_attempts": 8}
    return {
        "schema_version": 1,
        "name": "chaos",
        "dataset": "cases.jsonl",
        "rubric": "rubric.yaml",
        "slo": "slo.yaml",
        "prices": "prices.yaml",
        "baseline": "small",
        "limits": limits,
        "variants": {
            name: {"model": f"openai/{name}", "api_base": api_base, "endpoint": "bank", "params": PARAMS}
            for name in ("small", "big")
        },
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace of two variants and some cases; JSON is YAML."""

    folder: Path

    def write(self, provider: RunningProvider) -> Workspace:
        """Every file, for that provider."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cases = [{"id": f"c{n:03}", "input": a_text(n), "expected": "simulated card"} for n in range(CASES)]
        (self.folder / "cases.jsonl").write_text("".join(f"{json.dumps(case)}\n" for case in cases))
        files = {
            "evaluation.yaml": an_evaluation(provider.api_base),
            "rubric.yaml": {"schema_version": 1, "dimensions": RUBRIC},
            "slo.yaml": SLO,
            "prices.yaml": {"schema_version": 1, "models": PRICES},
        }
        for name, content in files.items():
            (self.folder / name).write_text(json.dumps(content))
        return self

    def subject(self, verb: str, *, program: tuple[str, ...] = TRIAXIS) -> Subject:
        """`triaxis VERB`, or another program that takes the verb."""
        home = str(self.folder.parent / "prefect")
        return Subject(command=[*program, verb], folder=self.folder, env={"OPENAI_API_KEY": KEY, "PREFECT_HOME": home})

    @property
    def books(self) -> Books:
        """What is audited."""
        requests = [
            Request(
                model=model, endpoint="bank", messages=(Message(role="user", content=a_text(number)),), params=PARAMS
            )
            for model in PRICES
            for number in range(CASES)
        ]
        state = self.folder / ".triaxis"
        return Books(
            requests={request.key: request for request in requests},
            store=a_store(state),
            prices={model: a_price(model) for model in PRICES},
            concurrency=CONCURRENCY,
        )

    def decided(self) -> Mapping[str, Any]:
        """What of the scorecard must not depend on how the answers were bought."""
        card = json.loads((self.folder / "reports" / "scorecard.json").read_text())
        return {
            name: {
                "n": variant["n"],
                "precision": variant["precision"],
                "objectives": variant["objectives"],
                "against_baseline": variant["against_baseline"],
                "verdict": variant["verdict"],
                "cost": {per: variant["cost"][per] for per in ("per_request", "per_session", "per_month")},
            }
            for name, variant in card["variants"].items()
        }

    def files_with(self, text: str) -> list[str]:
        """Every file below the workspace, and what was printed, that holds the text."""
        return [str(path) for path in self.folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def providing(folder: Path, seed: str, faults: str) -> Any:
    options = ("--delay-ms", "250", "--faults", faults, "--seed", seed, "--key-env", "THE_KEY")
    return running_provider(folder / "ledger.jsonl", *options, env={"THE_KEY": KEY})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], float, Path]:
    """What a run without faults or kills decides, how long it takes, and its warm Prefect home."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with providing(folder, "", "") as provider:
        workspace = Workspace(folder=folder / "workspace").write(provider)
        length_s = workspace.subject("run").finished()
        assert workspace.books.audit(provider.bills(), kills=0) == []
        assert len(provider.bills()) == 2 * CASES
    return workspace.decided(), length_s, folder / "prefect"


@runs
@pytest.mark.parametrize("faults", ["", MIX], ids=["kills", "faults"])
def test_a_killed_run_decides_the_same_and_its_books_agree(
    seed: int, faults: str, tmp_path: Path, undisturbed: tuple[Mapping[str, Any], float, Path]
) -> None:
    expected, length_s, prefect = undisturbed
    shutil.copytree(prefect, tmp_path / "prefect")
    seed_text = f"run {seed} {bool(faults)}"
    with providing(tmp_path, seed_text, faults) as provider:
        workspace = Workspace(folder=tmp_path / "workspace").write(provider)
        kills = workspace.subject("run").killed_and_finished(seed_text, length_s, most=2)
        found = workspace.books.audit(provider.bills(), kills=kills)
    assert found == []
    assert workspace.decided() == expected
    assert workspace.files_with(KEY) == []


@pytest.mark.chaos
@pytest.mark.parametrize("defect", ["no_intention", "late_intention", "lost_answers"])
def test_the_audit_notices_a_broken_promise_of_the_command_line(defect: str, tmp_path: Path) -> None:
    """The stage alone, without an orchestrator's start, so that most kills fall among the calls."""
    defective = (sys.executable, str(Path(__file__).with_name("defective.py")), defect)
    found: list[str] = []
    for number in range(6):
        folder = tmp_path / str(number)
        with providing(folder, "", "") as provider:
            workspace = Workspace(folder=folder / "workspace").write(provider)
            workspace.subject("prepare").finished()
            generate = workspace.subject("generate", program=defective)
            kills = generate.killed_and_finished(f"{defect} {number}", 7.0, most=2)
            found += workspace.books.audit(provider.bills(), kills=kills)
        if found:
            break
    assert found
