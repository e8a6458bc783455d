"""Routers and cascades through the real commands: what they decide, what it costs, and what their mistakes block."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from build_bank import ARMS, write_bank
from provider_process import RunningProvider
from workspace_run import PROBE, Project, a_project, versioned

KEYWORDS = [
    {"any": ["fee"], "arm": "simple"},
    {"any": ["dispute"], "arm": "dispute"},
    {"any": ["mortgage"], "arm": "complex"},
]
VIEWS: dict[str, Any] = {
    "planted": {"router": {"by": "keyword", "rules": KEYWORDS, "arms": ARMS, "oracle": "route"}},
    "mended": {"router": {"by": "keyword", "rules": KEYWORDS[1:] + KEYWORDS[:1], "arms": ARMS, "oracle": "route"}},
    "coded": {"router": {"by": "python", "function": "routers/bank.py:route", "arms": ARMS, "oracle": "route"}},
    "taught": {"router": {"by": "classifier", "arms": ARMS, "oracle": "route"}},
    "stepped": {"cascade": {"arms": ["small", "big"], "escalate": {"when": "check", "dimension": "brief"}}},
}
CODE = "def route(case):\n    return ('simple', 0.9) if 'card' in case['input'] else ('complex', 0.6)\n"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, provider: RunningProvider, home: Path) -> Project:
    """The bank with its routers, evaluated once."""
    root = write_bank(tmp_path_factory.mktemp("bank"), VIEWS, **{"routers/bank.py": CODE})
    project = Project(root=root, provider=provider, home=home)
    project.succeed("check", "run")
    return project


def variants(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "reports/scorecard.json").read_text())["variants"]


def test_a_misroute_that_the_whole_hides_is_held_back(bank: Project) -> None:
    """Disputes speak of a fee, and so went to the small model, which loses 12 of 40; it wins 12 simple ones back."""
    planted, big = variants(bank)["planted"], variants(bank)["big"]
    overall = [v["precision"]["dimensions"]["resolution"]["overall"]["value"] for v in (planted, big)]
    assert overall == [0.94, 0.94]
    assert {o["verdict"] for o in planted["objectives"]} == {"pass"}
    assert planted["against_baseline"]["precision.resolution"]["difference"] == 0
    dispute = planted["against_baseline"]["precision.resolution[route=dispute]"]
    assert (dispute["verdict"], dispute["gated"], dispute["difference"]) == ("worse", True, -0.3)
    assert planted["verdict"] == "hold"
    assert any("precision.resolution[route=dispute] is 0.300 lower" in reason for reason in planted["reasons"])
    gate = bank.triaxis("gate", "planted")
    assert (gate.code, "route=dispute" in gate.out + gate.err) == (3, True)


def test_the_mistake_stands_in_the_matrix_with_what_it_cost(bank: Project) -> None:
    """40 of 200 cases: $0.009 and 600 ms less than the big model's, for 0.3 of a point."""
    cells = variants(bank)["planted"]["routing"]["misroutes"]
    (wrong,) = [cell for cell in cells if cell["chosen"] != cell["right"]]
    assert (wrong["chosen"], wrong["right"], wrong["n"], wrong["share"]) == ("small", "big", 40, 0.2)
    values = {kind: wrong[kind]["value"] for kind in ("usd", "ms", "precision")}
    assert values == pytest.approx({"usd": -0.009, "ms": -600.0, "precision": -0.3})
    assert variants(bank)["planted"]["routing"]["right"] == 0.8
    page = (bank.root / "reports/scorecard.html").read_text()
    assert "misrouted" in page


def test_the_mended_router_can_ship(bank: Project) -> None:
    mended = variants(bank)["mended"]
    assert (mended["verdict"], mended["routing"]["right"]) == ("promote", 1.0)
    assert bank.triaxis("gate", "mended").code == 0
    found = mended["routing"]["alternatives"]
    ways = {way["name"]: (way["precision"]["value"], way["usd"]["value"]) for way in found}
    assert ways == {
        "router": (1.0, pytest.approx(0.0046)),
        "always big": (0.94, pytest.approx(0.01)),
        "always small": (0.84, pytest.approx(0.001)),
        # 40% of big's and 60% of small's
        "random": (pytest.approx(0.4 * 0.94 + 0.6 * 0.84), pytest.approx(0.0046)),
        "oracle": (1.0, pytest.approx(0.0046)),
    }


