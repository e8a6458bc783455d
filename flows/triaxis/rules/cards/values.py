"""The values that scorecard.json is made of, to JSON and back: what every part of a card is written and read with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias, assert_never, cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.difference import Difference, DifferenceOrAbsent
from triaxis.domain.scorecard import Compared, Comparison
from triaxis.quantities import Above, Absent, Estimate, Measure

Json: TypeAlias = dict[str, JsonValue]
JsonObject: TypeAlias = Mapping[str, JsonValue]


def number(value: float) -> float:
    """12 significant digits, and no negative zero."""
    return float(f"{value:.12g}") + 0.0


def rounded(values: Mapping[str, float | str]) -> Json:
    """Numbers as `number` has them, texts as they are."""
    return {key: value if isinstance(value, str) else number(value) for key, value in values.items()}


def known(values: Mapping[str, float | None]) -> Json:
    """The values that are known, rounded."""
    return {key: number(value) for key, value in values.items() if value is not None}


def measure_json(measure: Measure) -> Json:
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


def figure_of(value: JsonValue) -> float | Absent:
    """What `figure_json` wrote."""
    return Absent(text_of(value["absent"])) if isinstance(value, Mapping) else number_of(value)


def measure_of(value: JsonValue) -> Measure:
    """What `measure_json` wrote."""
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


def measures_of(value: JsonValue) -> dict[str, Measure]:
    """Measures by name."""
    return {name: measure_of(measure) for name, measure in object_of(value).items()}


def compared_json(compared: Compared) -> Json:
    """A comparison with its label."""
    value: Json = {"verdict": compared.verdict, "gated": compared.gated}
    value |= known({"margin": compared.margin, "p_adjusted": compared.p_adjusted, "more": compared.more})
    return value | difference_json(compared.difference)


def compared_of(compared: JsonObject) -> Compared:
    """What `compared_json` wrote."""
    return Compared(
        difference=difference_of(compared),
        verdict=cast("Comparison", text_of(compared["verdict"])),
        gated=flag_of(compared["gated"]),
        margin=known_of(compared, "margin"),
        p_adjusted=known_of(compared, "p_adjusted"),
        more=known_count_of(compared, "more"),
    )


def difference_json(difference: DifferenceOrAbsent) -> Json:
    """A difference, or `{absent: why}`."""
    if isinstance(difference, Absent):
        return {"absent": difference.why}
    return rounded({key: figure for key, figure in asdict(difference).items() if figure is not None})


def difference_of(compared: JsonObject) -> DifferenceOrAbsent:
    """What `difference_json` wrote."""
    if "absent" in compared:
        return Absent(text_of(compared["absent"]))
    return Difference(
        difference=number_of(compared["difference"]),
        low=number_of(compared["low"]),
        high=number_of(compared["high"]),
        level=number_of(compared["level"]),
        n=number_of(compared["n"]),
        method=text_of(compared["method"]),
        baseline=number_of(compared["baseline"]),
        p=known_of(compared, "p"),
        p_exact=known_of(compared, "p_exact"),
    )


def known_count_of(members: JsonObject, key: str) -> int | None:
    """A whole number that is left out where nobody knows it."""
    return count_of(members[key]) if key in members else None


def known_of(members: JsonObject, key: str) -> float | None:
    """A number that is left out where nobody knows it."""
    return number_of(members[key]) if key in members else None


def object_of(value: JsonValue) -> JsonObject:
    """An object.

    Raises:
        TypeError: for anything else, as all below.
    """
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"{value!r} is no object")


def list_of(value: JsonValue) -> Sequence[JsonValue]:
    """A list."""
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
    """A list of texts."""
    return tuple(map(text_of, list_of(value)))


def texts_by_name(value: JsonValue) -> dict[str, str]:
    """Texts by name."""
    return {name: text_of(text) for name, text in object_of(value).items()}


def numbers_by_name(value: JsonValue) -> dict[str, float]:
    """Numbers by name."""
    return {name: number_of(given) for name, given in object_of(value).items()}
