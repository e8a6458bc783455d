"""The parts of a scorecard's JSON that several of its sections are made of, on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TypeAlias, assert_never

from triaxis.domain.canonical import JsonValue
from triaxis.domain.difference import DifferenceOrAbsent
from triaxis.domain.scorecard import Compared
from triaxis.quantities import Above, Absent, Estimate, Measure

Json: TypeAlias = dict[str, JsonValue]


def number(value: float) -> float:
    """12 significant digits, and no negative zero."""
    return float(f"{value:.12g}") + 0.0


def rounded(values: Mapping[str, float | str]) -> Json:
    """Texts as they are, numbers rounded."""
    return {key: value if isinstance(value, str) else number(value) for key, value in values.items()}


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


def compared_json(compared: Compared) -> Json:
    """A comparison with its label."""
    value: Json = {"verdict": compared.verdict, "gated": compared.gated} | known({"margin": compared.margin})
    return value | difference_json(compared.difference)


def difference_json(difference: DifferenceOrAbsent) -> Json:
    """A difference, or `{absent: why}`."""
    return {"absent": difference.why} if isinstance(difference, Absent) else rounded(asdict(difference))


def known(values: Mapping[str, float | None]) -> Json:
    """The values that are known, rounded."""
    return {key: number(value) for key, value in values.items() if value is not None}
