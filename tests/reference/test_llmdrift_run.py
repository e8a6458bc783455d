# pyright: reportUnknownMemberType=false
# (the stubs of pyarrow leave most types unknown)
"""The drift of GPT-4 between March and June 2023, decided by `triaxis run` on the answers as they were published.

Chen, Zaharia, Zou 2023 (arXiv 2307.09009): one file holds what four model versions said to 1,000 questions, with what
each answer took and cost. Nobody is asked anything.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from provider_process import running_provider
from workspace_run import Project

DATA = Path(os.environ.get("TRIAXIS_PUBLIC_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
FOLDER = DATA / "llmdrift"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no public data at {FOLDER}")

EVALUATION = """\
schema_version: 1
name: gpt-4-drift
dataset: datasets/prime/cases.jsonl
rubric: rubrics/prime/rubric.yaml
slo: rubrics/prime/slo.yaml
baseline: gpt-4-0314
variants:
  gpt-4-0314:
    transport: import
    responses:
      path: datasets/prime/responses.parquet
      columns: {response: answer}
      where: {model: openaichat/gpt-4-0314}
  gpt-4-0613: {extends: gpt-4-0314, responses: {where: {model: openaichat/gpt-4-0613}}}
  gpt-3.5-turbo-0301: {extends: gpt-4-0314, responses: {where: {model: openaichat/gpt-3.5-turbo-0301}}}
  gpt-3.5-turbo-0613: {extends: gpt-4-0314, responses: {where: {model: openaichat/gpt-3.5-turbo-0613}}}
"""
RUBRIC = """\
schema_version: 1
dimensions:
  prime: {evaluator: python, function: "evaluators/prime.py:prime"}
"""
EVALUATOR = '''\
"""The authors' own rule (src/analysis/utils.py, format_answer_yesno)."""


def prime(case, answer):
    words = " ".join(f"[{word}]" for word in answer.lower().replace(",", " ").replace(".", " ").split())
    said = next((word for word in ("yes", "no") if f"[{word}]" in words), None)
    return said == case["expected"].lower()
