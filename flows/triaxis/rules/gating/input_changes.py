"""What two scorecards were made from, compared: cases by content, everything else field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from triaxis.domain.canonical import JsonValue, canonical_json
from triaxis.domain.case import Case
from triaxis.domain.comparison import CasesChanged, InputChange
from triaxis.domain.evaluation import Inputs
from triaxis.domain.plain import plain
from triaxis.domain.variant import Variant
from triaxis.rules.gating.slo_changes import slo_changes

_LONGEST = 60
"""Characters of a value that is shown; longer texts, such as prompts, are counted."""


def cases_changed(before: Sequence[Case], after: Sequence[Case]) -> CasesChanged:
    """Cases by id and content."""
    old, new = _contents(before), _contents(after)
    both = old.keys() & new.keys()
    altered = tuple(sorted(case_id for case_id in both if old[case_id] != new[case_id]))
    return CasesChanged(
        common=len(both) - len(altered),
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        altered=altered,
    )


def common_cases(before: Sequence[Case], after: Sequence[Case]) -> tuple[Case, ...]:
    """The cases that both have with the same content, sorted by id."""
    old = _contents(before)
    same = (case for case in after if old.get(case.id) == canonical_json(case.to_json()))
    return tuple(sorted(same, key=lambda case: case.id))


def _contents(cases: Sequence[Case]) -> dict[str, bytes]:
    """As they are hashed: a tag of `true` is another than one of 1."""
    return {case.id: canonical_json(case.to_json()) for case in cases}


def input_changes(before: Inputs, after: Inputs) -> tuple[InputChange, ...]:
    """Everything but the cases that differs between what two scorecards were made from."""
    objectives = (
        InputChange(cause="objectives", what=change.what, words=f"{change.kind}: {change.words}")
        for change in slo_changes(before.slo, after.slo)
    )
    return (
        *objectives,
        *_named("rubric", _by_name(before.rubric.dimensions), _by_name(after.rubric.dimensions)),
        *_named("prices", _prices(before), _prices(after)),
        *_named("variants", _by_name(before.variants), _by_name(after.variants)),
        *_baseline(before, after),
    )


def variant_changes(before: Variant, after: Variant) -> tuple[InputChange, ...]:
    """What two variants of one evaluation have differently."""
    told = {"name": ""}
    old, new = ({**value, **told} for value in (_object(before), _object(after)))
    return tuple(InputChange(cause="variants", what=path, words=words) for path, words in _fields(old, new))


def _baseline(before: Inputs, after: Inputs) -> Iterator[InputChange]:
    if before.baseline != after.baseline:
        yield InputChange(cause="variants", what="baseline", words=f"{before.baseline} to {after.baseline}")


def _by_name(values: Sequence[object]) -> dict[str, Mapping[str, JsonValue]]:
    objects = map(_object, values)
    return {str(value["name"]): value for value in objects}


def _prices(inputs: Inputs) -> dict[str, Mapping[str, JsonValue]]:
    """Where a row comes from does not change what it says."""
    return {name: {**_object(row), "source": ""} for name, row in inputs.prices.rows.items()}


def _object(value: object) -> Mapping[str, JsonValue]:
    said = plain(value)
    assert isinstance(said, Mapping)
    return said


def _named(
    cause: str, old: Mapping[str, Mapping[str, JsonValue]], new: Mapping[str, Mapping[str, JsonValue]]
) -> Iterator[InputChange]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield InputChange(cause=cause, what=name, words="added" if name in new else "removed")
            continue
        for path, words in _fields(old[name], new[name]):
            yield InputChange(cause=cause, what=f"{name}.{path}", words=words)


def _fields(old: JsonValue, new: JsonValue, path: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf that differs, with its dotted path, from what to what; where a prompt stands counts for nothing."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            if key not in ("path", "file"):
                yield from _fields(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif canonical_json(old) != canonical_json(new):
        yield path, f"{_shown(old)} to {_shown(new)}"


def _shown(value: JsonValue) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return text if len(text) <= _LONGEST and "\n" not in text else f"(a text of {len(text):,} characters)"
