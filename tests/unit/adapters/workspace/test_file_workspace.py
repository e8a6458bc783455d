from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from build_workspace import cases, jsonl, write_workspace
from malformed import Edit, faults_of, read, written

from triaxis.adapters.local.models import identity
from triaxis.adapters.workspace.file_workspace import FileWorkspace, reports_of
from triaxis.domain.canonical import JsonValue
from triaxis.domain.evaluation import Source
from triaxis.domain.rubric import Contains, Judged, JudgeModel, PythonFunction
from triaxis.domain.slo import Terms
from triaxis.domain.variant import ModelVariant, ProbePlan, RoutedVariant, Serving, Target
from triaxis.errors import InputFaults


def model(source: Source, name: str) -> ModelVariant:
    found = source.inputs.variant(name)
    assert isinstance(found, ModelVariant)
    return found


def evaluation(root: Path, env: Mapping[str, str] | None = None, **change: JsonValue) -> Source:
    return read(write_workspace(root, evaluation=change), env)


def test_a_workspace_as_read(tmp_path: Path) -> None:
    source = read(write_workspace(tmp_path))
    assert (source.config, source.reports, source.dataset) == (
        "evaluation.yaml",
        "reports",
        "datasets/tiny/cases.jsonl",
    )
    assert [v.name for v in source.inputs.variants] == ["big", "capped", "routed", "small"]
    assert len(source.inputs.cases) == 12
    assert [case.id for case in source.inputs.cases] == sorted(case.id for case in source.inputs.cases)
    assert source.files == (
        "datasets/tiny/cases.jsonl",
        "datasets/tiny/expectations.json",
        "datasets/tiny/human.jsonl",
        "evaluation.yaml",
        "prices.yaml",
        "prompts/answer.md",
        "rubrics/tiny/prompts/faithfulness.md",
        "rubrics/tiny/rubric.yaml",
        "rubrics/tiny/slo.yaml",
    )
    assert [label.score for label in source.inputs.labels] == [1.0]
    assert source.operations.limits.max_usd == 5.0
    assert source.notices == (
        "rubrics/tiny/rubric.yaml: dimension 'faithfulness' is off: no judge model is configured.",
    )


def test_what_may_be_left_out(tmp_path: Path) -> None:
    """Dataset, rubric, slo, baseline and variants are required; nothing else is."""
    text = (
        "dataset: datasets/tiny/cases.jsonl\nrubric: rubrics/tiny/rubric.yaml\nslo: rubrics/tiny/slo.yaml\n"
        "baseline: a\nvariants: {a: {model: openai/gpt-4o-mini}}\n"
    )
    source = read(write_workspace(tmp_path, evaluation=text))
    assert (source.inputs.name, source.on_bad_cases, source.sample) == ("evaluation", "stop", None)
    assert model(source, "a") == ModelVariant(name="a", model="openai/gpt-4o-mini")
    assert source.inputs.prices.rows["openai/gpt-4o-mini"].source == "litellm"
    assert source.operations.targets == {"openai/gpt-4o-mini@": Target(model="openai/gpt-4o-mini")}


def test_extends_copies_and_overrides_deeply(tmp_path: Path) -> None:
    source = evaluation(
        tmp_path,
        variants={
            "big": {"samples": 3, "params": {"stop": ["a"], "seed": 7}, "serving": {"surface": "chat"}},
            "capped": {"params": {"max_tokens": 20}, "serving": {"interactive": False}},
            "third": {"extends": "capped", "params": {"temperature": 1}, "prompt": None},
        },
    )
    third = model(source, "third")
    assert third.params == {"temperature": 1, "max_tokens": 20, "stop": ["a"], "seed": 7}
    assert (third.samples, third.levers, third.extends) == (3, (), "capped")
    assert third.serving == Serving(surface="chat", interactive=False)
    assert model(source, "capped").levers == ("max_tokens",)


