"""Production's share of every crossing of tags, of which only the share of each tag's values is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triaxis.quantities import Absent
from triaxis.stats.clusters import Codes, Floats

ROUNDS = 1000
CLOSE = 1e-9
"""How far a share may be off when raking ends."""


def rake(counts: Floats, margins: Sequence[tuple[Codes, Floats]]) -> Floats | Absent:
    """The shares of cells that have the given margins and are otherwise as close to the counts as can be.

    Iterative proportional fitting (Deming and Stephan 1940): cells are scaled to one margin after the other until all
    hold. What tags have to do with each other stays as the dataset has it, and a cell without a case gets no share; a
    plain product of the margins would take tags for independent and give shares to cells that nobody measured.

    Args:
        counts: Cases of each cell, all more than 0.
        margins: For each tag, the value of each cell from 0, and the share of each value; they sum to 1.

    Returns:
        Absent where no shares have these margins, as where all cases of one value have another whose share is smaller.
    """
    shares = counts / counts.sum()
    for _ in range(ROUNDS):
        for codes, wanted in margins:
            held = np.bincount(codes, weights=shares, minlength=len(wanted))
            shares = shares * np.divide(wanted, held, out=np.zeros_like(wanted), where=held > 0)[codes]
        if all(_off(shares, codes, wanted) < CLOSE for codes, wanted in margins):
            return shares
    return Absent("no weights of these cases have all of these shares at once")


def _off(shares: Floats, codes: Codes, wanted: Floats) -> float:
    return float(np.abs(np.bincount(codes, weights=shares, minlength=len(wanted)) - wanted).max())
