"""Malformed cases, labels and suites: each is told of by file, line or case, field and advice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from build_workspace import cases, jsonl
from malformed import Bad, faults_of, matching, written

from triaxis.domain.canonical import JsonValue

ROWS = jsonl(cases())
SECOND = ROWS.splitlines()[1]


def second(**changes: JsonValue) -> str:
    """The cases with the second row changed; null removes a key."""
    row = {**json.loads(SECOND), **changes}
    return ROWS.replace(SECOND, json.dumps({k: v for k, v in row.items() if v is not None}))


def raw(text: str) -> str:
    """The cases with this as the second line."""
    return ROWS.replace(SECOND, text)


def row(
    name: str, text: str, *, field: str = "", says: str = "", case: str | None = "case-02", line: int | None = 2
) -> Bad:
    return Bad(name=name, edits={"cases": text}, file="cases", line=line, case=case, field=field, says=says)


def csv(name: str, text: str, *, line: int, field: str = "", says: str = "") -> Bad:
    edits = {
        "datasets/tiny/cases.csv": text,
        "evaluation": ("dataset: datasets/tiny/cases.jsonl", "dataset: datasets/tiny/cases.csv"),
        "human": "",
    }
    return Bad(name=name, edits=edits, file="datasets/tiny/cases.csv", line=line, field=field, says=says)


def label(name: str, change: tuple[str, str], *, field: str = "", says: str = "") -> Bad:
    return Bad(name=name, edits={"human": change}, file="human", line=1, field=field, says=says)


MESSAGES: list[Bad] = [
    row("no messages", second(input=[]), field="input", says="empty list"),
    row("input a number", second(input=7), field="input", says="the number 7"),
    row("input an object", second(input={"text": "hi"}), field="input", says="a mapping"),
    row(
        "message of unknown role", second(input=[{"role": "usr", "content": "hi"}]), field="input.0.role", says="'user'"
    ),
    row("message without role", second(input=[{"content": "hi"}]), field="input.0.role"),
    row("message without content", second(input=[{"role": "user"}]), field="input.0.content"),
    row("content of parts", second(input=[{"role": "user", "content": [{"type": "text"}]}]), field="input.0.content"),
    row("message with a name", second(input=[{"role": "user", "content": "hi", "name": "x"}]), field="input.0.name"),
    row("message a text", second(input=["hi"]), field="input.0", says="should be a message"),
]

VALUES: list[Bad] = [
    row("id missing", second(id=None), field="id", says="required", case=""),
    row("id a number", second(id=2), field="id", says='"2"', case=""),
    row("id empty", second(id=""), field="id", says="empty", case=""),
    row("id blank", second(id=" \t"), field="id", says="empty", case=" \t"),
    row("id a list", second(id=["a"]), field="id", says="a list", case=""),
    row("id twice", second(id="case-01"), field="id", says="line 1", case="case-01"),
    row("input missing", second(input=None), field="input", says="required"),
    row("input twice", second(question="again?"), field="input", says="both give the input"),
    row("expected twice", second(target="x"), field="expected", says="both give the expected"),
    row("unknown key", second(expectd="x"), field="expectd", says="Did you mean 'expected'?"),
    row("expected a number", second(expected=4), field="expected", says="the number 4"),
    row("expected true", second(expected=True), field="expected", says="true"),
    row("expected a list of numbers", second(expected=["a", 4]), field="expected.1", says="the number 4"),
    row("context a number", second(context=4), field="context"),
    row("context a list of numbers", second(context=["a", 4]), field="context.1"),
    row("slice a list", second(slice=["policy"]), field="slice", says="mapping of tags"),
    row("slice value a list", second(slice={"kind": ["a", "b"]}), field="slice.kind"),
    row("slice tag without a name", second(slice={"": "a"}), field="slice"),
    row("session a number", second(session=5), field="session", says="the number 5"),
    row("session empty", second(session=""), field="session", says="empty"),
    row("route a number", second(route=5), field="route"),
    row("value a text", second(value="12"), field="value", says="without quotes"),
    row("value true", second(value=True), field="value"),
    row("steps an object", second(steps={"name": "a"}), field="steps"),
    row("step a text", second(steps=["a"]), field="steps.0"),
    row("step without a name", second(steps=[{"success": True}]), field="steps.0.name"),
    row("step of unknown key", second(steps=[{"name": "a", "latency": 3}]), field="steps.0.latency", says="latency_ms"),
    row("step success a text", second(steps=[{"name": "a", "success": "yes"}]), field="steps.0.success"),
    row("step latency negative", second(steps=[{"name": "a", "latency_ms": -1}]), field="steps.0.latency_ms"),
    row("step cost a text", second(steps=[{"name": "a", "cost_usd": "1"}]), field="steps.0.cost_usd"),
]

LINES: list[Bad] = [
    row("no JSON", raw("{id: case-02}"), says="not valid JSON", case=""),
    row("cut off", raw('{"id": "case-02", "input": "wh'), says="not valid JSON", case=""),
    row("two objects", raw(SECOND + " " + SECOND), says="Extra data", case=""),
    row("a list", raw('["case-02"]'), says="not a JSON object", case=""),
    row("a text", raw('"case-02"'), says="not a JSON object", case=""),
    row("null", raw("null"), says="not a JSON object", case=""),
    row("a key twice", raw('{"id": "case-02", "id": "case-20", "input": "a"}'), says="'id' is given twice", case=""),
    row("NaN", raw('{"id": "case-02", "input": "a", "value": NaN}'), says="NaN", case=""),
    row("Infinity", raw('{"id": "case-02", "input": "a", "value": -Infinity}'), says="Infinity", case=""),
    row("a float too large", raw('{"id": "case-02", "input": "a", "value": 1e999}'), says="too large", case=""),
    row(
        "an integer past 2**53",
        raw('{"id": "case-02", "input": "a", "value": 9007199254740993}'),
        says="2**53",
        case="",
    ),
    row("an endless integer", raw('{"id": "a", "input": "a", "value": ' + "9" * 5000 + "}"), says="2**53", case=""),
    row("half a surrogate pair", raw('{"id": "case-02", "input": "\\ud800"}'), says="surrogate", case=""),
    row("nested without end", raw("[" * 100_000), case=""),
    row("nested objects", raw('{"a":' * 50_000), case=""),
]

BYTES: list[Bad] = [
    Bad(name="empty dataset", edits={"cases": b"", "human": ""}, file="cases", says="holds no case"),
    Bad(name="blank dataset", edits={"cases": b"\n\n  \n", "human": ""}, file="cases", says="holds no case"),
    Bad(
        name="dataset in Latin-1",
        edits={"cases": ROWS.encode() + b'{"id": "caf\xe9", "input": "a"}\n'},
        file="cases",
        line=13,
    ),
    Bad(name="dataset in UTF-16", edits={"cases": ROWS.encode("utf-16")}, file="cases", line=1, says="UTF-16"),
    Bad(name="binary dataset", edits={"cases": b"PAR1\x00\x00\x00"}, file="cases", line=1, says="binary"),
    Bad(name="dataset missing", edits={"cases": None}, file="evaluation", line=3, field="dataset", says="no file"),
    Bad(
        name="dataset of unknown kind",
        edits={"evaluation": ("cases.jsonl", "cases.xlsx"), "datasets/tiny/cases.xlsx": "x"},
        file="datasets/tiny/cases.xlsx",
        says="Use .jsonl",
    ),
    Bad(
        name="dataset a folder",
        edits={"evaluation": ("datasets/tiny/cases.jsonl", "datasets/tiny")},
        file="evaluation",
        line=3,
        says="is a folder",
    ),
    Bad(
        name="Parquet that is none",
        edits={"evaluation": ("cases.jsonl", "cases.parquet"), "datasets/tiny/cases.parquet": b"PAR1 and no more"},
        file="datasets/tiny/cases.parquet",
        says="not a readable Parquet",
    ),
]

GOOD_CSV = "id,input,expected,slice.kind,route\n"
CSVS: list[Bad] = [
    csv("empty CSV", "", line=1, says="is empty"),
    csv("CSV of a header", GOOD_CSV, line=0, says="holds no case"),
    csv("CSV without id", "input,expected\na,b\n", line=1, field="id", says="no column 'id'"),
    csv("CSV without input", "id,expected\na,b\n", line=1, field="input", says="no column 'input'"),
    csv("CSV of unknown column", "id,input,kind\na,b,c\n", line=1, field="kind", says="slice.kind"),
    csv("CSV with a column twice", "id,input,question\na,b,c\n", line=1, field="input", says="both give the input"),
    csv("CSV with a nameless column", "id,input,\na,b,c\n", line=1, says="no name"),
    csv(
        "CSV with a cell too many",
        GOOD_CSV + "a,b,c,policy,simple,more\n",
        line=2,
        says="6 cells where the header has 5",
    ),
    csv("CSV with a cell too few", GOOD_CSV + 'a,"b\nb",c,policy,simple\nb,c\n', line=4, says="2 cells"),
    csv("CSV with an open quote", GOOD_CSV + 'a,"b,c,policy,simple\n', line=2, says="not valid CSV"),
    csv("CSV with an empty id", GOOD_CSV + ",b,c,policy,simple\n", line=2, field="id", says="required"),
    csv("CSV with an empty input", GOOD_CSV + "a,,c,policy,simple\n", line=2, field="input", says="required"),
    csv("CSV with ids twice", GOOD_CSV + "a,b,c,policy,simple\na,b,c,policy,simple\n", line=3, field="id"),
    csv("CSV with a bad value", "id,input,value\na,b,dear\n", line=2, field="value", says="'dear'"),
]

LABELS: list[Bad] = [
    label("label without a rater", ('"rater": "ann", ', ""), field="rater", says="required"),
    label("label score a text", ('"score": 1', '"score": "1"'), field="score"),
    label("label score out of range", ('"score": 1', '"score": 5'), field="score", says="at most 1"),
    label("label of no case", ("case-01", "case-99"), field="id", says="no case 'case-99'"),
    label("label of no dimension", ('"resolution"', '"resolutoin"'), field="dimension", says="'resolution'"),
    label("label of no hash", ("a" * 64, "abc"), field="response_sha256", says="64 hexadecimal"),
    label("label of no time", ("2027-01-31T09:00:00Z", "yesterday"), field="rated_at", says="ISO 8601"),
    label("label of unknown key", ('"rater":', '"raters": 1, "rater":'), field="raters", says="rater"),
    label("label of no JSON", ('{"id"', '{id"'), says="not valid JSON"),
]

SUITES: list[Bad] = [
    Bad(name="suite no JSON", edits={"expectations": "{,}"}, file="expectations", line=1, says="not valid JSON"),
    Bad(name="suite null", edits={"expectations": "null"}, file="expectations", line=1, says="null"),
    Bad(name="suite a list", edits={"expectations": "[]"}, file="expectations", says="not a suite"),
    Bad(name="suite without list", edits={"expectations": "{}"}, file="expectations", field="expectations"),
    Bad(
        name="suite of unknown expectation",
        edits={"expectations": ("to_not_be_null", "to_not_be_nul")},
        file="expectations",
        field="expectations.0.type",
        says="expect_column_values_to_not_be_null",
    ),
    Bad(
        name="suite of unknown column",
        edits={"expectations": ('"column": "expected"', '"column": "expectd"')},
        file="expectations",
        field="expectations.0.kwargs",
        says="expected",
    ),
    Bad(name="suite missing", edits={"expectations": None}, file="evaluation", line=5, field="expectations"),
]

ALL = [*MESSAGES, *VALUES, *LINES, *BYTES, *CSVS, *LABELS, *SUITES]


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: bad.name)
def test_malformed_data_is_told_of(tmp_path: Path, bad: Bad) -> None:
    faults = faults_of(written(tmp_path, bad.edits))
    assert matching(faults, bad), "\n".join(map(str, faults)) or "no fault"
    assert all(fault.advice.strip() and fault.problem.strip() for fault in faults)


def test_every_bad_line_is_told_of_at_once(tmp_path: Path) -> None:
    """A bad line hides neither the lines after it nor the faults of other files."""
    lines = ROWS.splitlines()
    lines[1], lines[4], lines[7] = "{", json.dumps({"id": 5, "inputs": "a"}), json.dumps({"id": "x"})
    found = faults_of(written(tmp_path, {"cases": "\n".join(lines), "slo": ("owner: payments", "owner: 5")}))
    places = {(fault.file.rpartition("/")[2], fault.line, fault.field) for fault in found}
    assert places >= {
        ("cases.jsonl", 2, ""),
        ("cases.jsonl", 5, "id"),
        ("cases.jsonl", 5, "inputs"),
        ("cases.jsonl", 5, "input"),
        ("cases.jsonl", 8, "input"),
        ("slo.yaml", 2, "owner"),
    }


def test_endless_faults_are_counted(tmp_path: Path) -> None:
    rows = jsonl([{"id": i, "input": "a"} for i in range(1500)])
    faults = faults_of(written(tmp_path, {"cases": rows, "human": ""}))
    assert faults[-1].problem == "has 500 more faults"
    assert len(faults) == 1001