def test_null_removes_what_extends_copied(tmp_path: Path) -> None:
    more = "    prompt: null\n    params: {temperature: null, seed: 1}\n"
    edit: Edit = ("    model: openai/small\n", "    model: openai/small\n" + more)
    small = model(read(written(tmp_path, {"evaluation": edit})), "small")
    assert (small.prompt, small.params) == (None, {"max_tokens": 600, "seed": 1})


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("http://127.0.0.1:8123/v1", "127.0.0.1:8123"),
        ("https://API.Example.com/v1", "api.example.com:443"),
        ("http://host", "host:80"),
        ("http://[::1]:8000/v1", "[::1]:8000"),
    ],
)
def test_an_endpoint_is_host_and_port(tmp_path: Path, address: str, endpoint: str) -> None:
    edit: Edit = [("http://127.0.0.1:9/v1", address), ("    endpoint: bench\n", "")]
    source = read(written(tmp_path, {"evaluation": edit}))
    assert model(source, "big").endpoint == endpoint
    assert source.operations.targets[f"openai/big@{endpoint}"].api_base == address


def test_values_of_the_environment_reach_only_what_is_not_hashed(tmp_path: Path) -> None:
    edit: Edit = [("http://127.0.0.1:9/v1", "${BASE}"), ("max_usd: 5.0", "max_usd: ${BUDGET}")]
    root = written(tmp_path, {"evaluation": edit})
    one = read(root, {"BASE": "http://a/v1", "BUDGET": "3"})
    two = read(root, {"BASE": "http://b/v1", "BUDGET": "4.5"})
    assert one.inputs == two.inputs
    assert (one.operations.limits.max_usd, two.operations.limits.max_usd) == (3, 4.5)
    assert [f.field for f in faults_of(root, {"BASE": "http://a/v1", "BUDGET": "much"})] == ["limits.max_usd"]


def test_a_local_model_is_its_weights_and_settings(tmp_path: Path) -> None:
    root = write_workspace(
        tmp_path,
        evaluation={"variants": {"own": {"model": "local/smollm2-135m"}}},
        prices={"models": {"local/smollm2-135m": {"usd_per_core_hour": 0.04}}},
    )
    found = read(root)
    assert model(found, "own").endpoint == identity("local/smollm2-135m")
    assert found.inputs.prices.rows["local/smollm2-135m"].usd_per_core_hour == Decimal("0.04")
    write_workspace(
        tmp_path,
        evaluation={"variants": {"own": {"model": "local/smollm2-135m"}}},
        prices={"models": {"local/smollm2-135m": {"input_cost_per_token": 0, "output_cost_per_token": 0}}},
    )
    (fault,) = faults_of(root)
    assert (fault.field, "usd_per_core_hour" in fault.advice) == ("variants.own.model", True)


def test_an_hourly_price_of_a_server_that_tells_no_hours_is_said(tmp_path: Path) -> None:
    """Nothing would tell before the money is spent that the cost is going to be absent."""
    root = write_workspace(tmp_path, prices={"models": {"openai/small": {"usd_per_gpu_hour": 2}}})
    notices = "\n".join(read(root).notices)
    assert "openai/small is priced by the hour of its server" in notices
    assert "openai/big" not in notices


def test_probes(tmp_path: Path) -> None:
    root = write_workspace(
        tmp_path,
        evaluation={
            "variants": {
                "big": {"probe": {"rate_per_s": 2}},
                "small": {"probe": {"arrival": "trace", "path": "trace.csv", "rate_per_s": None, "blocks": 1}},
            }
        },
        **{"trace.csv": "offset_s,other\n0,a\n0.5,b\n2,c\n"},
    )
    source = read(root)
    assert model(source, "big").probe == ProbePlan(rate_per_s=2.0)
    assert model(source, "small").probe == ProbePlan(arrival="trace", trace=(0.0, 0.5, 2.0), requests=3, blocks=1)


