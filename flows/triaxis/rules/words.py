"""Numbers as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import assert_never

from triaxis.domain.slo import Axis
from triaxis.quantities import Above, Absent, Estimate, Measure

_WHOLE_DOLLARS = 1000


def milliseconds(value: float) -> str:
    """Three figures of a duration: `4.21 ms`, `87.3 ms`, `1,240 ms`."""
    return f"{value:,.{_decimals(value, figures=3, most=2)}f} ms"


def dollars(value: float) -> str:
    """Three figures below a dollar, cents above it, whole dollars from a thousand: `$0.00312`, `$4.20`, `$61,200`."""
    cents = 2 if abs(value) < _WHOLE_DOLLARS else 0
    decimals = _decimals(value, figures=3, most=12) if 0 < abs(value) < 1 else cents
    return f"{'-' if value < 0 else ''}${abs(value):,.{decimals}f}"


def score(value: float) -> str:
    """A mean score: `0.931`."""
    return f"{value:.3f}"


def percent(value: float) -> str:
    """A share: `1.2%`."""
    return f"{value * 100:.1f}%"


def quantity(axis: Axis, value: float) -> str:
    """A value of a measure on that axis, with its unit."""
    match axis:
        case "latency":
            return milliseconds(value)
        case "cost":
            return dollars(value)
        case "precision":
            return score(value)
        case "errors":
            return percent(value)
        case _:
            assert_never(axis)


def value_text(axis: Axis, measure: Measure) -> str:
    """An estimate's value with its unit, or what stands in its place."""
    match measure:
        case Estimate(value=value):
            return quantity(axis, value)
        case Above(limit=limit):
            return f"above {quantity(axis, limit)}"
        case Absent():
            return "absent"
        case _:
            assert_never(measure)


def interval_text(axis: Axis, measure: Measure) -> str:
    """An estimate's interval, or why there is none."""
    match measure:
        case Estimate(low=low, high=high):
            return f"{quantity(axis, low)} to {quantity(axis, high)}"
        case Above():
            return "the quantile falls on a failed request"
        case Absent(why=why):
            return why
        case _:
            assert_never(measure)


def listed(names: Sequence[str]) -> str:
    """At least one name in a sentence: `a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, noun: str) -> str:
    """A count with its plural noun: `1 case`, `1,200 cases`."""
    return f"1 {noun.removesuffix('s')}" if number == 1 else f"{number:,} {noun}"


def _decimals(value: float, *, figures: int, most: int) -> int:
    """Decimals that show so many significant figures, at most `most`."""
    if value == 0:
        return 0
    return min(max(figures - 1 - floor(log10(abs(value))), 0), most)
