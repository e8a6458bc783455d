"""Pooled quantiles of requests whose blocks are drawn anew, and whether a quantile has bounds at all."""

from __future__ import annotations

from math import inf

import numpy as np

from triaxis.quantities import Absent
from triaxis.stats.clusters import Codes, Floats, kish
from triaxis.stats.ranks import autocorrelated, effective_requests, requests_needed
from triaxis.stats.resampling import chunks
from triaxis.stats.weighted_quantiles import weighted_point


def pooled_quantile(times: Floats, weights: Floats, q: float) -> float:
    """The quantile of all requests together, each counting its weight."""
    order = np.argsort(times, kind="stable")
    return weighted_point(times[order], weights[order], q)


def boundless(times: Floats, weights: Floats, codes: Codes, q: float, level: float) -> Absent | None:
    """Why one variant's quantile alone has no bound, None where it has."""
    if pooled_quantile(times, weights, q) == inf:
        return Absent("the quantile lands on a failed request")
    needed = requests_needed(q, level)
    told = effective_requests(times, codes, q) if autocorrelated(times, codes) else float(len(times))
    told *= kish(weights) / len(weights)
    if told >= needed:
        return None
    return Absent(f"p{100 * q:g} needs {needed} independent requests; these {len(times)} tell as much as {told:.0f}")


def drawn_quantiles(times: Floats, weights: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    """The pooled quantile of each draw, whose blocks occur `counts` times, of shape (draws, blocks)."""
    order = np.argsort(times, kind="stable")
    parts = np.array_split(counts, len(list(chunks(len(counts), of=len(times)))))
    held = _held_quantiles if np.all(weights == weights[0]) else _weighted_quantiles
    return np.concatenate([held(times[order], weights[order], codes[order], part, q) for part in parts])


def _held_quantiles(ranked: Floats, _: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    held = np.cumsum(counts[:, codes], axis=1)
    place = q * (held[:, -1] - 1)
    below = np.floor(place)
    # The request of rank r (from 0) in a draw is the first one at which more than r are held.
    low = ranked[(held <= below[:, np.newaxis]).sum(axis=1)]
    high = ranked[(held <= np.ceil(place)[:, np.newaxis]).sum(axis=1)]
    with np.errstate(invalid="ignore"):  # what infinite ends interpolate to is replaced
        return np.where(high == inf, inf, low + (place - below) * (high - low))


def _weighted_quantiles(ranked: Floats, weights: Floats, codes: Codes, counts: Floats, q: float) -> Floats:
    """The first request up to which a share q of the draw's weight is held; for a spread no finer point is needed."""
    held = np.cumsum(counts[:, codes] * weights, axis=1)
    return ranked[(held < q * held[:, -1:]).sum(axis=1)]
