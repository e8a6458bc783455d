"""Malformed imports: each is told of by file, line, case, field and advice, before anything is spent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from build_imports import an_openai_line, lines
from build_workspace import cases, jsonl
from malformed import Bad, faults_of, matching, read, written

from triaxis.domain.variant import ImportedVariant, RoutedVariant

IDS = [f"case-{number:02d}" for number in range(1, 13)]
ROWS: list[dict[str, Any]] = [{"id": case, "response": "word", "latency_ms": 5.0, "cost_usd": 0.001} for case in IDS]
RESPONSES = "datasets/tiny/past.jsonl"
PAST = "  past:\n    transport: import\n    responses: datasets/tiny/past.jsonl\n"
VARIANTS = ("variants:\n", f"variants:\n{PAST}")


def second(**changes: Any) -> str:
    """The outputs with the second row changed; null removes a key."""
    row = {key: value for key, value in {**ROWS[1], **changes}.items() if value is not None}
    return lines([ROWS[0], row, *ROWS[2:]])


def row(name: str, text: str, *, line: int | None = 2, case: str = "case-02", field: str = "", says: str = "") -> Bad:
    edits = {RESPONSES: text, "evaluation": VARIANTS}
    return Bad(name=name, edits=edits, file=RESPONSES, line=line, case=case, field=field, says=says)


def said(name: str, variant: str, *, field: str = "", says: str = "", line: int | None = None) -> Bad:
    """An evaluation whose imported variant says this."""
    edits = {RESPONSES: lines(ROWS), "evaluation": ("variants:\n", f"variants:\n{variant}")}
    return Bad(name=name, edits=edits, file="evaluation", line=line, field=field, says=says)


VALUES: list[Bad] = [
    row("id missing", second(id=None), case="", field="id", says="required"),
    row("id a number", second(id=2), case="", field="id", says='"2"'),
    row("id empty", second(id=""), case="", field="id", says="is empty"),
    row("unknown key", second(respnse="x"), case="", field="respnse", says="Did you mean 'response'?"),
    row("response a number", second(response=4), field="response", says="the number 4"),
    row("response a list", second(response=["a"]), field="response", says="a list"),
    row("error an object", second(error={"code": 4}), field="error", says="a mapping"),
    row("error empty", second(error=" "), field="error", says="is empty"),
    row("model a number", second(model=4), field="model", says="quotes"),
    row("finish_reason true", second(finish_reason=True), field="finish_reason", says="true"),
    row("latency negative", second(latency_ms=-0.1), field="latency_ms", says="0 or more"),
    row("latency a text", second(latency_ms="5 ms"), field="latency_ms", says="without a unit"),
    row("latency true", second(latency_ms=True), field="latency_ms", says="true"),
    row("first token after the last", second(ttft_ms=9), field="ttft_ms", says="9 ms, and the last after 5"),
    row("steps no list", second(steps="find"), field="steps", says="should be a list"),
    row("a step without a name", second(steps=[{"success": True}]), field="steps.0.name", says="required"),
    row("cost negative", second(cost_usd=-1), field="cost_usd", says="-1"),
    row("tokens in parts", second(prompt_tokens=1.5), field="prompt_tokens", says="whole"),
    row("tokens negative", second(completion_tokens=-1), field="completion_tokens", says="-1"),
    row(
        "more cached than there are", second(prompt_tokens=3, cached_tokens=4), field="cached_tokens", says="prompt's 3"
    ),
    row("NaN", second().replace("0.001}", "NaN}", 1), line=1, case="", says="NaN"),
    row("no JSON", second().replace('{"id": "case-02"', "{", 1), case="", says="not valid JSON"),
    row("an id twice", second(id="case-01"), case="case-01", field="id", says="in line 1 already"),
    row("an id of no case", second(id="case-2"), case="case-2", field="id", says="Did you mean 'case-12'?"),
    row("a case without a row", lines(ROWS[1:]), line=0, case="", says="1 of 12 cases have no row for past: 'case-01'"),
    row("empty", "", line=0, case="", says="holds no response"),
    row(
        "a batch line without outcome",
        lines([*map(an_openai_line, IDS[1:]), {"custom_id": IDS[0], "response": None, "error": None}]),
        line=12,
        case="",
        says="has no outcome",
    ),
    row(
        "embeddings",
        lines([an_openai_line(IDS[0]), {"custom_id": IDS[1], "response": {"status_code": 200, "body": {"data": []}}}]),
        case="",
        says="chat completions",
    ),
]

FIELDS: list[Bad] = [
    said("no responses", "  past: {transport: import}\n", field="variants.past.responses", says="required"),
    said("file missing", PAST.replace("past.jsonl", "pst.jsonl"), field="past.responses", says="past.jsonl", line=16),
    said("path upwards", PAST.replace("datasets/tiny", ".."), field="past.responses", says="leaves", line=16),
    said("path a number", PAST.replace("datasets/tiny/past.jsonl", "7"), field="past.responses", says="mapping"),
    said("path from the environment", PAST.replace("past", "${HOME}"), says="hashed"),
    said("no path", PAST.replace(RESPONSES, "{where: {model: x}}"), field="past.responses.path", says="required"),
    said(
        "unknown key",
        PAST.replace(RESPONSES, f"{{path: {RESPONSES}, wher: {{}}}}"),
        field="past.responses.wher",
        says="'where'",
    ),
    said(
        "a column for no key",
        PAST.replace(RESPONSES, f"{{path: {RESPONSES}, columns: {{respons: cost_usd}}}}"),
        field="past.responses.columns.respons",
        says="'response'",
    ),
    said(
        "a column twice",
        PAST.replace(RESPONSES, f"{{path: {RESPONSES}, columns: {{model: id, error: id}}}}"),
        field="past.responses.columns",
        says="used twice",
    ),
    said(
        "a column that is not there",
        PAST.replace(RESPONSES, f"{{path: {RESPONSES}, columns: {{response: answer}}}}"),
        field="past.responses.columns.response",
        says="no row",
    ),
    said(
        "a value that is not there",
        PAST.replace(RESPONSES, f"{{path: {RESPONSES}, where: {{response: wrd}}}}"),
        field="past.responses.where.response",
        says="Did you mean 'word'?",
    ),
    said(
        "where without a value",
        PAST.replace(RESPONSES, f"{{path: {RESPONSES}, where: {{model: []}}}}"),
        field="past.responses.where.model",
        says="value",
    ),
    *(
        said(
            f"{key} beside an import",
            f"{PAST}    {key}: {value}\n",
            field=f"variants.past.{key}",
            says="nothing is asked",
        )
        for key, value in (
            ("prompt", "prompts/answer.md"),
            ("params", "{temperature: 0}"),
            ("probe", "{rate_per_s: 2}"),
            ("api_base", "http://127.0.0.1:9/v1"),
            ("endpoint", "bench"),
        )
    ),
    said(
        "what comes by extends",
        "  past: {extends: big, transport: import, responses: datasets/tiny/past.jsonl}\n",
        field="variants.past.prompt",
        says="write `prompt: null` where it comes by `extends`",
    ),
    said("responses of a live variant", PAST.replace("import", "live") + "    model: openai/big\n", says="goes with"),
    said(
        "a view that is imported",
        "  past:\n    transport: import\n    router: {by: field, field: route, arms: {simple: small, complex: big}}\n",
        field="variants.past.transport",
        says="does not go with `router`",
    ),
    said(
        "responses of a view",
        f"{PAST}    router: {{by: field, field: route, arms: {{simple: small, complex: big}}}}\n",
        field="variants.past.responses",
        says="does not go with `router`",
    ),
    said("samples zero", f"{PAST}    samples: 0\n", field="variants.past.samples"),
]


@pytest.mark.parametrize("bad", [*VALUES, *FIELDS], ids=lambda bad: bad.name)
def test_malformed_imports_are_told_of(tmp_path: Path, bad: Bad) -> None:
    faults = faults_of(written(tmp_path, bad.edits), {"HOME": "past"})
    assert matching(faults, bad), "\n".join(map(str, faults)) or "no fault"


@pytest.mark.parametrize("verb", ["check", "plan", "run"])
def test_the_command_line_says_so_and_ends_with_two(tmp_path: Path, verb: str) -> None:
    command = [str(Path(sys.executable).with_name("triaxis")), verb]
    root = written(tmp_path, VALUES[0].edits)
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert f"{RESPONSES}:2 id: is required and missing. Give the id of the case" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_every_fault_of_every_row_is_told_at_once(tmp_path: Path) -> None:
    text = second(latency_ms=-1, cost_usd="x", model=3)
    faults = faults_of(written(tmp_path, {RESPONSES: text, "evaluation": VARIANTS, "cases": jsonl(cases(13))}))
    fields = [fault.field for fault in faults if fault.file == RESPONSES]
    assert fields == ["", "cost_usd", "latency_ms", "model"]
    assert any("'case-13'" in fault.problem for fault in faults)


def test_faults_are_not_repeated_by_those_who_extend(tmp_path: Path) -> None:
    """A missing file that two variants take over, and a key that does not go with an import."""
    heirs = "  late: {extends: past}\n  later: {extends: late}\n"
    bad = PAST.replace("past.jsonl", "lost.jsonl") + "    endpoint: x\n" + heirs
    faults = faults_of(written(tmp_path, {"evaluation": ("variants:\n", f"variants:\n{bad}")}))
    assert [fault.field for fault in faults] == ["variants.past.responses.path", "variants.past.endpoint"]


def test_an_import_may_be_the_baseline_and_an_arm(tmp_path: Path) -> None:
    edits = {
        RESPONSES: lines(ROWS),
        "evaluation": [VARIANTS, ("baseline: big", "baseline: past"), ("simple: small", "simple: past")],
    }
    source = read(written(tmp_path, edits))
    assert source.inputs.baseline == "past"
    past, routed = source.inputs.variant("past"), source.inputs.variant("routed")
    assert past == ImportedVariant(name="past")
    assert isinstance(routed, RoutedVariant)
    assert routed.arm("simple") == "past"
    assert RESPONSES in source.files
    assert {response.case_id for response in source.responses} == set(IDS)


def test_an_import_may_extend_a_model_without_what_is_asked(tmp_path: Path) -> None:
    """It keeps the model, whose price its tokens have."""
    nulls = "prompt: null, params: null, api_base: null, endpoint: null"
    past = f"  past: {{extends: big, {nulls}, transport: import, responses: {RESPONSES}}}\n"
    source = read(written(tmp_path, {RESPONSES: lines(ROWS), "evaluation": ("variants:\n", f"variants:\n{past}")}))
    assert source.inputs.variant("past") == ImportedVariant(name="past", model="openai/big", extends="big")


def test_extending_an_import_merges_where_and_a_path_replaces_all(tmp_path: Path) -> None:
    rows = [{**row, "model": model} for row in ROWS for model in "xy"]
    first = "  x: {transport: import, responses: {path: datasets/tiny/past.jsonl, where: {model: x}}}\n"
    heirs = "  y: {extends: x, responses: {where: {model: y}}}\n  z: {extends: x, responses: datasets/tiny/all.jsonl}\n"
    edits = {
        RESPONSES: lines(rows),
        "datasets/tiny/all.jsonl": lines(ROWS),
        "evaluation": ("variants:\n", f"variants:\n{first}{heirs}"),
    }
    responses = list(read(written(tmp_path, edits)).responses)
    assert {(r.variant, r.model) for r in responses} == {("x", "x"), ("y", "y"), ("z", None)}
    assert len(responses) == 3 * 12


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        ("", "evaluation.yaml: past: 12 answers carry tokens and no cost_usd, and no `model` names a price for them"),
        ("    model: openai/odd\n", "and openai/odd has no price in prices.yaml: its cost is absent."),
        ("    model: openai/big\n    serving: {mode: batch}\n", "and openai/big has no batch price in prices.yaml"),
        ("    model: local/smollm2-135m\n", "and local/smollm2-135m has no price by the token alone in prices.yaml"),
        ("    model: openai/big\n", ""),
    ],
)
def test_a_price_that_is_needed_and_lacking_is_a_notice(tmp_path: Path, variant: str, says: str) -> None:
    rows = [{"id": case, "response": "word", "prompt_tokens": 5, "completion_tokens": 1} for case in IDS]
    local = ("models:\n", "models:\n  local/smollm2-135m: {usd_per_core_hour: 0.04}\n")
    edits = {RESPONSES: lines(rows), "evaluation": ("variants:\n", f"variants:\n{PAST}{variant}"), "prices": local}
    source = read(written(tmp_path, edits))
    told = [notice for notice in source.notices if "carry tokens" in notice]
    assert len(told) == bool(says)
    assert all(says in notice for notice in told)


def test_a_price_that_is_not_needed_is_not_looked_for(tmp_path: Path) -> None:
    """Every row says what it cost, so that the model's price is no part of the inputs."""
    edits = {RESPONSES: lines(ROWS), "evaluation": ("variants:\n", f"variants:\n{PAST}    model: openai/gpt-4o\n")}
    source = read(written(tmp_path, edits))
    assert "openai/gpt-4o" not in source.inputs.prices.rows
    assert not [notice for notice in source.notices if "past" in notice]


