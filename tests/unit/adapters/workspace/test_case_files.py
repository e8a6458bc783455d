# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# (the stubs of pyarrow and jsonschema leave most types unknown)

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triaxis.adapters.workspace.case_values import ALIASES
from triaxis.adapters.workspace.findings import Findings
from triaxis.adapters.workspace.read_cases import read_cases
from triaxis.adapters.workspace.schemas import schema
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message, dataset_sha256

PUBLIC = Path(os.environ.get("TRIAXIS_PUBLIC_DATA", Path(__file__).parents[5] / "shared/data"))


def cases_in(path: Path, text: str | bytes, columns: Mapping[str, str] | None = None) -> tuple[Case, ...]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    findings = Findings()
    found = read_cases(path, path.name, columns or {}, findings)
    assert found is not None, "\n".join(map(str, findings.faults))
    return found


def one(tmp_path: Path, row: JsonValue) -> Case:
    return cases_in(tmp_path / "c.jsonl", json.dumps(row))[0]


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_aliases_read_as_what_they_stand_for(tmp_path: Path, alias: str) -> None:
    value: JsonValue = {"kind": "a"} if ALIASES[alias] == "slice" else "text"
    row: dict[str, JsonValue] = {"id": "a", "input": "q", ALIASES[alias]: None, alias: value}
    case = one(tmp_path, row)
    assert case.to_json()[ALIASES[alias]] == value


def test_one_template_variable_is_the_input(tmp_path: Path) -> None:
    assert one(tmp_path, {"id": "a", "vars": {"question": "why?"}}).input == "why?"


def test_a_whole_case(tmp_path: Path) -> None:
    row: JsonValue = {
        "id": "ä",
        "input": [{"role": "system", "content": "s"}, {"role": "user", "content": ""}],
        "expected": {"a": [1, None]},
        "context": ["one", "two"],
        "slice": {"vip": True, "tier": 3, "share": 0.5, "kind": "x", "none": None},
        "session": "s",
        "route": "simple",
        "steps": [{"name": "n", "success": False, "latency_ms": 1.5, "cost_usd": None}],
        "value": 2,
    }
    case = one(tmp_path, row)
    assert case.input == (Message(role="system", content="s"), Message(role="user", content=""))
    assert case.to_json() == {
        **row,
        "slice": {"vip": True, "tier": 3, "share": 0.5, "kind": "x"},
        "steps": [{"name": "n", "success": False, "latency_ms": 1.5}],
    }
    assert case.matches({"vip": ("true",), "tier": ("3", "4")})


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_any_system_and_a_byte_order_mark(tmp_path: Path, end: str) -> None:
    text = "\ufeff" + end.join(['{"id": "a", "input": "x\u2028y\u0085z"}', "", '{"id": "b", "input": "q"}', ""])
    found = cases_in(tmp_path / "c.jsonl", text)
    assert [(c.id, c.input) for c in found] == [("a", "x\u2028y\u0085z"), ("b", "q")]


def test_formats_and_orders_hash_alike(tmp_path: Path) -> None:
    """The hash is of what the cases mean: order, columns, aliases and format do not change it."""
    rows = [
        '{"id": "a", "input": "q, \\"1\\"\\n2", "expected": "x", "slice": {"vip": true, "n": 3, "kind": "no"}}',
        '{"id": "b", "input": "q", "context": ["c", "d"], "value": 1.5, "slice": {"kind": "007"}}',
    ]
    lines = cases_in(tmp_path / "a.jsonl", "\n".join(rows))
    turned = cases_in(tmp_path / "b.jsonl", "\n".join(reversed(rows)))
    header = "slice.kind,value,context,target,id,question,slice.vip,slice.n\r\n"
    cells = header + 'no,,,x,a,"q, ""1""\n2",true,3\r\n007,1.5,"[""c"", ""d""]",,b,q,,\r\n'
    table = cases_in(tmp_path / "c.csv", cells)
    columns: dict[str, list[object]] = {
        "id": ["a", "b"],
        "input": ['q, "1"\n2', "q"],
        "expected": ["x", ""],
        "context": [None, ["c", "d"]],
        "value": [float("nan"), 1.5],
        "slice": [{"vip": True, "n": 3, "kind": "no"}, {"vip": None, "n": None, "kind": "007"}],
    }
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    parquet = cases_in(tmp_path / "d.parquet", (tmp_path / "d.parquet").read_bytes())
    assert len({dataset_sha256(found) for found in (lines, turned, table, parquet)}) == 1
    changed = cases_in(tmp_path / "e.jsonl", "\n".join(rows).replace('"x"', '"x "'))
    assert dataset_sha256(changed) != dataset_sha256(lines)


@pytest.mark.parametrize(
    ("cell", "context"),
    [("123", "123"), ("plain", "plain"), ('["a"]', ("a",)), ('"a"', "a"), ("{", "{"), ("null", "null"), ("[1", "[1")],
)
def test_context_cells_are_json_where_they_can_be(tmp_path: Path, cell: str, context: str | tuple[str, ...]) -> None:
    quoted = cell.replace('"', '""')
    (case,) = cases_in(tmp_path / "c.csv", f'id,input,context\na,q,"{quoted}"\n')
    assert case.context == context


