"""Every verb, key, default and measure stands in the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from click.testing import CliRunner
from docs_fences import ROOT

from triaxis.adapters.truth.expectation_types import KWARGS
from triaxis.adapters.workspace.read_slo import GUARDS
from triaxis.adapters.workspace.wire_evaluation import WireLimits, WireProbe, WireServing
from triaxis.adapters.workspace.wire_rubric import EVALUATORS
from triaxis.cli.main import VERBS, triaxis
from triaxis.domain.variant import LEVERS
from triaxis.rules.gating.standing import EXIT
from triaxis.rules.names import ERRORS_RATE, LATENCIES, STATISTICS
from triaxis.wiring import file_schema, file_schemas

REFERENCE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
NUMBERS = (ROOT / "docs/numbers.md").read_text(encoding="utf-8")


def _has(text: str, name: str) -> bool:
    """Whether the name stands there as a word of its own, in code."""
    code = re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL)
    return any(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", piece) for piece in code)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_reference_and_its_help_has_an_example(verb: str) -> None:
    assert re.search(rf"^\| `{verb}\b", REFERENCE, re.MULTILINE)
    shown = CliRunner().invoke(triaxis, [verb, "--help"])
    assert shown.exit_code == 0
    assert f"Example: triaxis {verb}" in " ".join(shown.output.split())


@pytest.mark.parametrize("name", file_schemas())
def test_every_key_of_a_published_schema_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in REFERENCE
    missing = sorted({key for key in _keys(file_schema(name)) if not _has(REFERENCE, key)})
    assert not missing


def _keys(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        node = cast("Mapping[str, Any]", schema)
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            yield from cast("Mapping[str, Any]", properties)
        for value in node.values():
            yield from _keys(value)
    elif isinstance(schema, list):
        for item in cast("list[object]", schema):
            yield from _keys(item)


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_every_evaluator_has_its_row(evaluator: str) -> None:
    assert f"\n| `{evaluator}` |" in REFERENCE


@pytest.mark.parametrize("lever", LEVERS)
def test_every_lever_is_named(lever: str) -> None:
    assert lever in REFERENCE


@pytest.mark.parametrize("model", [WireLimits, WireProbe, WireServing])
def test_defaults_are_those_of_the_code(model: type[WireLimits | WireProbe | WireServing]) -> None:
    for name, field in model.model_fields.items():
        default: object = field.default
        if default is None or name in ("requests", "rate_per_s"):
            continue
        shown = str(default).lower() if isinstance(default, bool) else f"{default:g}" if _number(default) else default
        row = next(line for line in REFERENCE.splitlines() if line.startswith("| ") and f"`{name}`" in line[:60])
        assert str(shown) in row.split("|")[2], row


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def test_guards_and_exit_codes_are_those_of_the_code() -> None:
    assert GUARDS == {"precision": 0.03, "errors": 0.02, "latency": 0.10, "cost": 0.05}
    assert "`{precision: 0.03, errors: 0.02, latency: 0.10, cost: 0.05}`" in REFERENCE
    assert EXIT == {"promote": 0, "hold": 3, "inconclusive": 4}
    assert "0 promote, 3 hold, 4 inconclusive" in REFERENCE


def _measured() -> Iterator[str]:
    """The names under which a variant's card holds figures."""
    variant = _object(file_schema("scorecard"), "latency", "cost", "axes")
    for group in ("latency", "cost", "axes"):
        yield from _keys(_resolved(variant[group]))
    dimension = _object(file_schema("scorecard"), "overall", "answered_only")
    yield from (key for key in dimension if key != "slices")
    yield from ("value", "low", "high", "level", "n", "method", "above", "absent", "more")


def _object(schema: object, *keys: str) -> Mapping[str, Any]:
    """The properties of the one object of a schema that has all these keys."""
    if isinstance(schema, Mapping):
        node = cast("Mapping[str, Any]", schema)
        found = cast("Mapping[str, Any]", node.get("properties") or {})
        if set(keys) <= found.keys():
            return found
        for value in node.values():
            if inner := _object(value, *keys):
                return inner
    return {}


def _resolved(node: Mapping[str, Any]) -> object:
    reference = node.get("$ref")
    if reference is None:
        return node
    place: Any = file_schema("scorecard")
    for key in str(reference).removeprefix("#/").split("/"):
        place = place[key]
    return cast("object", place)


FACTS = {"client", "blocks", "requests", "errors", "autocorrelated", "histogram_ms", "probe", "full", "ttft", "scored"}
"""Of the probe and of counting: they say what was done, and the reference names them."""


@pytest.mark.parametrize("name", sorted(set(_measured()) - FACTS))
def test_every_figure_is_explained(name: str) -> None:
    assert re.search(rf"`[^`]*\b{name}\b[^`]*`", NUMBERS) or f"**{name}" in NUMBERS


def test_every_measure_that_can_gate_is_explained() -> None:
    names = [ERRORS_RATE, "precision.NAME", *(f"cost.per_{per}" for per in ("request", "session", "month"))]
    assert [name for name in names if f"`{name}`" not in NUMBERS] == []
    assert all(f"latency.{measure}." in NUMBERS for measure in LATENCIES)
    assert all(f"`{statistic}`" in NUMBERS for statistic in STATISTICS)


def test_every_column_of_the_ground_truth_is_documented() -> None:
    """The table of the page is that of the code which makes the columns."""
    from triaxis.rules.truth import ground_truth

    page = (ROOT / "docs/validation.md").read_text(encoding="utf-8").replace("`", "")
    rows = [line for line in (ground_truth.__doc__ or "").splitlines() if line.startswith("| ")]
    assert len(rows) > 8
    assert [row for row in rows if row != "| column | holds |" and row not in page] == []
    assert all(word in KWARGS for word in re.findall(r'"type": "(\w+)"', page))
