# pyright: reportUnknownMemberType=false
# (the stubs of pyarrow and jsonschema leave most types unknown)
"""Outputs that exist already, read from files of every kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from build_imports import a_bare_response, an_openai_line, lines

from triaxis.adapters.workspace.findings import Findings, Place
from triaxis.adapters.workspace.imports import Selection
from triaxis.adapters.workspace.read_responses import ResponseFile, Responses, read_responses
from triaxis.adapters.workspace.response_tally import Tally
from triaxis.adapters.workspace.schemas import schema
from triaxis.adapters.workspace.tree import Node
from triaxis.domain.responses import ImportedResponse
from triaxis.errors import Fault, InputFaults

CASES = ("a", "b")


def a_selection(variant: str = "past", **changes: Any) -> Selection:
    return replace(Selection(variant=variant, path="r", columns={}, where={}, samples=1), **changes)


def stated(selections: Sequence[Selection]) -> Node:
    """An evaluation that says of each variant what its selection says, one thing a line."""
    line = 0

    def node(value: Mapping[str, Any] | str) -> Node:
        nonlocal line
        line += 1
        return Node(value if isinstance(value, str) else {k: node(v) for k, v in value.items()}, line)

    said = {s.variant: {"responses": {"columns": s.columns, "where": dict.fromkeys(s.where, "")}} for s in selections}
    return node({"variants": said})


def reading(
    path: Path, *selections: Selection, cases: Sequence[str] | None = CASES
) -> tuple[Responses, Mapping[str, Tally], Findings]:
    findings = Findings()
    chosen = selections or (a_selection(),)
    file = ResponseFile(path=path, name=path.name, selections=chosen)
    place = Place("evaluation.yaml", stated(chosen), findings)
    responses, tallies = read_responses([file], cases, place)
    return responses, tallies, findings


def outputs(path: Path, *selections: Selection, cases: Sequence[str] = CASES) -> list[ImportedResponse]:
    """What is imported of a sound file, by variant, case and repeat."""
    responses, _, findings = reading(path, *selections, cases=cases)
    assert not findings.faults, "\n".join(map(str, findings.faults))
    return sorted(responses, key=lambda r: (r.variant, r.case_id, r.sample))


def faults(path: Path, *selections: Selection, cases: Sequence[str] | None = CASES) -> list[Fault]:
    return sorted(reading(path, *selections, cases=cases)[2].faults)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


WHOLE = {
    "id": "a",
    "response": 'ja, "so"\nund so',
    "ttft_ms": 12.5,
    "latency_ms": 100,
    "prompt_tokens": 10,
    "cached_tokens": 4,
    "completion_tokens": 2,
    "cost_usd": 0.001,
    "error": None,
    "finish_reason": "stop",
    "model": "m",
}
EXPECTED = [
    ImportedResponse(
        variant="past",
        case_id="a",
        response='ja, "so"\nund so',
        finish_reason="stop",
        model="m",
        ttft_ms=12.5,
        latency_ms=100.0,
        prompt_tokens=10,
        cached_tokens=4,
        completion_tokens=2,
        cost_usd=0.001,
    ),
    a_bare_response("b", error="timeout"),
]


def test_files_of_every_kind_say_the_same(tmp_path: Path) -> None:
    jsonl = written(tmp_path / "r.jsonl", lines([WHOLE, {"id": "b", "error": "timeout"}]))
    numbers = "ttft_ms,latency_ms,prompt_tokens,cached_tokens,completion_tokens,cost_usd"
    header = f"model,id,response,{numbers},error,finish_reason"
    cells = 'm,a,"ja, ""so""\nund so",12.5, 100 ,10,4,2.0,1e-3,,stop\n,b,,,,,,,,timeout,\n'
    csv = written(tmp_path / "r.csv", f"{header}\n{cells}")
    columns: dict[str, list[object]] = {
        key: [value, None] for key, value in WHOLE.items() if key not in ("id", "error")
    }
    columns |= {"id": ["a", "b"], "error": [None, "timeout"], "cost_usd": [Decimal("0.001"), None]}
    columns["completion_tokens"] = [2.0, float("nan")]
    pq.write_table(pa.table(columns), tmp_path / "r.parquet")
    assert outputs(jsonl) == outputs(csv) == outputs(tmp_path / "r.parquet") == EXPECTED


STEPS = [{"name": "find", "latency_ms": 30, "cost_usd": 0.25}, {"name": "say", "latency_ms": 40, "cost_usd": 0.5}]


def test_what_a_row_does_not_say_is_summed_over_its_steps(tmp_path: Path) -> None:
    """In JSONL, and as JSON in a cell of CSV; what the row says as a whole stands, and half a sum is none."""
    half = [*STEPS, {"name": "log"}]
    rows = [{"id": "a", "response": "x", "steps": STEPS}, {"id": "b", "response": "x", "latency_ms": 9, "steps": half}]
    jsonl = written(tmp_path / "r.jsonl", lines(rows))
    cells = [json.dumps(steps).replace('"', '""') for steps in (STEPS, half)]
    csv = written(tmp_path / "r.csv", f'id,response,latency_ms,steps\na,x,,"{cells[0]}"\nb,x,9,"{cells[1]}"\n')
    assert outputs(jsonl) == outputs(csv)
    first, second = outputs(jsonl)
    assert (first.latency_ms, first.cost_usd, [step.name for step in first.steps]) == (70, 0.75, ["find", "say"])
    assert (second.latency_ms, second.cost_usd, len(second.steps)) == (9, None, 3)
    assert first.key != replace(first, steps=()).key


def test_an_empty_text_is_an_answer_and_an_empty_cell_is_none(tmp_path: Path) -> None:
    jsonl = written(tmp_path / "r.jsonl", lines([{"id": "a", "response": ""}, {"id": "b"}]))
    assert [r.response for r in outputs(jsonl)] == ["", None]
    csv = written(tmp_path / "r.csv", "id,response\na,\nb,x\n")
    assert [r.response for r in outputs(csv)] == [None, "x"]


def test_several_variants_share_a_file_by_where(tmp_path: Path) -> None:
    """Values are compared as text, and several of them are alternatives."""
    rows = [{"id": case, "model": m, "trial": t, "said": f"{m}{t}"} for case in CASES for m in "xyz" for t in (1, True)]
    file = written(tmp_path / "r.jsonl", lines(rows))
    columns = {"response": "said"}
    found = outputs(
        file,
        a_selection("x", columns=columns, where={"model": ("x",), "trial": ("1",)}),
        a_selection("rest", columns=columns, where={"model": ("y", "z"), "trial": ("true",)}, samples=2),
    )
    assert [(r.variant, r.case_id, r.model, r.response) for r in found if r.variant == "x"] == [
        ("x", "a", "x", "x1"),
        ("x", "b", "x", "x1"),
    ]
    assert sorted(r.response or "" for r in found if r.variant == "rest") == ["yTrue", "yTrue", "zTrue", "zTrue"]


def test_a_file_may_have_a_column_for_each_variant(tmp_path: Path) -> None:
    file = written(tmp_path / "r.csv", "key,big,response\na,1,2\nb,3,4\n")
    found = outputs(
        file, a_selection("big", columns={"id": "key", "response": "big"}), a_selection("small", columns={"id": "key"})
    )
    assert [(r.variant, r.response) for r in found] == [("big", "1"), ("big", "3"), ("small", "2"), ("small", "4")]


def test_repeats_are_numbered_by_content_whatever_their_order(tmp_path: Path) -> None:
    rows = [{"id": "a", "response": text} for text in ("x", "y", "x")] + [{"id": "b", "response": "z"}]
    three = a_selection(samples=3)
    first = outputs(written(tmp_path / "r.jsonl", lines(rows)), three)
    turned = outputs(written(tmp_path / "s.jsonl", lines(rows[::-1])), three)
    assert first == turned
    assert [(r.case_id, r.sample) for r in first] == [("a", 0), ("a", 1), ("a", 2), ("b", 0)]
    assert sorted(r.response or "" for r in first[:3]) == ["x", "x", "y"]


def test_outputs_are_read_anew_each_time(tmp_path: Path) -> None:
    responses, _, _ = reading(written(tmp_path / "r.jsonl", lines([{"id": "a"}, {"id": "b"}])))
    assert list(responses) == list(responses)
    (tmp_path / "r.jsonl").write_text('{"id": "a", "latency_ms": -1}\n')
    with pytest.raises(InputFaults, match=r"r\.jsonl:1 case 'a' latency_ms"):
        list(responses)


def test_openais_results_keep_their_bodies(tmp_path: Path) -> None:
    refused = {"id": "x", "custom_id": "b", "response": {"status_code": 400, "body": {"error": {"code": "bad"}}}}
    first, second = outputs(written(tmp_path / "r.jsonl", lines([an_openai_line("a", "ja"), refused])))
    assert json.loads(first.body or "") == an_openai_line("a", "ja")["response"]["body"]
    assert (first.response, first.error, first.model) == (None, None, None)
    assert (second.error, second.body) == ("bad", '{"error":{"code":"bad"}}')


def test_results_of_others_become_chat_completions(tmp_path: Path) -> None:
    message = {"content": [{"type": "text", "text": "ja"}], "usage": {"input_tokens": 1, "output_tokens": 2}}
    anthropic = lines(
        [
            {"custom_id": "a", "result": {"type": "succeeded", "message": message}},
            {"custom_id": "b", "result": {"type": "expired"}},
        ]
    )
    first, second = outputs(written(tmp_path / "a.jsonl", anthropic))
    assert json.loads(first.body or "")["choices"][0]["message"]["content"] == "ja"
    assert second.error == "expired"
    answer = {"candidates": [{"content": {"parts": [{"text": "ja"}]}, "finishReason": "STOP"}]}
    google = lines([{"key": "a", "response": answer}, {"key": "b", "error": {"status": "INVALID_ARGUMENT"}}])
    first, second = outputs(written(tmp_path / "g.jsonl", google))
    assert json.loads(first.body or "")["choices"][0]["message"]["content"] == "ja"
    assert second.error == "INVALID_ARGUMENT"


def test_results_are_chosen_by_what_their_bodies_say(tmp_path: Path) -> None:
    rows = [an_openai_line(case, model=model) for case in CASES for model in ("x", "y")]
    found = outputs(written(tmp_path / "r.jsonl", lines(rows)), a_selection(where={"model": ("y",)}))
    assert [(r.case_id, json.loads(r.body or "")["model"]) for r in found] == [("a", "y"), ("b", "y")]


def test_columns_may_be_called_as_batches_call_them(tmp_path: Path) -> None:
    file = written(tmp_path / "r.jsonl", lines([{"custom_id": case, "response": "ja"} for case in CASES]))
    assert [r.response for r in outputs(file, a_selection(columns={"id": "custom_id"}))] == ["ja", "ja"]


@pytest.mark.parametrize(
    ("name", "text", "where", "problem"),
    [
        ("r.txt", "", "r.txt", "is of no known kind: '.txt'"),
        ("r.jsonl", "", "r.jsonl", "holds no response"),
        ("r.csv", "", "r.csv:1", "is empty"),
        ("r.csv", "id,response\n", "r.csv", "holds no response"),
        ("r.csv", "response\nx\n", "r.csv:1 id", "there is no column 'id'"),
        ("r.csv", "id,id\na,a\n", "r.csv:1 id", "the column 'id' stands there twice"),
        ("r.csv", "id,\na,\n", "r.csv:1", "a column has no name"),
        ("r.csv", "id,respons\na,x\n", "r.csv:1 respons", "unknown column 'respons'"),
        ("r.csv", "id,response\na\n", "r.csv:2", "has 1 cells where the header has 2"),
        ("r.csv", 'id,response\na,"x\n', "r.csv:2", "is not valid CSV: unexpected end of data"),
        ("r.csv", "id,latency_ms\na,5 ms\n", "r.csv:2 case 'a' latency_ms", "should be a number, not the text '5 ms'"),
        ("r.csv", "key,id\n,a\n", "r.csv:1 key", "unknown column 'key'"),
        ("r.parquet", "PAR1", "r.parquet", "not a readable Parquet file"),
        ("r.jsonl", '{"id": "a", "respons": "x"}\n{"id": "b"}', "r.jsonl:1 respons", "unknown key 'respons'"),
        ("r.jsonl", '{"custom_id": "a"}\n', "r.jsonl:1", "is no line of a batch result file: the line has no outcome"),
        (
            "r.jsonl",
            '{"custom_id": "a", "response": {"status_code": 200, "body": {"data": []}}}\n',
            "r.jsonl:1",
            "is no line of a batch result file: the body is not a chat completion",
        ),
    ],
)
def test_faults_of_files_say_where(tmp_path: Path, name: str, text: str, where: str, problem: str) -> None:
    found = map(str, faults(written(tmp_path / name, text)))
    assert any(fault.startswith(f"{where}: {problem}") for fault in found), "\n".join(map(str, found))


def test_bytes_that_are_no_text_are_told_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"id,response\na,x\nb,caf\xe9\n")
    assert str(faults(path)[1]).startswith("r.csv:3: is not UTF-8")


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").mkdir()
    assert str(faults(tmp_path / "r.jsonl")[0]).startswith("r.jsonl: cannot be read")


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_an_id_twice_says_where_it_stood(tmp_path: Path, name: str) -> None:
    text = "id,response\na,x\nb,x\na,y\n" if name == "r.csv" else lines([{"id": i} for i in "aba"])
    (found,) = faults(written(tmp_path / name, text))
    line = 2 if name == "r.csv" else 1
    assert str(found).startswith(f"{name}:{line + 2} case 'a' id: the id stands in line {line} already. Remove one")
    assert not faults(tmp_path / name, a_selection(samples=2))


def test_more_repeats_than_samples_are_too_many(tmp_path: Path) -> None:
    file = written(tmp_path / "r.jsonl", lines([{"id": i} for i in "aaba"]))
    (found,) = faults(file, a_selection(samples=2))
    assert str(found).startswith("r.jsonl:4 case 'a' id: `samples` says 2, and this is one more")


def test_cases_without_a_row_are_counted_and_the_first_named(tmp_path: Path) -> None:
    file = written(tmp_path / "r.jsonl", lines([{"id": "a"}]))
    (found,) = faults(file, cases=[*"abcdef"])
    assert str(found) == (
        "r.jsonl: 5 of 6 cases have no row for past: 'b', 'c', 'd' and 2 more. "
        "Add a row for each; a call that failed is written as a row with `error`."
    )


def test_ids_of_no_case_are_faults_where_cases_lack_a_row(tmp_path: Path) -> None:
    file = written(tmp_path / "r.jsonl", lines([{"id": "case-1"}, {"id": "case-3x"}]))
    strange, lacking = faults(file, cases=["case-1", "case-3"])[::-1]
    assert str(strange) == (
        "r.jsonl:2 case 'case-3x' id: the dataset has no case 'case-3x'. Did you mean 'case-3'? It has: case-1, case-3."
    )
    assert lacking.problem == "1 of 2 cases have no row for past: 'case-3'"


def test_rows_of_other_cases_are_left_out_with_a_word(tmp_path: Path) -> None:
    file = written(tmp_path / "r.jsonl", lines([{"id": i} for i in "abxy"]))
    responses, tallies, findings = reading(file)
    assert not findings.faults
    assert findings.notices == ["r.jsonl: 2 rows are of cases that the dataset lacks, such as 'x': left out."]
    assert tallies["past"].rows == 2
    assert {r.case_id for r in responses} == {*"abxy"}  # prepare keeps those that are evaluated


def test_without_a_dataset_ids_cannot_be_judged(tmp_path: Path) -> None:
    assert not faults(written(tmp_path / "r.jsonl", lines([{"id": "x"}])), cases=None)


@pytest.mark.parametrize(
    ("columns", "where", "field", "problem"),
    [
        ({"response": "answr"}, {}, "columns.response", "no row of r.jsonl has 'answr'. Did you mean 'answer'?"),
        ({}, {"modl": ("x",)}, "where.modl", "no row of r.jsonl has 'modl'. Did you mean 'model'?"),
        ({}, {"model": ("x", "yy")}, "where.model", "no row of r.jsonl has model 'yy'. Did you mean 'y'?"),
        ({}, {"model": ("x",), "trial": ("2",)}, "where", "no row of r.jsonl has all of these values. Loosen it"),
    ],
)
def test_columns_and_values_that_are_not_there(
    tmp_path: Path, columns: dict[str, str], where: dict[str, tuple[str, ...]], field: str, problem: str
) -> None:
    rows = [{"id": c, "model": m, "trial": t, "answer": "A"} for c in CASES for m, t in (("x", 1), ("y", 2))]
    file = written(tmp_path / "r.jsonl", lines(rows))
    every = a_selection("every", columns={"response": "answer"}, where={"trial": ("1",)})
    found = [str(fault) for fault in faults(file, every, a_selection(columns=columns, where=where))]
    assert any(f" variants.past.responses.{field}: {problem}" in fault for fault in found), "\n".join(found)


def test_what_a_variant_took_over_is_told_where_it_stands(tmp_path: Path) -> None:
    """The heir says nothing of its own, and the fault is not told twice."""
    file = written(tmp_path / "r.jsonl", lines([{"id": case, "model": "x"} for case in CASES]))
    own = a_selection("own", where={"model": ("x", "z")})
    findings = Findings()
    heir = replace(own, variant="heir")
    response_file = ResponseFile(path=file, name="r.jsonl", selections=(own, heir))
    read_responses([response_file], CASES, Place("evaluation.yaml", stated([own]), findings))
    assert [fault.field for fault in findings.faults] == ["variants.own.responses.where.model"]


def test_a_tally_says_what_is_odd(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "response": "ja", "ttft_ms": 4, "latency_ms": 5, "cost_usd": 0.1},
        {"id": "b", "response": "jaja", "ttft_ms": 4, "prompt_tokens": 1, "completion_tokens": 1},
        {"id": "c"},
        {"id": "d", "error": "timeout"},
    ]
    _, tallies, _ = reading(written(tmp_path / "r.jsonl", lines(rows)), cases=[*"abcd"])
    tally = tallies["past"]
    assert (tally.rows, tally.failed, tally.timed, tally.tokens_alone, tally.longest) == (4, 1, 1, 1, 4)
    unknown = "what was said is not known, so that no dimension can score them."
    assert list(tally.notices("past")) == [
        f"past: 1 of 3 answers have neither `response` nor `error`: {unknown}",
        "past: latency.full is over the 1 of 3 answers that carry latency_ms.",
        "past: latency.ttft is over the 2 of 3 answers that carry ttft_ms.",
        "past: 1 of 3 answers carry neither cost_usd nor tokens, so that its cost is absent.",
    ]


def test_a_tally_of_a_batch_counts_rows_that_were_never_run(tmp_path: Path) -> None:
    expired = {"custom_id": "b", "response": None, "error": {"code": "batch_expired"}}
    _, tallies, _ = reading(written(tmp_path / "r.jsonl", lines([an_openai_line("a", "jaja"), expired])))
    tally = tallies["past"]
    assert (tally.rows, tally.failed, tally.tokens_alone, tally.longest, tally.unrecorded) == (2, 1, 1, 4, 0)
    assert list(tally.notices("past")) == [
        "past: the provider never got to 1 of 2 rows; they count as failed.",
    ]


def test_the_schema_agrees_with_the_reader(tmp_path: Path) -> None:
    """What an editor says of an output and what the reader says of it do not drift apart."""
    validator = jsonschema.Draft202012Validator(dict(schema("response")))
    rows: list[dict[str, Any]] = [
        {"id": "a"},
        WHOLE,
        {"id": ""},
        {"id": 1},
        {"response": "x"},
        {"id": "a", "response": ""},
        {"id": "a", "response": 1},
        {"id": "a", "error": ""},
        {"id": "a", "model": " "},
        {"id": "a", "finish_reason": None},
        {"id": "a", "latency_ms": -1},
        {"id": "a", "latency_ms": "1"},
        {"id": "a", "prompt_tokens": 1.5},
        {"id": "a", "prompt_tokens": 2.0},
        {"id": "a", "completion_tokens": True},
        {"id": "a", "cost_usd": 0},
        {"id": "a", "steps": [{"name": "x", "success": True, "latency_ms": 1, "cost_usd": 0}]},
        {"id": "a", "steps": [{"success": True}]},
        {"id": "a", "steps": [{"name": "x", "cost_usd": -1}]},
        {"id": "a", "steps": "x"},
        {"id": "a", "other": 1},
    ]
    for row in rows:
        found = faults(written(tmp_path / "r.jsonl", lines([row])), cases=["a"])
        assert validator.is_valid(row) == (not found), (row, found)