def test_two_routers_are_compared_by_what_they_decided(bank: Project) -> None:
    """They differ on disputes alone: 12 of 40 right ones more, which is 0.06 of all 200; each $0.009 dearer."""
    said = bank.triaxis("compare", "planted", "mended", "--json").json
    (pair,) = said["pairs"]
    assert not pair["alike"]
    assert pair["differences"]["precision.resolution"]["difference"] == pytest.approx(0.06)
    assert pair["differences"]["cost.per_request"]["difference"] == pytest.approx(0.009 * 40 / 200)
    assert bank.triaxis("compare", "planted", "stepped", "--json").json["pairs"][0]["differences"]


def test_every_way_to_route_makes_a_view_without_a_call(bank: Project) -> None:
    """A classifier tells the routes apart; a function is sure of what it says; a cascade pays small's answer first."""
    found = variants(bank)
    assert {name: found[name]["verdict"] for name in ("coded", "taught", "stepped")} == dict.fromkeys(
        ("coded", "taught", "stepped"), "promote"
    )
    assert found["taught"]["routing"]["right"] == 1.0
    assert found["coded"]["routing"]["sweep"]["share"] == 0.4
    stepped = found["stepped"]["routing"]
    assert stepped["usd"] == pytest.approx(0.16 * 0.001)
    assert [arm["n"] for arm in stepped["arms"]] == [32, 168]
    assert found["stepped"]["cost"]["spent_usd"] == "0"


def test_decisions_are_inputs_that_later_stages_read(bank: Project, tmp_path: Path) -> None:
    """Other code for a router makes other decisions, other measures and no call."""
    copy = bank.copied(tmp_path / "copy")
    assert copy.run()["stages"] == []
    copy.edit("routers/bank.py", "'card'", "'fee'")
    done = copy.run()
    assert done["calls"] == 0
    assert {"prepare", "assess", "decide"} <= set(done["stages"])
    assert variants(copy)["coded"]["routing"]["right"] == 0.8


def test_a_run_and_a_repro_route_alike(bank: Project, tmp_path: Path) -> None:
    copy = bank.copied(tmp_path / "copy")
    copy.remove("reports", ".triaxis")
    versioned(copy)
    clone = copy.cloned(tmp_path / "clone")
    copy.run()
    repro = clone.command("dvc", "repro")
    assert repro.code == 0, repro.out + repro.err
    assert copy.reports() == clone.reports()
    assert "reports/evidence/inputs/routes.parquet" in copy.reports()
    assert clone.run()["stages"] == []


ROUTE = "Which route? [[answer {% if route == 'simple' %}It is simple.{% else %}complex{% endif %}]]\n{{ input }}\n"


def test_a_model_is_asked_for_the_route_and_counts(tmp_path: Path, provider: RunningProvider, home: Path) -> None:
    """12 calls of the router beside those of its arms; its dollars and milliseconds are the routed variant's own."""
    router = {
        "by": "model",
        "model": "openai/router",
        "api_base": "${PROVIDER_ADDRESS}",
        "endpoint": "bench",
        "prompt": "prompts/route.md",
        "default": "big",
        "oracle": "route",
        "arms": {"simple": "small", "complex": "big"},
        "probe": {**PROBE, "take": 1},
        "params": {"max_tokens": 8},
        "field": None,
    }
    project = a_project(
        Project(root=tmp_path / "workspace", provider=provider, home=home),
        evaluation={
            "variants": {
                "big": {"probe": dict(PROBE)},
                "capped": None,
                "routed": {"router": router},
            }
        },
        prices={"models": {"openai/router": {"input_cost_per_token": 1e-7, "output_cost_per_token": 2e-7}}},
        **{"prompts/route.md": ROUTE.replace("route ==", "slice.kind ==").replace("'simple'", "'policy'")},
    )
    billed = len(provider.bills())
    project.succeed("run")
    asked = Counter(bill.model for bill in provider.bills()[billed:])
    assert asked["router"] >= 12 + 10
    for take in (1, 2, 3):
        routed = variants(project)["routed"]
        routing = routed["routing"]
        if "ms late" not in str(routing["ms"]):
            break
        # On a busy machine the sender is late now and then, and the probe refused: it is measured again.
        project.edit("evaluation.yaml", f"take: {take}", f"take: {take + 1}")
        project.succeed("run")
    assert routing["by"] == "model"
    assert routing["undecided"] == 0
    assert routing["usd"] > 0
    assert isinstance(routing["ms"], float), routing["ms"]
    assert routing["ms"] > 0
    assert float(routed["cost"]["spent_usd"]) > 0
    assert routed["cost"]["parts"]["routing"] == pytest.approx(routing["usd"])
    # On a busy machine so few requests depend on each other too much for a quantile; the slowest waited for the router.
    assert routed["latency"]["probe"]["histogram_ms"]["full"][-1] > routing["ms"]
    project.remove(".triaxis")
    assert project.run()["calls"] == 0