'''
SLO = """\
schema_version: 1
owner: drift-watch
review_by: 2099-12-31
latency: [{measure: full, statistic: p95, max_ms: 20000, tolerance_ms: 10000}]
cost: [{per: request, max_usd: 0.005, tolerance_usd: 0.01}]
precision: [{dimension: prime, min: 0.80}]
regression: {margin: {precision: 0.02, latency: 0.1, cost: 0.1}}
weights: {latency: 0.5, cost: 0.2, precision: 0.3, because: "a person is waiting"}
"""


def write_prime(root: Path) -> None:
    """The workspace, with milliseconds for the published seconds, and the question's number as its id."""
    rows: list[dict[str, Any]] = pq.read_table(FOLDER / "prime_full_eval.parquet").to_pylist()
    first = {str(row["id"]): row for row in rows}
    cases = [{"id": case, "input": row["query"], "expected": row["ref_answer"]} for case, row in sorted(first.items())]
    for path, text in {
        "evaluation.yaml": EVALUATION,
        "rubrics/prime/rubric.yaml": RUBRIC,
        "rubrics/prime/slo.yaml": SLO,
        "evaluators/prime.py": EVALUATOR,
        "datasets/prime/cases.jsonl": "".join(json.dumps(case) + "\n" for case in cases),
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    columns = {
        "id": [str(row["id"]) for row in rows],
        "model": [row["model"] for row in rows],
        "answer": [row["answer"] for row in rows],
        "latency_ms": [1000 * row["latency"] for row in rows],
        "cost_usd": [row["cost"] for row in rows],
    }
    pq.write_table(pa.table(columns), root / "datasets/prime/responses.parquet")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports, after a run that called nobody and a second one with nothing to do."""
    folder = tmp_path_factory.mktemp("prime")
    with running_provider(folder / "ledger.jsonl") as provider:
        project = Project(root=folder / "workspace", provider=provider, home=folder / "home")
        write_prime(project.root)
        project.succeed("check")
        first, second = project.run(), project.run()
        assert (first["calls"], len(first["stages"]), second["stages"]) == (0, 7, [])
        assert provider.bills() == []
    return project.root / "reports"


@pytest.fixture(scope="module")
def card(reports: Path) -> dict[str, Any]:
    return json.loads((reports / "scorecard.json").read_text())


def published() -> dict[str, float]:
    return json.loads((FOLDER / "published.json").read_text())["prime_accuracy_percent"] if FOLDER.is_dir() else {}


@pytest.mark.parametrize(("model", "percent"), sorted(published().items()))
def test_accuracies_are_as_published(card: dict[str, Any], model: str, percent: float) -> None:
    overall = card["variants"][model.removeprefix("openaichat/")]["precision"]["dimensions"]["prime"]["overall"]
    assert (overall["value"], overall["n"], overall["method"]) == (percent / 100, 1000, "wilson")


def test_june_is_faster_and_cheaper(card: dict[str, Any]) -> None:
    """p95 21.5 s to 12.4 s, and $13.83 to $1.07 per 1,000 questions."""
    march, june = card["variants"]["gpt-4-0314"], card["variants"]["gpt-4-0613"]
    p95 = [variant["latency"]["full"]["p95"]["value"] / 1000 for variant in (march, june)]
    dollars = [variant["cost"]["per_request"]["value"] * 1000 for variant in (march, june)]
    assert [round(seconds, 1) for seconds in p95] == [21.5, 12.4]
    assert [round(usd, 2) for usd in dollars] == [13.83, 1.07]
    assert (june["latency"]["probe"]["client"], june["latency"]["probe"]["requests"]) == ("imported", 1000)
    assert (june["cost"]["spent_usd"], list(june["cost"]["parts"])) == ("0", ["stated"])


def test_june_is_held_back_for_precision_alone(card: dict[str, Any]) -> None:
    """84.0 to 51.1 of 100 right: no speed and no price make up for it."""
    june = card["variants"]["gpt-4-0613"]
    verdicts = {objective["name"]: objective["verdict"] for objective in june["objectives"]}
    assert verdicts == {"latency.full.p95": "pass", "cost.per_request": "pass", "precision.prime": "fail"}
    names = ("latency.full.p95", "cost.per_request", "precision.prime")
    labels = {name: june["against_baseline"][name]["verdict"] for name in names}
    assert labels == {"latency.full.p95": "better", "cost.per_request": "better", "precision.prime": "worse"}
    assert june["verdict"] == "hold"
    assert june["reasons"][0].startswith("precision.prime: 0.511 misses the target of at least 0.800, and with 95%")
    assert june["reasons"][1].startswith("precision.prime is 0.329 lower than the baseline's 0.840")
    assert len(june["reasons"]) == 2


def test_the_difference_of_p95_is_paired_over_the_cases(card: dict[str, Any]) -> None:
    """12.371 less 21.474 s; of the first token nothing was published."""
    against = card["variants"]["gpt-4-0613"]["against_baseline"]
    p95 = against["latency.full.p95"]
    assert (round(p95["difference"]), round(p95["baseline"]), p95["n"]) == (-9102, 21474, 1000)
    assert p95["low"] < p95["difference"] < p95["high"] < 0
    assert against["latency.ttft.p95"]["absent"] == "no imported answer carries ttft_ms"


def test_the_composite_goes_up_all_the_same_and_the_page_shows_it(card: dict[str, Any], reports: Path) -> None:
    """Half of the weight is on latency: 0.5 x 0.853 + 0.2 x 0.117 + 0.3 x 0.84, against 0.5 + 0.2 + 0.3 x 0.511."""
    composites = [card["variants"][name]["axes"]["composite"] for name in ("gpt-4-0314", "gpt-4-0613")]
    assert composites == [pytest.approx(0.7018, abs=5e-5), pytest.approx(0.8533, abs=5e-5)]
    won = card["winner_by_weights"]
    assert won["now"] == ["gpt-4-0613"]
    told = "gpt-4-0613 (held back) wins under the weights of the SLO."
    turned = "gpt-4-0314 (held back) wins once precision weighs more than 0.52."
    assert {told, turned} <= set(won["sentences"])
    page, markdown = (reports / "scorecard.html").read_text(), (reports / "scorecard.md").read_text()
    for text in (page, markdown):
        assert told in text
        assert "gpt-3.5-turbo-0301, gpt-3.5-turbo-0613 and gpt-4-0613 are held back." in text
    assert page.count("<polygon") == len(won["regions"]) + 1


def test_no_version_beats_another_on_everything(card: dict[str, Any]) -> None:
    """Each is the best of the four at something: precision, p95, dollars, or dollars at its precision."""
    assert (card["pareto"], card["dominated"], card["pareto_outside"]) == (sorted(card["variants"]), {}, {})
    assert set(card["pareto_share"].values()) == {1}
    june = card["pareto_points"]["gpt-4-0613"]
    assert june["latency"]["low"] < june["latency"]["value"] < june["latency"]["high"]
