"""Random damage: whatever stands in the files, a workspace is read, or is told of by faults."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_workspace import DEFAULTS, PATHS, write_workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from malformed import faults_of

from triaxis.adapters.workspace.findings import Findings
from triaxis.adapters.workspace.read_cases import read_cases
from triaxis.adapters.workspace.yaml_lines import parse
from triaxis.domain.case import dataset_sha256

NASTY = (
    *("\x00", "\ufeff", "\r", "\t", "\n", "\u2028", "\ud800", "é"),
    *("{", "}", "[", "]", ":", "- ", "*a", "&a ", "!!", "<<: ", "'", '"', "#", "|", "---\n"),
    *("null", "true", "no", "-1", "1e999", ".nan", "9" * 40),
    *("${X}", "{{", "{%", "../", "/"),
)
TEXTS = dict(DEFAULTS)
FILES = sorted(TEXTS)


@st.composite
def damage(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of the valid workspace after a few random cuts, insertions and repetitions."""
    name = draw(st.sampled_from(FILES))
    text = TEXTS[name]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        middle = draw(st.one_of(st.just(""), st.sampled_from(NASTY), st.text(max_size=5), st.just(text[start:end] * 2)))
        text = text[:start] + middle + text[end:]
    return name, text.encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield write_workspace(Path(folder))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged=damage())
def test_damage_ends_in_faults_or_in_a_workspace(root: Path, damaged: tuple[str, bytes]) -> None:
    """Nothing but InputFaults is ever raised, and every fault says what to do."""
    name, data = damaged
    path = root / PATHS[name]
    path.write_bytes(data)
    try:
        faults = faults_of(root)
    finally:
        path.write_text(TEXTS[name], encoding="utf-8")
    assert all(fault.file and fault.problem and fault.advice for fault in faults)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("id", "input", "expected", "context", "slice", "session", "route", "steps", "value", "vars", "tags", "more")


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.dictionaries(st.sampled_from(KEYS), JSON_VALUES, max_size=6), max_size=4))
def test_any_rows_are_cases_or_faults(rows: list[dict[str, object]]) -> None:
    """A case that is let in has a canonical form, so that it can be hashed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.jsonl"
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        findings = Findings()
        cases = read_cases(path, path.name, {}, findings)
    assert (cases is None) == bool(findings.faults)
    assert cases is None or len(dataset_sha256(cases)) == 64


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="ab:-[]{}&*!<>|'\"#\n 01.,?%@", max_size=60))
def test_any_text_is_a_tree_or_flaws(text: str) -> None:
    tree, flaws = parse(text)
    assert tree is not None or flaws


@settings(max_examples=100, deadline=None)
@given(cells=st.lists(st.lists(st.text(max_size=6), min_size=1, max_size=4), max_size=5))
def test_any_cells_are_cases_or_faults(cells: list[list[str]]) -> None:
    header = "id,input,slice.kind,steps\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.csv"
        path.write_bytes((header + "\n".join(map(",".join, cells))).encode("utf-8", "surrogatepass"))
        findings = Findings()
        cases = read_cases(path, path.name, {}, findings)
    assert (cases is None) == bool(findings.faults)
    assert cases is None or dataset_sha256(cases)
