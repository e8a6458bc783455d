"""How much more evidence would settle an open question."""

from __future__ import annotations

from math import ceil

MOST_UNITS = 100_000
"""A need beyond this is no advice."""


def more_units(have: int, *, reach: float, room: float) -> int | None:
    """About how many more independent units would bring a bound within the room, should the value stay where it is.

    The distance from a value to its bound shrinks with the square root of the units behind it, so that
    n' = n (reach / room)^2.

    Args:
        have: The units there are.
        reach: From the value to its bound now.
        room: From the value to where the bound must come.

    Returns:
        At least 1; None where more will not help: the value sits on the line, or the need passes `MOST_UNITS`.
    """
    if room == 0:
        return None
    ratio = abs(reach / room)
    need = have * ratio**2 - have
    return max(1, ceil(need)) if need <= MOST_UNITS else None
