"""Other prices for stored scorecards, by the real command on imported answers: nobody is asked anything."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from build_workspace import jsonl
from provider_process import running_provider
from workspace_run import Project, versioned

CASES = [{"id": f"c{i:02}", "input": f"question {i}", "expected": "yes"} for i in range(60)]
EVALUATION = """\
schema_version: 1
name: imported
dataset: cases.jsonl
rubric: rubric.yaml
slo: slo.yaml
baseline: big
variants:
  big: {transport: import, model: openai/gpt-4o, responses: {path: said.jsonl, where: {finish_reason: big}}}
  small: {transport: import, model: own/small, responses: {path: said.jsonl, where: {finish_reason: small}}}
"""
SLO = """\
schema_version: 1
owner: a
review_by: 2099-12-31
cost: [{per: request, max_usd: 0.01}]
precision: [{dimension: right, min: 0.5}]
"""
OWN = "models: {own/small: {input_cost_per_token: 1.0e-6, output_cost_per_token: 2.0e-6}}\n"


def a_workspace(root: Path) -> None:
    """Sixty answers of each of two models with their tokens; a price of its own for one of them."""
    rows = [
        {"id": case["id"], "response": "yes", "prompt_tokens": 1000 + 10 * i, "completion_tokens": 100}
        | {"finish_reason": model}
        for model in ("big", "small")
        for i, case in enumerate(CASES)
    ]
    texts = {
        "evaluation.yaml": EVALUATION + "prices: prices.yaml\n",
        "prices.yaml": OWN,
        "rubric.yaml": "schema_version: 1\ndimensions: {right: {evaluator: exact}}\n",
        "slo.yaml": SLO,
        "cases.jsonl": jsonl(CASES),
        "said.jsonl": jsonl(rows),
        "dear.yaml": "models: {own/small: {input_cost_per_token: 1.0e-5, output_cost_per_token: 2.0e-6}}\n",
    }
    root.mkdir(parents=True)
    for name, text in texts.items():
        (root / name).write_text(text)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("reprice")
    with running_provider(folder / "ledger.jsonl") as provider:
        project = Project(root=folder / "workspace", provider=provider, home=folder / "home")
        a_workspace(project.root)
        project.run()
        assert provider.bills() == []
    return project


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted((root / "reports").rglob("*")) if p.is_file()}


def test_a_dearer_row_turns_a_verdict_and_writes_nothing(project: Project) -> None:
    """1,295 prompt tokens on average: $0.0015 at one dollar a million and $0.013 at ten, over the limit of $0.01."""
    before = files(project.root)
    said = project.triaxis("reprice", "--prices", "dear.yaml", "--json")
    small = said.json["variants"]["small"]
    assert small["verdict"] == {"before": "promote", "after": "hold"}
    requests = [small["cost"]["per_request"][side]["value"] for side in ("before", "after")]
    assert requests == [pytest.approx(0.001495), pytest.approx(0.01315)]
    assert said.json["drift"] == [
        {
            "model": "own/small",
            "column": "input_cost_per_token",
            "before": "0.000001",
            "after": "0.00001",
            "percent": 900,
        }
    ]
    assert said.json["kept"] == ["openai/gpt-4o"]
    plain = project.triaxis("reprice", "--prices", "dear.yaml")
    assert "small: promote to hold" in plain.out.splitlines()
    assert files(project.root) == before


def test_the_installed_table_changes_nothing(project: Project) -> None:
    said = project.triaxis("reprice", "--litellm-version", version("litellm"), "--json").json
    assert (said["drift"], said["kept"]) == ([], ["own/small"])


def test_a_table_of_litellms_own_form_is_read(project: Project) -> None:
    row = {"input_cost_per_token": 1e-3, "output_cost_per_token": 0, "litellm_provider": "openai"}
    (project.root / "table.json").write_text(json.dumps({"gpt-4o": row}))
    said = project.triaxis("reprice", "--prices", "table.json", "--json").json
    assert said["variants"]["big"]["cost"]["per_request"]["after"]["value"] == pytest.approx(1.295)
    (project.root / "table.json").write_text(json.dumps({"gpt-3": row}))
    lacking = project.triaxis("reprice", "--prices", "table.json")
    assert (lacking.code, "'openai/gpt-4o' has no price in the prices of table.json" in lacking.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--litellm-version", "0.0.1"), "the price table of LiteLLM 0.0.1 is not here"),
        (("--litellm-version", "0.0.1"), "Nothing is fetched."),
        (("--prices", "none.yaml"), "no file 'none.yaml'"),
        (("--prices", "slo.yaml"), "unknown key 'owner'"),
        (("--prices", "bad.json"), "is no price table"),
        (("--prices", "dear.yaml", "--scorecard", "zz"), "no archived scorecards begin with 'zz'"),
        ((), "give either --prices FILE or --litellm-version X"),
        (("--prices", "dear.yaml", "--litellm-version", "1"), "give either"),
    ],
)
def test_what_cannot_be_priced_says_why(project: Project, words: tuple[str, ...], says: str) -> None:
    (project.root / "bad.json").write_text("[1, 2]")
    done = project.triaxis("reprice", *words)
    assert (done.code, says in done.err) == (2, True), done.err
    assert "Traceback" not in done.err


def test_an_archived_scorecard_is_repriced_from_what_dvc_kept(tmp_path: Path) -> None:
    """Two scorecards whose evidence differs: the first one's rows come from the cache; its version's table too."""
    with running_provider(tmp_path / "ledger.jsonl") as provider:
        project = Project(root=tmp_path / "workspace", provider=provider, home=tmp_path / "home")
        a_workspace(project.root)
        versioned(project)
        project.run()
        first = json.loads((project.root / "reports/scorecard.json").read_text())
        said = (project.root / "said.jsonl").read_text()
        (project.root / "said.jsonl").write_text(said.replace('"prompt_tokens": 1', '"prompt_tokens": 2'))
        project.run()
        done = project.triaxis("reprice", "--prices", "dear.yaml", "--scorecard", first["id"][:8], "--json")
    assert done.code == 0, done.err
    assert done.json["id"] == first["id"]
    cost = done.json["variants"]["small"]["cost"]["per_request"]
    assert [cost[side]["value"] for side in ("before", "after")] == [pytest.approx(0.001495), pytest.approx(0.01315)]
