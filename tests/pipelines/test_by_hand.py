"""Whole evaluations through the real commands, held against what their raw rows come to by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import (
    GUARDS,
    RELATIVE,
    Floats,
    card_of,
    compared,
    objective,
    raked,
    tango,
    verdict_on,
    wilson,
    write_imports,
)
from provider_process import RunningProvider
from workspace_run import Project

PRICE = {"input_cost_per_token": 2e-6, "cache_read_input_token_cost": 5e-7, "output_cost_per_token": 8e-6}


@pytest.fixture
def project(provider: RunningProvider, home: Path, tmp_path: Path) -> Project:
    """A folder for a workspace; its answers are imported, so that nobody is asked."""
    return Project(root=tmp_path / "workspace", provider=provider, home=home)


def some_cases(rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Cases of three kinds, of which the last is mostly complex."""
    kinds = rng.choice(["a", "b", "c"], count)
    routes = np.where(rng.random(count) < np.where(kinds == "c", 0.8, 0.2), "complex", "simple")
    return [
        {"id": f"c{i:03d}", "input": f"q{i}", "expected": "yes", "slice": {"kind": str(k)}, "route": str(r)}
        for i, (k, r) in enumerate(zip(kinds, routes, strict=True))
    ]


def some_answers(rng: np.random.Generator, luck: Floats, *, right: float, failing: float) -> list[dict[str, Any]]:
    """Outputs that are right so often, mostly on the cases where others are too."""
    rows: list[dict[str, Any]] = []
    for place, easy in enumerate(luck):
        said = "yes" if (easy if rng.random() < 0.7 else rng.random()) < right else "no"
        costs = {"latency_ms": round(rng.lognormal(6, 0.5), 2), "cost_usd": round(rng.lognormal(-7, 0.3), 7)}
        failed = rng.random() < failing
        rows.append({"id": f"c{place:03d}", **({"error": "timeout"} if failed else {"response": said, **costs})})
    return rows


def scores(rows: list[dict[str, Any]]) -> Floats:
    """1 where a row is right; what failed is not."""
    return np.array([float(row.get("response") == "yes") for row in rows])


def failures(rows: list[dict[str, Any]]) -> Floats:
    """1 where a row failed."""
    return np.array([float("error" in row) for row in rows])


def some_objectives(rng: np.random.Generator) -> dict[str, Any]:
    """Targets near what comes out, so that all verdicts occur."""
    guard, confidence = float(rng.choice([0.0, 0.03, 0.1])), float(rng.choice([0.9, 0.95, 0.99]))
    sliced = {"dimension": "right", "min": 0.8, "where": {"kind": ["a", "b"]}, "guard": guard, "confidence": confidence}
    margin = {"precision": float(rng.choice([0.0, 0.1])), "errors": 0.02, "cost": 0.1}
    median = {"measure": "full", "statistic": "p50", "max_ms": float(rng.choice([380, 420])), "decide": "point"}
    return {
        "traffic": {"sessions_per_day": 100, "requests_per_session": 2},
        "precision": [{"dimension": "right", "min": round(rng.uniform(0.7, 0.95), 3)}, sliced],
        "latency": [median, {"measure": "full", "statistic": "p95", "max_ms": 900}],
        "cost": [{"per": "month", "max_usd": float(rng.choice([5.5, 6.5])), "guard": guard}],
        "errors": {"max_rate": float(rng.choice([0.0, 0.06]))},
        "regression": {"margin": margin, "require": str(rng.choice(["no_regression", "noninferior"]))},
    }


