"""Production's mix: what each case counts, where the dataset has other shares of a tag than production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from triaxis.quantities import Absent
from triaxis.stats.raking import rake

Codes: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
OUTSIDE = -1
"""The stratum of a case that production does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What some rows count; both None where the dataset's mix stands for itself."""

    weights: Floats | None = None
    """Production's share over these rows' share, one a row; 0 leaves a row out."""
    strata: Codes | None = None

    def mean(self, values: Floats) -> float:
        """The weighted mean of one value a row."""
        return float(np.average(values, weights=self.weights))


UNWEIGHTED = Weighing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Strata of the cases, one for each crossing of the mix's tags, with production's shares."""

    strata: Codes
    """Per case; `OUTSIDE` where production has none like it."""
    shares: Floats
    """Per stratum; they sum to 1."""
    names: tuple[str, ...]
    """Of the strata, such as `route=complex`."""
    source: str = "traffic.mix"
    """Who states the shares, for messages."""

    def weighing(self, told: Codes, among: Mask | None = None) -> Weighing | Absent:
        """What rows count when they speak for production.

        A stratum's share is production's, less what of it is not meant; it is spread evenly over the rows that tell.

        Args:
            told: The case of each row that says something.
            among: The cases that are meant, such as those of a slice; those that tell where it is None.

        Returns:
            Absent where a stratum that is meant has no row, and where production has none of these cases.
        """
        meant = np.flatnonzero(np.bincount(told) if among is None else among)
        domain = self.shares * self._counts(meant) / np.maximum(self._counts(), 1)
        rows = self._counts(told)
        if not domain.any():
            return Absent(f"{self.source} gives no share of production to any of these cases")
        silent = np.flatnonzero((domain > 0) & (rows == 0))
        if len(silent):
            first = int(silent[0])
            share = f"{float(domain[first]):.3g} of production"
            return Absent(f"nothing is known of {self.names[first]}, which {self.source} makes {share}")
        each = np.append(np.divide(domain, rows, out=np.zeros_like(domain), where=rows > 0), 0.0)
        weights = each[self.strata[told]]  # the appended 0 is what OUTSIDE indexes
        return Weighing(weights=weights * (len(told) / weights.sum()), strata=self.strata[told])

    def _counts(self, cases: NDArray[np.integer] | None = None) -> Floats:
        strata = self.strata if cases is None else self.strata[cases]
        return np.bincount(strata[strata != OUTSIDE], minlength=len(self.shares)).astype(np.float64)


def mix_of(
    tags: Mapping[str, tuple[Codes, Sequence[str]]],
    production: Mapping[str, Mapping[str, float]],
    cases: int,
    *,
    source: str = "traffic.mix",
) -> Mix | Absent:
    """Production's mix over some cases.

    Args:
        tags: Of each tag, every case's value by its place in the sorted values; -1 where it has none.
        production: Tag to value to production's share of it.
        cases: How many there are.
        source: Who states the shares, for messages.

    Returns:
        Absent where a value of some share has no case, or no weights of the cases have all of the shares at once.
    """
    strata, cells = _crossed(tags, production, cases)
    margins = list[tuple[NDArray[np.intp], Floats]]()
    for tag, shares in production.items():
        lacking = next((v for v, share in shares.items() if share > 0 and v not in {c.get(tag) for c in cells}), None)
        if lacking is not None:
            return Absent(f"no case has {tag}={lacking}, which {source} makes {shares[lacking]:.3g} of production")
        place = {value: code for code, value in enumerate(shares)}
        codes = np.array([place[cell[tag]] for cell in cells], dtype=np.intp)
        margins.append((codes, np.array(list(shares.values())) / sum(shares.values())))
    counts = np.bincount(strata[strata != OUTSIDE], minlength=len(cells)).astype(np.float64)
    raked = rake(counts, margins)
    if isinstance(raked, Absent):
        return Absent(f"{source} cannot be weighed to: {raked.why}")
    names = tuple(", ".join(f"{tag}={value}" for tag, value in cell.items()) for cell in cells)
    return Mix(strata=strata, shares=raked, names=names, source=source)


def _crossed(
    tags: Mapping[str, tuple[Codes, Sequence[str]]], production: Mapping[str, Mapping[str, float]], cases: int
) -> tuple[Codes, list[Mapping[str, str]]]:
    """Each case's stratum, and the strata that have cases; outside is whoever lacks a value with a share."""
    inside, codes = np.ones(cases, dtype=np.bool_), np.zeros(cases, dtype=np.int64)
    for tag, shares in production.items():
        own, values = tags.get(tag, (np.full(cases, OUTSIDE, dtype=np.int64), ()))
        wanted = [code for code, value in enumerate(values) if shares.get(value, 0.0) > 0]
        inside &= np.isin(own, wanted)
        codes = codes * (len(values) + 1) + own
    kinds, place = np.unique(codes[inside], return_inverse=True)
    strata = np.full(cases, OUTSIDE, dtype=np.int64)
    strata[inside] = place
    firsts: list[int] = [int(np.flatnonzero(inside & (codes == kind))[0]) for kind in kinds]
    return strata, [{tag: tags[tag][1][int(tags[tag][0][first])] for tag in production} for first in firsts]
