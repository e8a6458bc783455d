"""Where the names of points on a plane stand, so that none lies on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_RIGHT = 60
"""In percent: a point further right rather has its name to the left, so that it stays on the plane."""
_CHARACTER, _MOST = 1.6, 45.0
"""Width of a character and of the longest name that is not cut, in percent of the plane's width."""
_WHOLE = 100.0
_GAP, _HEIGHT = 2.0, 9.0
"""In percent: from the point to its name, and from one line of text to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where one name stands beside its point: to the right and above it, unless it says otherwise."""

    left: bool
    below: bool


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    right: float
    bottom: float
    top: float

    def meets(self, other: _Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top

    @property
    def inside(self) -> bool:
        return self.left >= 0 and self.right <= _WHOLE


def spots(points: Sequence[tuple[str, float, float]]) -> tuple[Spot | None, ...]:
    """A place for each name, of the first points first; None where every place beside its point is taken.

    Args:
        points: Name, and where the point is in percent of the plane's width and height.
    """
    taken: list[_Box] = []
    found: list[Spot | None] = []
    for name, x, y in points:
        free = ((spot, box) for spot, box in _beside(name, x, y) if not any(box.meets(other) for other in taken))
        spot, box = next(free, (None, None))
        found.append(spot)
        taken += [] if box is None else [box]
    return tuple(found)


def _beside(name: str, x: float, y: float) -> Sequence[tuple[Spot, _Box]]:
    """The places that keep a name on the plane, the best one first; of a name that none keeps there, its own side."""
    width = min(_MOST, _CHARACTER * len(name))
    places = list[tuple[Spot, _Box]]()
    for left in (x > _RIGHT, x <= _RIGHT):
        start = x - _GAP - width if left else x + _GAP
        for below in (False, True):
            box = _Box(start, start + width, y - _HEIGHT if below else y, y if below else y + _HEIGHT)
            places.append((Spot(left=left, below=below), box))
    return [(spot, box) for spot, box in places if box.inside] or places[:2]
