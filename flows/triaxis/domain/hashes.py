"""The identities in `created_from`: over what the inputs mean once parsed, never over how they were written.

A comment, the order of keys, a path or an address changes none of them. Everything a hash covers is canonical JSON
(RFC 8785) of the parsed values with defaults filled in; fields that say nothing (null, empty) are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triaxis.domain.canonical import JsonValue, sha256_json, without_nulls
from triaxis.domain.case import dataset_sha256
from triaxis.domain.evaluation import Inputs, PriceRow
from triaxis.domain.plain import plain
from triaxis.domain.rubric import Dimension, Rubric
from triaxis.domain.slo import Slo
from triaxis.domain.variant import Variant

_UNSAID: Mapping[str, frozenset[str]] = {
    "prompt": frozenset({"path"}),
    "evaluator": frozenset({"path", "file"}),
    "retriever": frozenset({"path"}),
}
"""Where a text is named by a path, the text counts."""


def rubric_sha256(rubric: Rubric) -> str:
    """Over the dimensions by name: a judge prompt counts by its text, a Python evaluator by its source."""
    return sha256_json([_meaning(d) for d in sorted(rubric.dimensions, key=_name)])


def variants_sha256(variants: Iterable[Variant]) -> str:
    """Over the variants by name; limits, transports and addresses are no part of them."""
    return sha256_json([_meaning(v) for v in sorted(variants, key=_name)])


def candidate_hashes(variants: Iterable[Variant], baseline: str) -> dict[str, str]:
    """A hash of each variant by name, the baseline apart: what makes two candidates of one name two."""
    return {v.name: variants_sha256([v]) for v in variants if v.name != baseline}


def slo_sha256(slo: Slo) -> str:
    """Over the whole SLO, owner and review date included; the order of objectives counts for nothing."""
    said = dict(_meaning(slo))
    said["objectives"] = sorted(map(sha256_json, map(_meaning, slo.objectives)))
    return sha256_json(said)


def prices_sha256(rows: Mapping[str, PriceRow]) -> str:
    """Over the rows used, by model; where a row comes from does not change what it says."""
    return sha256_json({model: _without(_meaning(row), {"source"}) for model, row in rows.items()})


def input_hashes(inputs: Inputs) -> dict[str, str]:
    """The hashes of `CreatedFrom` but the evidence's."""
    return {
        "dataset_sha256": dataset_sha256(inputs.cases),
        "rubric_sha256": rubric_sha256(inputs.rubric),
        "slo_sha256": slo_sha256(inputs.slo),
        "variants_sha256": variants_sha256(inputs.variants),
        "prices_sha256": prices_sha256(inputs.prices.rows),
    }


def _name(value: Dimension | Variant) -> str:
    return value.name


def _meaning(value: object) -> Mapping[str, JsonValue]:
    """The value's own fields, without those that say nothing and without paths."""
    said = plain(value)
    assert isinstance(said, Mapping)
    return _said(said)


def _said(fields: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    kept: dict[str, JsonValue] = {}
    for name, entry in without_nulls(fields).items():
        match name, entry:
            case "caller", Mapping():
                kept[name] = _said(entry)
            case "router", {"rule": rule, **rest}:
                # What a router by field never had is no part of its hash.
                kept[name] = rest if not isinstance(rule, Mapping) else {**rest, "rule": _without(rule, {"file"})}
            case _, Mapping() if nested := _UNSAID.get(name):
                # What few evaluators have is no part of the hash of the others.
                kept[name] = _without(entry, nested if entry.get("blind", True) else {*nested, "blind"})
            case _:
                kept[name] = entry
    return {name: entry for name, entry in kept.items() if entry != []}


def _without(value: Mapping[str, JsonValue], names: Iterable[str]) -> dict[str, JsonValue]:
    gone = frozenset(names)
    return {name: entry for name, entry in value.items() if name not in gone}