def test_a_batch_input_file_reads_as_cases(tmp_path: Path) -> None:
    """What a request says of its model and parameters is the variants' to say."""
    path = "datasets/tiny/batch.jsonl"
    requests = [
        {
            "custom_id": case,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-x", "messages": [{"role": "user", "content": f"Word {case}?"}], "max_tokens": 5},
        }
        for case in IDS
    ]
    edits = {
        path: lines(requests),
        "evaluation": [("datasets/tiny/cases.jsonl", path), ("human: datasets/tiny/human.jsonl\n", "")],
        "rubric": "schema_version: 1\ndimensions:\n  finished: {evaluator: finished}\n",
        "slo": "owner: a\nreview_by: 2099-12-31\ncost: [{per: request, max_usd: 1}]\n",
        "prompt": "{{ input }}\n",
    }
    root = written(tmp_path, edits)
    evaluation = (root / "evaluation.yaml").read_text()
    (root / "evaluation.yaml").write_text(evaluation[: evaluation.index("  routed:")])
    source = read(root)
    assert [case.id for case in source.inputs.cases] == IDS
    assert source.inputs.cases[0].to_json()["input"] == [{"role": "user", "content": "Word case-01?"}]
    note = f"{path}: its requests are cases; what they say of max_tokens, model is the variants' to say, and left out."
    assert note in source.notices


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"body": "x"}, "body", "should be a mapping"),
        ({"body": {"input": "x"}}, "body.messages", "required"),
        ({"body": {"messages": [{"role": "usr", "content": "x"}]}}, "input.0.role", "'user'"),
        ({"custom_id": 7}, "id", '"7"'),
        ({"custom_id": ""}, "id", "empty"),
        ({"metod": "POST"}, "metod", "'method'"),
    ],
)
def test_malformed_batch_inputs_are_told_of(tmp_path: Path, change: dict[str, Any], field: str, says: str) -> None:
    request = {"custom_id": "case-01", "body": {"messages": [{"role": "user", "content": "x"}]}, **change}
    faults = faults_of(written(tmp_path, {"cases": json.dumps(request) + "\n"}))
    bad = Bad(name="", edits={}, file="cases", line=1, field=field, says=says)
    assert matching(faults, bad), "\n".join(map(str, faults))