def test_input_and_expected_cells_are_text(tmp_path: Path) -> None:
    (case,) = cases_in(tmp_path / "c.csv", 'id,input,expected\n1,"[1]",["a"]\n'.replace('["a"]', '"[""a""]"'))
    assert (case.id, case.input, case.expected) == ("1", "[1]", '["a"]')


def test_slices_and_steps_in_cells(tmp_path: Path) -> None:
    text = 'id,input,slice,slice.kind,steps\na,q,"{""vip"": true}",007,"[{""name"": ""n""}]"\nb,q,,"""3""",\n'
    first, second = cases_in(tmp_path / "c.csv", text)
    assert (first.slice, first.steps[0].name) == ({"vip": True, "kind": "007"}, "n")
    assert second.slice == {"kind": "3"}


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_columns_are_named_by_the_evaluation(tmp_path: Path, name: str) -> None:
    columns = {"id": "key", "input": "question text", "slice.kind": "category"}
    csv = "key,question text,category\na,q,x\n"
    jsonl = '{"key": "a", "question text": "q", "category": "x"}'
    (case,) = cases_in(tmp_path / name, csv if name.endswith("csv") else jsonl, columns)
    assert (case.id, case.input, case.slice) == ("a", "q", {"kind": "x"})


@pytest.mark.parametrize(
    ("name", "text", "columns", "problem"),
    [
        ("c.csv", "id,q\na,b\n", {"input": "qq"}, "there is no column 'qq', which `columns` names"),
        ("c.jsonl", '{"id": "a", "input": "q"}', {"expected": "truth"}, "no line has the key 'truth'"),
        ("c.jsonl", '{"id": "a", "q": "q", "input": "r"}', {"input": "q"}, "'q' and 'input' both give the input"),
        ("c.csv", "id,q,input\na,b,c\n", {"input": "q"}, "'q' and 'input' both give the input"),
    ],
)
def test_columns_that_do_not_fit(
    tmp_path: Path, name: str, text: str, columns: Mapping[str, str], problem: str
) -> None:
    (tmp_path / name).write_text(text)
    findings = Findings()
    read_cases(tmp_path / name, name, columns, findings)
    assert problem in [fault.problem for fault in findings.faults]


def test_parquet_values_that_json_has_no_form_for(tmp_path: Path) -> None:
    columns = {
        "id": ["a"],
        "input": ["q"],
        "expected": [{"when": pa.scalar(0, pa.timestamp("s")).as_py(), "n": float("inf")}],
        "slice.big": [2**60],
    }
    pq.write_table(pa.table(columns), tmp_path / "c.parquet")
    (case,) = cases_in(tmp_path / "c.parquet", (tmp_path / "c.parquet").read_bytes())
    assert case.expected == {"when": "1970-01-01 00:00:00"}
    assert case.slice == {"big": str(2**60)}
    assert dataset_sha256([case])


def test_parquet_ids_that_are_numbers_are_faults(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "input": ["a", "b"]}), tmp_path / "c.parquet")
    findings = Findings()
    assert read_cases(tmp_path / "c.parquet", "c.parquet", {}, findings) is None
    assert [fault.problem for fault in findings.faults] == [
        "should be text, not the number 1",
        "should be text, not the number 2",
    ]


def test_the_schema_agrees_with_the_reader(tmp_path: Path) -> None:
    """What an editor says of a case and what the reader says of it do not drift apart."""
    validator = jsonschema.Draft202012Validator(dict(schema("case")))
    rows: list[JsonValue] = [
        {"id": "a", "input": "q"},
        {"id": "a", "question": "q", "target": ["a"]},
        {"id": "a", "input": "q", "prompt": "r"},
        {"id": 1, "input": "q"},
        {"id": "", "input": "q"},
        {"id": "a"},
        {"id": "a", "input": 5},
        {"id": "a", "input": []},
        {"id": "a", "input": [{"role": "user", "content": "x"}]},
        {"id": "a", "input": [{"role": "usr", "content": "x"}]},
        {"id": "a", "input": "q", "expected": 4},
        {"id": "a", "input": "q", "slice": {"a": [1]}},
        {"id": "a", "input": "q", "slice": {"a": None, "b": 1}},
        {"id": "a", "input": "q", "steps": [{"name": "n", "latency_ms": -1}]},
        {"id": "a", "input": "q", "other": 1},
        {"id": "a", "input": "q", "value": "1"},
    ]
    for row in rows:
        findings = Findings()
        (tmp_path / "c.jsonl").write_text(json.dumps(row))
        read = read_cases(tmp_path / "c.jsonl", "c.jsonl", {}, findings)
        assert validator.is_valid(row) == (read is not None), (row, findings.faults)


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public data is not here")
def test_quoted_newlines_of_a_real_dataset(tmp_path: Path) -> None:
    """banking77's training file has 10,017 lines for 10,003 questions."""
    questions = pq.read_table(PUBLIC / "banking77/train.parquet").to_pylist()
    texts = [next(v for k, v in row.items() if k == "text") for row in questions]
    quoted = "".join(f'{i},"{text.replace(chr(34), chr(34) * 2)}"\n' for i, text in enumerate(texts))
    found = cases_in(tmp_path / "c.csv", "id,input\n" + quoted)
    assert len(found) == 10_003
    assert {case.input for case in found} == set(texts)
    assert sum(str(case.input).count("\n") for case in found) == 10_017 - 10_003 - 1