@pytest.mark.parametrize(
    ("trace", "line", "problem"),
    [
        ("", 1, "no column 'offset_s'"),
        ("time\n1\n", 1, "no column 'offset_s'"),
        ("offset_s\n1\nsoon\n", 3, "'soon' is no time"),
        ("offset_s\n-1\n", 2, "'-1' is no time"),
        ("offset_s\nnan\n", 2, "'nan' is no time"),
        ("offset_s\n2\n1\n", 0, "do not ascend"),
        ("offset_s\n", 0, "no arrival"),
        ('offset_s\n"1\n', 0, "not valid CSV"),
    ],
)
def test_traces_that_are_none(tmp_path: Path, trace: str, line: int, problem: str) -> None:
    probe: JsonValue = {"arrival": "trace", "path": "trace.csv"}
    root = write_workspace(tmp_path, evaluation={"variants": {"big": {"probe": probe}}}, **{"trace.csv": trace})
    found = [f for f in faults_of(root) if f.file == "trace.csv"]
    assert (found[0].line, problem in found[0].problem) == (line, True), found


def test_rubrics(tmp_path: Path) -> None:
    """Paths count from the rubric's folder, else from the workspace."""
    source = read(
        write_workspace(
            tmp_path,
            rubric={
                "dimensions": {
                    "resolution": {"evaluator": "python", "function": "evaluators/own.py:grade", "weight": None},
                    "mentions": {"any": True, "where": {"kind": ["policy", "status"]}, "normalize": "casefold"},
                    "faithfulness": {"scale": [1, 5], "escalate": {"between": [0.3, 0.7]}, "license": "none"},
                },
                "judges": {"strong": {"model": "openai/big", "params": {"temperature": 0}}},
            },
            **{"evaluators/own.py": "def grade(case, answer, *, strict=False):\n    return 1\n"},
        )
    )
    by_name = {d.name: d for d in source.inputs.rubric.dimensions}
    assert by_name["resolution"].evaluator == PythonFunction(
        file="evaluators/own.py", function="grade", source="def grade(case, answer, *, strict=False):\n    return 1\n"
    )
    assert by_name["mentions"].evaluator == Contains(need="any")
    assert by_name["mentions"].where == {"kind": ("policy", "status")}
    judged = by_name["faithfulness"].evaluator
    assert isinstance(judged, Judged)
    assert judged.judges == (JudgeModel(name="strong", model="openai/big", params={"temperature": 0}),)
    assert (judged.scale, judged.escalate, judged.license) == ((1.0, 5.0), (0.3, 0.7), "none")
    assert source.operations.targets["openai/big@"] == Target(model="openai/big")
    assert "evaluators/own.py" in source.files


def test_objectives_stand_in_a_fixed_order_with_their_terms(tmp_path: Path) -> None:
    source = read(
        write_workspace(
            tmp_path,
            slo={
                "latency": [{"measure": "full", "statistic": "p95", "max_ms": 900}],
                "guard": {"precision": 0, "latency": 0.2},
                "confidence": 0.9,
                "errors": {"max_rate": 0.01, "guard": 0, "confidence": 0.99, "decide": "point", "expected": 0},
                "regression": {"margin": {"cost": 0.1}, "require": "noninferior"},
            },
        )
    )
    slo = source.inputs.slo
    latency, cost, *precision, errors = slo.objectives
    assert latency.terms == Terms(guard=0.2, confidence=0.9)
    assert cost.terms == Terms(guard=0.05, confidence=0.9)
    assert [p.terms.guard for p in precision] == [0, 0]
    assert errors.terms == Terms(guard=0, confidence=0.99, decide="point", expected=0)
    assert (slo.regression.margin, slo.regression.require) == ({"cost": 0.1}, "noninferior")


def test_a_review_that_is_due_is_a_notice(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, slo={"review_by": "2027-03-31"})
    due = FileWorkspace(root, env={}, today=lambda: date(2027, 4, 1)).read().notices
    not_due = FileWorkspace(root, env={}, today=lambda: date(2027, 3, 31)).read().notices
    assert len(due) == len(not_due) + 1
    assert any("review_by 2027-03-31 has passed" in notice for notice in due)


