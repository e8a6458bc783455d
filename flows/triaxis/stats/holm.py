"""Many claims at once: p values that keep the chance of any false one at what a single one would have."""

from __future__ import annotations

from collections.abc import Mapping


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Each claim's p, adjusted for all that are made (Holm 1979).

    A claim stands at an error of alpha where its adjusted p is no more than alpha. The smallest p counts as many times
    as there are claims, the next once less, and none less than the one before it.
    """
    adjusted = dict[str, float]()
    least, claims = 0.0, len(p)
    for place, name in enumerate(sorted(p, key=lambda name: (p[name], name))):
        least = min(1.0, max(least, (claims - place) * p[name]))
        adjusted[name] = least
    return adjusted
