"""A workspace of a few variants whose cases are asked of a simulated provider, and what of it is audited."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from build_store import a_store
from killing import Subject
from purchases import Books

from triaxis.adapters.batches.book import BlobBook
from triaxis.adapters.evidence.files import FileEvidence
from triaxis.adapters.store.blobs import FolderBlobs
from triaxis.domain.case import Message
from triaxis.domain.evaluation import PriceRow
from triaxis.domain.rows import Generation, Request
from triaxis.quantities import Money

KEY = "sk-made-up-and-searched-for-in-every-file"
VARIABLES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
CONCURRENCY = 6
COLUMNS = (
    "input_cost_per_token",
    "output_cost_per_token",
    "input_cost_per_token_batches",
    "output_cost_per_token_batches",
)
Usd: TypeAlias = Mapping[str, tuple[float, float, float, float]]
"""The dollars of `COLUMNS`, by the model's name without its provider."""
USD: Usd = {"small": (1.0e-6, 2.0e-6, 4.0e-7, 9.0e-7), "big": (3.0e-6, 9.0e-6, 1.6e-6, 5.0e-6)}
"""No batch price is half of a live one."""
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
LIMITS: Mapping[str, Any] = {
    "max_usd": 5,
    "concurrency": CONCURRENCY,
    "first_token_timeout_s": 0.5,
    "max_attempts": 8,
}


def a_text(number: int) -> str:
    """The input of a case."""
    return f"Question {number}: where is transfer {number * 7919 % 1000}?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One variant for each model, under the model's own name; JSON is YAML."""

    folder: Path
    models: tuple[str, ...] = ("openai/small", "openai/big")
    cases: int = 60
    limits: Mapping[str, Any] = field(default_factory=lambda: LIMITS)
    delivery: Mapping[str, str] = field(default_factory=dict[str, str])
    """Transport and fallback of every variant."""
    usd: Usd = field(default_factory=lambda: USD)

    def write(self, address: str) -> Workspace:
        """Every file, for the provider at that address."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cases = [{"id": f"c{n:03}", "input": a_text(n), "expected": "simulated card"} for n in range(self.cases)]
        (self.folder / "cases.jsonl").write_text("".join(f"{json.dumps(case)}\n" for case in cases))
        files = {
            "rubric.yaml": {"schema_version": 1, "dimensions": RUBRIC},
            "slo.yaml": SLO,
            "prices.yaml": {"schema_version": 1, "models": {model: self._columns(model) for model in self.models}},
        }
        for name, content in files.items():
            (self.folder / name).write_text(json.dumps(content))
        return self.moved(address)

    def moved(self, address: str) -> Workspace:
        """The same evaluation, asked at another address; what was prepared stays good."""
        (self.folder / "evaluation.yaml").write_text(json.dumps(self._evaluation(address)))
        return self

    def _evaluation(self, address: str) -> Mapping[str, Any]:
        return {
            "schema_version": 1,
            "name": "chaos",
            "dataset": "cases.jsonl",
            "rubric": "rubric.yaml",
            "slo": "slo.yaml",
            "prices": "prices.yaml",
            "baseline": name_of(self.models[0]),
            "limits": self.limits,
            "variants": {
                name_of(model): {
                    "model": model,
                    "api_base": address,
                    "endpoint": "bank",
                    "params": PARAMS,
                    **self.delivery,
                }
                for model in self.models
            },
        }

    def subject(self, *words: str, program: tuple[str, ...] = TRIAXIS) -> Subject:
        """`triaxis WORDS`, or another program that takes the words."""
        keys = dict.fromkeys(VARIABLES, KEY)
        env = {**keys, "PREFECT_HOME": str(self.folder.parent / "prefect")}
        return Subject(command=[*program, *words], folder=self.folder, env=env)

    @property
    def state(self) -> Path:
        """Where the row store and everything else of this machine is."""
        return self.folder / ".triaxis"

    @property
    def batch_files(self) -> Path:
        """Where input files and results are, for as long as they are needed."""
        return self.state / "batches"

    @property
    def book(self) -> BlobBook:
        """Every provider batch."""
        return BlobBook(FolderBlobs(self.state / "store"), self.batch_files)

    def _columns(self, model: str) -> Mapping[str, float]:
        return dict(zip(COLUMNS, self.usd[name_of(model)], strict=True))

    @property
    def prices(self) -> Mapping[str, PriceRow]:
        """By model, as they are read."""
        return {model: self._price(model) for model in self.models}

    def _price(self, model: str) -> PriceRow:
        exact = [Money.of(usd).usd for usd in self.usd[name_of(model)]]
        return PriceRow(
            model=model,
            source="prices.yaml",
            input_cost_per_token=exact[0],
            output_cost_per_token=exact[1],
            input_cost_per_token_batches=exact[2],
            output_cost_per_token_batches=exact[3],
        )

    @property
    def requests(self) -> list[Request]:
        """Everything that has to be asked."""
        return [
            Request(
                model=model, endpoint="bank", messages=(Message(role="user", content=a_text(number)),), params=PARAMS
            )
            for model in self.models
            for number in range(self.cases)
        ]

    @property
    def books(self) -> Books:
        """What is audited."""
        return Books(
            requests={request.key: request for request in self.requests},
            store=a_store(self.state),
            prices=self.prices,
            concurrency=CONCURRENCY,
        )

    def generations(self) -> list[Generation]:
        """The evidence of the answers."""
        return list(FileEvidence(self.folder / "reports").generations())

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


def name_of(model: str) -> str:
    """The model's name without its provider."""
    return model.partition("/")[2]