def with_entries(variant: Mapping[str, Any], slo: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The objectives as the scorecard has them, each with its entry of slo.yaml."""
    for found in variant["objectives"]:
        name, written = found["name"], slo[found["axis"]]
        entries = [written] if found["axis"] == "errors" else written
        yield found, next(e for e in entries if e.get("statistic", "") in name and ("where" in e) == ("[" in name))


@pytest.mark.parametrize("seed", [1, 4])
def test_intervals_follow_from_the_rows_and_verdicts_from_the_intervals(project: Project, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cases, slo = some_cases(rng, 200), some_objectives(rng)
    luck = rng.random(len(cases))
    rates = {"base": (0.93, 0.0), "one": (0.97, 0.04), "two": (0.8, 0.02)}
    rows = {name: some_answers(rng, luck, right=right, failing=lost) for name, (right, lost) in rates.items()}
    write_imports(project.root, cases, rows, slo=slo)
    project.run()
    slice_of = {False: np.ones(len(cases), dtype=np.bool_), True: np.array([c["slice"]["kind"] != "c" for c in cases])}
    for name, variant in card_of(project.root)["variants"].items():
        for found, entry in with_entries(variant, slo):
            guard = entry.get("guard", GUARDS[found["axis"]]) * (found["target"] if found["axis"] in RELATIVE else 1)
            assert found["verdict"] == verdict_on(found, guard=guard, by_point="decide" in entry), found
            if found["axis"] in {"precision", "errors"}:
                mine = (failures if found["axis"] == "errors" else scores)(rows[name])[slice_of["where" in entry]]
                expected = wilson(mine.sum(), len(mine), 2 * entry.get("confidence", 0.95) - 1)
                assert (found["estimate"]["low"], found["estimate"]["high"]) == pytest.approx(expected)
        for measure, found in variant["against_baseline"].items():
            if found.get("method") == "tango":
                of = failures if measure == "errors.rate" else scores
                mine, theirs = (of(rows[n])[slice_of["[" in measure]] for n in (name, "base"))
                assert (found["low"], found["high"]) == pytest.approx(tango(mine, theirs, found["level"]), abs=1e-6)
        assert variant["verdict"] == overall(variant, slo["regression"])


def overall(variant: Mapping[str, Any], regression: Mapping[str, Any]) -> str:
    """What the verdicts on objectives and the labels against the baseline add up to; the labels are checked."""
    labels = compared(variant["against_baseline"], regression["margin"])
    gated = {name: found["verdict"] for name, found in variant["against_baseline"].items() if found["gated"]}
    assert gated == {name: label for name, (label, _) in labels.items()}
    verdicts = {found["verdict"] for found in variant["objectives"]}
    if "fail" in verdicts or "worse" in gated.values():
        return "hold"
    shown = regression["require"] == "no_regression" or all(fine for _, fine in labels.values())
    return "promote" if verdicts == {"pass"} and shown else "inconclusive"


def test_productions_mix_weighs_every_figure(project: Project) -> None:
    """Two tags that go together in the dataset are raked to shares that have both margins."""
    mix = {"kind": {"a": 0.6, "b": 0.35, "c": 0.05}, "route": {"simple": 0.85, "complex": 0.15}}
    rng = np.random.default_rng(11)
    cases = some_cases(rng, 300)
    luck = rng.random(len(cases))
    rows = {name: some_answers(rng, luck, right=right, failing=0.03) for name, right in (("base", 0.9), ("one", 0.8))}
    slo = {
        "traffic": {"sessions_per_day": 1000, "requests_per_session": 1.6, "mix": mix},
        "precision": [{"dimension": "right", "min": 0.8}, {"dimension": "right", "min": 0.8, "where": {"kind": "c"}}],
        "cost": [{"per": "month", "max_usd": 60}],
        "errors": {"max_rate": 0.1, "where": {"route": "simple"}},
    }
    write_imports(project.root, cases, rows, slo=slo)
    project.run()
    found, weights = card_of(project.root)["variants"]["one"], raked(cases, mix)
    dollars = np.array([row.get("cost_usd", 0.0) for row in rows["one"]])
    rare = np.array([case["slice"]["kind"] == "c" for case in cases])
    simple = np.array([case["route"] == "simple" for case in cases])
    expected = {
        "precision.right": np.average(scores(rows["one"]), weights=weights),
        "precision.right[kind=c]": np.average(scores(rows["one"])[rare], weights=weights[rare]),
        "errors.rate[route=simple]": np.average(failures(rows["one"])[simple], weights=weights[simple]),
        "cost.per_month": np.average(dollars, weights=weights) * 1.6 * 1000 * 30,
    }
    assert {name: objective(found, name)["estimate"]["value"] for name in expected} == pytest.approx(expected)
    difference = np.average(scores(rows["one"]) - scores(rows["base"]), weights=weights)
    assert found["against_baseline"]["precision.right"]["difference"] == pytest.approx(difference)


def test_what_fails_ranks_slowest_in_each_slice(project: Project) -> None:
    """Errors and what a filter withheld, however fast; an answer that nobody timed is neither fast nor slow."""
    rng = np.random.default_rng(3)
    cases = some_cases(rng, 200)
    rows = some_answers(rng, rng.random(len(cases)), right=0.9, failing=0.02)
    rows[5] |= {"response": "I cannot say.", "finish_reason": "content_filter", "latency_ms": 1.0}
    rows[6]["latency_ms"] = None
    limits = [{"measure": "full", "statistic": "p50", "max_ms": 9, "where": {"kind": k}} for k in "abc"]
    slo = {"latency": limits, "errors": {"max_rate": 0.5}}
    write_imports(project.root, cases, {"base": rows}, slo=slo)
    project.run()
    found = card_of(project.root)["variants"]["base"]
    lost = np.array([i == 5 or "error" in row for i, row in enumerate(rows)])
    assert objective(found, "errors.rate")["estimate"]["value"] == pytest.approx(lost.mean())
    for kind in "abc":
        mine = [i for i, case in enumerate(cases) if case["slice"]["kind"] == kind and i != 6]
        times = [1e9 if lost[i] else rows[i]["latency_ms"] for i in mine]
        estimate = objective(found, f"latency.full.p50[kind={kind}]")["estimate"]
        assert estimate["value"] == pytest.approx(np.percentile(times, 50))


def test_a_month_of_profiles_an_interaction_and_other_prices(project: Project) -> None:
    """Tokens at their prices, cached ones apart; a profile assumes its own routes and cached share."""
    rng = np.random.default_rng(8)
    cases = some_cases(rng, 120)
    luck, rows = rng.random(len(cases)), dict[str, list[dict[str, Any]]]()
    for name, right, prompt in (("base", 0.95, 1000), ("a", 0.93, 600), ("b", 0.92, 1000), ("a+b", 0.6, 600)):
        rows[name] = some_answers(rng, luck, right=right, failing=0.0)
        for i, row in enumerate(rows[name]):
            tokens = {"prompt_tokens": prompt + i % 10, "cached_tokens": prompt // 2, "completion_tokens": 200 + i % 5}
            row |= {"cost_usd": None, **tokens}
    desk = {"sessions_per_day": 1000, "routes": {"simple": 0.5, "complex": 0.5}, "cache_hit_rate": 0.25}
    traffic = {"requests_per_session": 2, "profiles": {"desk": desk, "phone": {"sessions_per_day": 3000}}}
    mine = {n: {"transport": "import", "model": "openai/mine", "responses": f"{n}.jsonl"} for n in rows}
    pulls = {"a": ["prompt_caching"], "b": ["stop"], "a+b": ["prompt_caching", "stop"]}
    write_imports(
        project.root,
        cases,
        rows,
        slo={"traffic": traffic, "cost": [{"per": "month", "max_usd": 2000}]},
        prices={"openai/mine": PRICE},
        variants={"base": mine["base"]} | {n: {**mine[n], "extends": "base", "levers": pulls[n]} for n in pulls},
        levers={"factorial": ["a", "b"]},
    )
    project.run()
    card = card_of(project.root)
    simple = np.array([case["route"] == "simple" for case in cases])
    phone, at_desk = dollars(rows["a"]), dollars(rows["a"], cached_share=0.25)
    halves = (at_desk[simple].mean() + at_desk[~simple].mean()) / 2
    month = 30 * 2 * (1000 * halves + 3000 * phone.mean())
    assert card["variants"]["a"]["cost"]["per_month"]["value"] == pytest.approx(month)
    right = {name: scores(some) for name, some in rows.items()}
    (interaction,) = (i for i in card["interactions"] if i["measure"] == "precision.right")
    both = (right["a+b"] - right["a"]) - (right["b"] - right["base"])
    assert interaction["difference"] == pytest.approx(both.mean())
    (project.root / "dear.yaml").write_text(f"models: {{openai/mine: {PRICE | {'output_cost_per_token': 1.6e-5}}}}\n")
    repriced = project.triaxis("reprice", "--prices", "dear.yaml", "--json").json["variants"]["a"]["cost"][
        "per_request"
    ]
    values = repriced["before"]["value"], repriced["after"]["value"]
    assert values == pytest.approx((phone.mean(), dollars(rows["a"], output=1.6e-5).mean()))


def dollars(rows: list[dict[str, Any]], *, cached_share: float | None = None, output: float = 8e-6) -> Floats:
    """What each row's tokens cost."""
    costs: list[float] = []
    for row in rows:
        cached = row["cached_tokens"] if cached_share is None else row["prompt_tokens"] * cached_share
        prompt = (row["prompt_tokens"] - cached) * 2e-6 + cached * 5e-7
        costs.append(prompt + row["completion_tokens"] * output)
    return np.array(costs)
