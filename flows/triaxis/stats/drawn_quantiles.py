"""Pooled quantiles of requests whose blocks are drawn anew, and whether a quantile has bounds at all."""

from __future__ import annotations

from math import inf

import numpy as np

from triaxis.quantities import Absent
from triaxis.stats.clusters import Codes, Floats
from triaxis.stats.ranks import autocorrelated, effective_requests, interpolated, requests_needed
from triaxis.stats.resampling import chunks


def boundless(values: Floats, codes: Codes, q: float, level: float) -> Absent | None:
    """Why one variant's quantile alone has no bound, None where it has."""
    if interpolated(np.sort(values), q) == inf:
        return Absent("the quantile lands on a failed request")
    needed = requests_needed(q, level)
    told = effective_requests(values, codes, q) if autocorrelated(values, codes) else float(len(values))
    if told >= needed:
        return None
    return Absent(f"p{100 * q:g} needs {needed} independent requests; these {len(values)} tell as much as {told:.0f}")


def drawn_quantiles(values: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    """The pooled quantile of each draw, whose blocks occur `counts` times, of shape (draws, blocks)."""
    order = np.argsort(values, kind="stable")
    parts = np.array_split(counts, len(list(chunks(len(counts), of=len(values)))))
    return np.concatenate([_held_quantiles(values[order], codes[order], part, q) for part in parts])


def _held_quantiles(ranked: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    held = np.cumsum(counts[:, codes], axis=1)
    place = q * (held[:, -1] - 1)
    below = np.floor(place)
    # The request of rank r (from 0) in a draw is the first one at which more than r are held.
    low = ranked[(held <= below[:, np.newaxis]).sum(axis=1)]
    high = ranked[(held <= np.ceil(place)[:, np.newaxis]).sum(axis=1)]
    with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
        return np.where(high == inf, inf, low + (place - below) * (high - low))
