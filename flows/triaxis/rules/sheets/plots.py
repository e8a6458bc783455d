"""Geometry of the pages' plots: values to percentages of a track."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, log10

PADDING = 0.08
"""Share of the range left free at both ends, so that marks do not touch the edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A linear scale from data to 0 to 100% of a track."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """The position of `value` in percent, clipped to the track, to a tenth so that pages keep their bytes."""
        return round(100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0), 1)


def spanning(values: Iterable[float], *, within: tuple[float, float] | None = None) -> Scale:
    """The scale that shows all `values` with some room at both ends.

    Args:
        values: At least one.
        within: Bounds that the scale must not leave, such as 0 to 1 for scores.
    """
    known = list(values)
    low, high = min(known), max(known)
    room = (high - low) * PADDING or abs(high) * PADDING or 1.0
    low, high = low - room, high + room
    if within is not None:
        low, high = max(low, within[0]), min(high, within[1])
    return Scale(low=low, high=high)


def ticks(high: float, most: int = 5) -> tuple[float, ...]:
    """Round numbers from 0 up to `high`, at most `most` steps of 1, 2 or 5 times a power of ten.

    Raises:
        ValueError: where `high` is not positive.
    """
    if high <= 0:
        raise ValueError("an axis of ticks needs a positive end")
    rough = high / most
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999999)
    return tuple(round(step * i, 10) for i in range(floor(high / step + 1e-9) + 1))


def curve(quantiles: Sequence[float], high: float) -> str:
    """An SVG path on a 100 by 100 field: milliseconds from 0 to `high` across, share of requests answered upward.

    Args:
        quantiles: Milliseconds at evenly spaced shares from 0 to 1, at least two.
        high: The right edge.
    """
    last = len(quantiles) - 1
    points = [(round(100 * min(ms / high, 1.0), 2), round(100 - 100 * i / last, 2)) for i, ms in enumerate(quantiles)]
    return "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