def test_what_is_odd_but_legal_is_a_notice(tmp_path: Path) -> None:
    root = write_workspace(
        tmp_path,
        evaluation={"variants": {"routed": {"router": {"oracle": None}}, "big": {"levers": ["stop"]}}},
        slo={
            "traffic": {"sessions_per_day": None, "mix": {"route": {"simple": 1.0, "complex": None}}},
            "cost": [{"per": "month", "max_usd": 9}],
            "precision": [{"dimension": "faithfulness", "min": 0.5}],
        },
    )
    notices = "\n".join(read(root).notices)
    assert "names levers but extends no variant" in notices
    assert "cost per month needs traffic.sessions_per_day" in notices
    assert "traffic.mix.route gives no share to complex" in notices
    assert "the objective of 'faithfulness' is inconclusive" in notices


def test_a_mix_that_no_weights_of_the_cases_have_is_a_fault(tmp_path: Path) -> None:
    """All policy cases are complex and all others simple, so that a kind cannot have another share than its route."""
    shares: JsonValue = {"route": {"simple": 0.75, "complex": 0.25}, "kind": {"policy": 0.01, "status": 0.99}}
    together = jsonl([row for place, row in enumerate(cases(), start=1) if place in {3, 4, 8, 9}])
    root = write_workspace(tmp_path, slo={"traffic": {"mix": shares}}, cases=together)
    with pytest.raises(InputFaults, match="no weights of these cases have all of these shares at once"):
        read(root)


def test_a_default_arm_answers_every_other_case(tmp_path: Path) -> None:
    router: JsonValue = {"arms": {"simple": "small", "complex": None}, "default": "big"}
    routed = evaluation(tmp_path, variants={"routed": {"router": router}}).inputs.variant("routed")
    assert isinstance(routed, RoutedVariant)
    assert [routed.arm(tag) for tag in ("simple", "complex", None)] == ["small", "big", "big"]


def test_samples_and_columns(tmp_path: Path) -> None:
    dataset: JsonValue = {
        "path": "datasets/tiny/cases.jsonl",
        "sample": {"cases": 5, "by": ["kind", "route"], "seed": 3},
    }
    sample = evaluation(tmp_path, dataset=dataset).sample
    assert sample is not None
    assert (sample.cases, sample.by, sample.seed) == (5, ("kind", "route"), 3)


def test_another_evaluation_of_the_same_folder(tmp_path: Path) -> None:
    root = write_workspace(tmp_path, **{"full.yaml": ""})
    (root / "full.yaml").write_text((root / "evaluation.yaml").read_text().replace("name: tiny", "reports: out/"))
    source = FileWorkspace(root, "full.yaml", env={}).read()
    assert (source.inputs.name, source.reports, source.config) == ("full", "out", "full.yaml")
    assert reports_of(root, "full.yaml") == "out"
    with pytest.raises(InputFaults, match=r"--config.*no file 'none.yaml'"):
        FileWorkspace(root, "none.yaml", env={}).read()


def test_where_the_reports_are_is_said_with_every_other_fault(tmp_path: Path) -> None:
    root = written(tmp_path, {"evaluation": ("name: tiny\n", "reports: ../out\nbaselin: x\n"), "slo": "owner: 1"})
    with pytest.raises(InputFaults) as caught:
        reports_of(root, "evaluation.yaml")
    assert {f.field for f in caught.value.faults} >= {"reports", "baselin", "owner"}


def test_prices_of_the_workspace_replace_the_tables(tmp_path: Path) -> None:
    own: JsonValue = {"models": {"openai/gpt-4o-mini": {"input_cost_per_token": 1e-6, "output_cost_per_token": 0}}}
    root = write_workspace(tmp_path, evaluation={"variants": {"cheap": {"model": "openai/gpt-4o-mini"}}}, prices=own)
    row = read(root).inputs.prices.rows["openai/gpt-4o-mini"]
    assert (row.source, row.input_cost_per_token, row.output_cost_per_token) == ("prices.yaml", Decimal("0.000001"), 0)
    assert row.input_cost_per_token_batches is None
    assert row.max_output_tokens == 16384
