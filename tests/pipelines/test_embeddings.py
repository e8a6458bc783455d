"""Embeddings through the real commands: bought once, priced, kept, and what they decide and score."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from build_bank import bank_cases
from build_embeddings import PRICE, books_of, texts, write_embedded
from build_imports import lines
from provider_process import RunningProvider, running_provider
from workspace_run import Project, versioned

from triaxis.adapters.evidence.files import FileEvidence
from triaxis.adapters.local.models import faults
from triaxis.adapters.route_classifier import EmbeddingLearner
from triaxis.rules.calls.embedding import vector_of
from triaxis.rules.route import decision_of
from triaxis.steps.embedded_routes import embedded_routes

SMOL = "local/smollm2-135m"
JUDGMENTS = "reports/evidence/judgments.parquet"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Any:
    """The bank with a router of embeddings and a likeness, versioned and evaluated once, at a provider of its own."""
    root = tmp_path_factory.mktemp("embedded")
    with running_provider(root / "ledger.jsonl") as provider:
        project = Project(root=write_embedded(root / "bank"), provider=provider, home=home)
        versioned(project)
        project.succeed("check", "plan")
        assert provider.bills() == []
        assert project.run()["calls"] == len(provider.bills())
        yield project


def variants(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "reports/scorecard.json").read_text())["variants"]


def tokens(project: Project) -> int:
    return sum(bill.usage["prompt_tokens"] for bill in project.provider.bills())


def test_each_text_is_bought_once_and_the_books_agree_with_the_ledger(bank: Project) -> None:
    """200 questions and two answers, of which one is the expected one, whoever says them."""
    bills = bank.provider.bills()
    assert len(bills) == len(set(texts())) == 202
    assert set(Counter(bill.request for bill in bills).values()) == {1}
    assert books_of(bank.root).audit(bills, kills=0) == []


def test_what_was_paid_is_what_the_provider_billed(bank: Project) -> None:
    costs = [variant["cost"] for variant in variants(bank).values()]
    spent = sum(Decimal(cost["spent_usd"]) + Decimal(cost["judge_usd"]) for cost in costs)
    assert spent == tokens(bank) * Decimal(str(PRICE))
    assert {cost["possible_usd"] for cost in costs} == {"0"}


def test_a_routed_request_costs_its_embedding_and_waits_for_it(bank: Project) -> None:
    """Over the 200 questions; as nobody measures how long an embedding takes, there is no latency."""
    learned = variants(bank)["learned"]
    mean = sum(1 + len(text) // 4 for text in list(texts())[:-2]) * PRICE / 200
    assert learned["cost"]["parts"]["routing"] == pytest.approx(mean)
    assert learned["cost"]["per_request"]["value"] == pytest.approx(mean + learned["cost"]["parts"]["stated"])
    assert "no probe was made" in learned["latency"]["full"]["p95"]["absent"]
    assert "embeddings that openai/embed makes" in learned["routing"]["how"]


def test_the_router_decides_what_its_vectors_teach(bank: Project) -> None:
    """Read anew from the evidence's own rows; words that are shared make routes that are found."""
    evidence = FileEvidence(bank.root / "reports")
    inputs = evidence.inputs()
    rows = {g.row.key: g for g in evidence.generations() if g.variant == "learned"}
    keys = [g.row.key for g in evidence.generations() if g.variant == "learned"]
    vectors = {place: vector_of(rows[key].row.raw) for place, key in enumerate(keys)}
    (view,) = inputs.routed
    assert view.caller is not None
    rule: Any = view.router
    expected = embedded_routes(rule.rule, inputs.cases, vectors, EmbeddingLearner())
    assert [decision_of(g.answer) for g in evidence.generations() if g.variant == "learned"] == [
        expected[place] for place in range(200)
    ]
    assert variants(bank)["learned"]["routing"]["right"] > 0.95
    assert variants(bank)["learned"]["routing"]["sweep"] is not None


def test_likeness_is_scored_and_read_nowhere_else(bank: Project) -> None:
    """`yes` is expected of all; `sorry` shares no word with it."""
    alike = {name: v["precision"]["dimensions"]["alike"]["overall"]["value"] for name, v in variants(bank).items()}
    exact = {name: v["precision"]["dimensions"]["resolution"]["overall"]["value"] for name, v in variants(bank).items()}
    assert alike == exact


@pytest.mark.parametrize(
    "lost", [[], [".triaxis/store"], [".triaxis"]], ids=["nothing", "row store", "all but evidence"]
)
def test_what_was_bought_is_never_bought_again(bank: Project, tmp_path: Path, lost: list[str]) -> None:
    before, copy = len(bank.provider.bills()), bank.copied(tmp_path / "copy")
    copy.remove(*lost)
    reports = copy.reports()
    assert copy.run()["calls"] == 0
    assert (len(bank.provider.bills()), copy.reports()) == (before, reports)


