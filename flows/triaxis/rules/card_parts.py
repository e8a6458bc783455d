"""The parts that several sections of a scorecard's JSON are made of, on the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.difference import Difference, DifferenceOrAbsent
from triaxis.domain.scorecard import Compared, Comparison
from triaxis.quantities import Above, Absent, Estimate, Measure

Json: TypeAlias = Mapping[str, JsonValue]


def as_compared(compared: Json) -> Compared:
    """A comparison with its label."""
    return Compared(
        difference=as_difference(compared),
        verdict=cast("Comparison", as_text(compared["verdict"])),
        gated=as_flag(compared["gated"]),
        margin=known_number(compared, "margin"),
    )


def as_difference(compared: Json) -> DifferenceOrAbsent:
    """A difference, or why there is none."""
    if "absent" in compared:
        return Absent(as_text(compared["absent"]))
    return Difference(
        difference=as_number(compared["difference"]),
        low=as_number(compared["low"]),
        high=as_number(compared["high"]),
        level=as_number(compared["level"]),
        n=as_number(compared["n"]),
        method=as_text(compared["method"]),
        baseline=as_number(compared["baseline"]),
    )


def as_measures(value: JsonValue) -> dict[str, Measure]:
    """Figures by name."""
    return {name: as_measure(measure) for name, measure in as_members(value).items()}


def as_measure(value: JsonValue) -> Measure:
    """An estimate, a bound, or why there is none."""
    figure = as_members(value)
    if "absent" in figure:
        return Absent(as_text(figure["absent"]))
    if "above" in figure:
        return Above(as_number(figure["above"]))
    return Estimate(
        value=as_number(figure["value"]),
        low=as_number(figure["low"]),
        high=as_number(figure["high"]),
        level=as_number(figure["level"]),
        n=as_number(figure["n"]),
        method=as_text(figure["method"]),
    )


def known_number(members: Json, key: str) -> float | None:
    """A number that is left out where nobody knows it."""
    return as_number(members[key]) if key in members else None


def as_members(value: JsonValue) -> Json:
    """The members of an object."""
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"{value!r} is no object")


def as_entries(value: JsonValue) -> Sequence[JsonValue]:
    """The entries of a list."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no list")


def as_text(value: JsonValue) -> str:
    """A text."""
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no text")


def as_flag(value: JsonValue) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is neither true nor false")


def as_number(value: JsonValue) -> float:
    """A number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{value!r} is no number")


def as_count(value: JsonValue) -> int:
    """A whole number."""
    return int(as_number(value))


def as_texts(value: JsonValue) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(map(as_text, as_entries(value)))


def as_texts_by_name(value: JsonValue) -> dict[str, str]:
    """The texts of an object."""
    return {name: as_text(text) for name, text in as_members(value).items()}
