"""The forms of scorecard.json's figures, out and in, that all of its parts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias, assert_never

from triaxis.domain.canonical import JsonValue
from triaxis.quantities import Above, Absent, Estimate, Measure

Json: TypeAlias = Mapping[str, JsonValue]


def number(value: float) -> float:
    """12 significant digits, and no negative zero."""
    return float(f"{value:.12g}") + 0.0


def rounded(values: Mapping[str, float | str]) -> dict[str, JsonValue]:
    """Numbers rounded, texts as they are."""
    return {key: value if isinstance(value, str) else number(value) for key, value in values.items()}


def measure_json(measure: Measure) -> dict[str, JsonValue]:
    """An estimate, `{above: limit}` or `{absent: why}`."""
    match measure:
        case Absent(why=why):
            return {"absent": why}
        case Above(limit=limit):
            return {"above": number(limit)}
        case Estimate():
            return rounded(asdict(measure))
        case _:
            assert_never(measure)


def figure_json(value: float | Absent) -> JsonValue:
    """A number, or `{absent: why}`."""
    return {"absent": value.why} if isinstance(value, Absent) else number(value)


def measure_of(value: JsonValue) -> Measure:
    """An estimate, what it exceeds, or why there is none."""
    figure = object_of(value)
    if "absent" in figure:
        return Absent(text_of(figure["absent"]))
    if "above" in figure:
        return Above(number_of(figure["above"]))
    return Estimate(
        value=number_of(figure["value"]),
        low=number_of(figure["low"]),
        high=number_of(figure["high"]),
        level=number_of(figure["level"]),
        n=number_of(figure["n"]),
        method=text_of(figure["method"]),
    )


def figure_of(value: JsonValue) -> float | Absent:
    """A number, or why there is none."""
    return Absent(text_of(value["absent"])) if isinstance(value, Mapping) else number_of(value)


def object_of(value: JsonValue) -> Json:
    """A JSON object."""
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"{value!r} is no object")


def list_of(value: JsonValue) -> Sequence[JsonValue]:
    """A JSON array."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no list")


def text_of(value: JsonValue) -> str:
    """A text."""
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no text")


def flag_of(value: JsonValue) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is neither true nor false")


def number_of(value: JsonValue) -> float:
    """A number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{value!r} is no number")


def count_of(value: JsonValue) -> int:
    """A whole number."""
    return int(number_of(value))


def texts_of(value: JsonValue) -> tuple[str, ...]:
    """An array of texts."""
    return tuple(map(text_of, list_of(value)))


def texts_by_name(value: JsonValue) -> dict[str, str]:
    """An object of texts."""
    return {name: text_of(text) for name, text in object_of(value).items()}