def test_a_fresh_clone_with_its_evidence_calls_nobody(bank: Project, tmp_path: Path) -> None:
    """By git alone it has the inputs; `dvc pull` from the first one's cache brings the rows."""
    bank.command("git", "add", "-A")
    assert bank.command("git", "-c", "user.name=t", "-c", "user.email=t@x", "commit", "-qm", "run").code == 0
    clone, before = bank.cloned(tmp_path / "clone"), len(bank.provider.bills())
    for words in (("remote", "add", "-d", "first", str(bank.root / ".dvc/cache")), ("pull", "-q")):
        done = clone.command("dvc", *words)
        assert done.code == 0, done.err
    clone.remove("reports/evidence/measures.json", "reports/scorecard.json")
    assert clone.run()["calls"] == 0
    assert len(bank.provider.bills()) == before
    assert clone.reports()[JUDGMENTS] == bank.reports()[JUDGMENTS]


def test_an_edit_asks_for_what_it_touches(bank: Project, tmp_path: Path) -> None:
    """A question for its own vector, what is expected for the new text, and other folds for nothing at all."""
    copy = bank.copied(tmp_path / "copy")
    path = copy.root / "cases.jsonl"
    cases = bank_cases()
    cases[0] = {**cases[0], "input": "Is my card lost?", "expected": ["yes", "it is"]}
    path.write_text(lines(cases))
    assert len(copy.called("run")) == 2
    copy.edit("evaluation.yaml", '"by": "classifier"', '"by": "classifier", "seed": 9')
    assert copy.called("run") == []


def test_a_budget_that_embeddings_could_pass_stops_before_any(bank: Project, tmp_path: Path) -> None:
    copy, before = bank.copied(tmp_path / "copy"), len(bank.provider.bills())
    copy.remove(".triaxis", "reports/evidence")
    copy.edit("evaluation.yaml", '"max_usd": 5', '"max_usd": 0.0001')
    done = copy.triaxis("run")
    assert done.code == 2, done.out + done.err
    assert "max_usd" in done.err
    assert len(bank.provider.bills()) == before


@pytest.mark.skipif(bool(faults(SMOL)), reason="the extra `local` or its weights are not installed")
def test_the_real_local_model_routes_better_than_chance_and_hears_a_paraphrase(
    tmp_path: Path, home: Path, provider: RunningProvider
) -> None:
    """60 questions, each in three ways; the answers to them are close to what is expected, or about something else."""
    project = Project(root=write_embedded(tmp_path / "bank"), provider=provider, home=home)
    before = len(provider.bills())
    texts_of = {
        "card": ("I cannot find my {} card.", "Somebody stole my {} card.", "My {} card is gone, block it."),
        "rate": ("What is the exchange rate for the {}?", "How many pounds is one {}?", "Convert a {} for me."),
    }
    fillers = ("blue", "red", "old", "new", "gold", "debit", "euro", "dollar", "yen", "franc")
    cases = [
        {"id": f"{route}-{n}-{word}", "input": said.format(word), "expected": "My card is missing.", "route": route}
        for route, sayings in texts_of.items()
        for n, said in enumerate(sayings)
        for word in fillers
    ]
    ways = {"card": "big", "rate": "small"}
    answers = {"big": "I have lost my card.", "small": "The transfer takes two working days to Germany."}
    outputs = [
        {"id": c["id"], "model": m, "response": said, "cost_usd": 0.01} for c in cases for m, said in answers.items()
    ]
    (project.root / "cases.jsonl").write_text(lines(cases))
    (project.root / "past.jsonl").write_text(lines(outputs))
    _asked_here(project.root / "evaluation.yaml", "variants", "learned", "router", embedding=SMOL, arms=ways)
    _asked_here(project.root / "rubric.yaml", "dimensions", "alike", model=SMOL)
    prices = {"schema_version": 1, "models": {SMOL: {"usd_per_core_hour": 0.04}}}
    (project.root / "prices.yaml").write_text(json.dumps(prices))
    assert project.run()["calls"] == 60 + 3
    assert len(provider.bills()) == before
    found = variants(project)
    assert found["learned"]["routing"]["right"] > 0.9
    alike = {name: found[name]["precision"]["dimensions"]["alike"]["overall"]["value"] for name in answers}
    assert alike["big"] > alike["small"] + 0.05
    assert found["learned"]["cost"]["parts"]["routing"] > 0


def _asked_here(path: Path, *place: str, **changes: Any) -> None:
    """Takes an entry's address away, and changes keys of it."""
    whole = json.loads(path.read_text())
    entry: dict[str, Any] = whole
    for key in place:
        entry = entry[key]
    for key in ("api_base", "endpoint"):
        del entry[key]
    entry.update(changes)
    path.write_text(json.dumps(whole))
