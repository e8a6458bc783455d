"""Against the baseline: better, same, worse, or not to be said."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from triaxis.domain.difference import Difference, DifferenceOrAbsent
from triaxis.domain.scorecard import Compared, Comparison
from triaxis.domain.slo import Axis, Regression
from triaxis.quantities import Absent, Estimate
from triaxis.rules.names import measure_axis
from triaxis.rules.words import quantity
from triaxis.stats.holm import holm
from triaxis.stats.settling import pairs_to_settle

RELATIVE: frozenset[Axis] = frozenset({"latency", "cost"})
"""Axes whose margins are shares of the baseline's value."""


def better_is_more(axis: Axis) -> bool:
    """Whether a higher value is the better one."""
    return axis == "precision"


def compare(
    differences: Mapping[str, DifferenceOrAbsent], regression: Regression, *, ungated: Collection[str] = ()
) -> dict[str, Compared]:
    """Every measure of one variant against the baseline's.

    All labels of a variant are decided here: claims of better and worse are corrected for how many are made, those that
    gate among themselves and those that only inform among themselves, so that the second do not blunt the first.

    Args:
        differences: Variant minus baseline, by measure name.
        regression: Margins by axis: absolute for precision and errors, relative for latency and cost.
        ungated: Measures that cannot gate whatever their axis, such as the word of an uncalibrated judge.
    """
    gating = {name for name in differences if name not in ungated and measure_axis(name) in regression.margin}
    adjusted = _adjusted(differences, gating) | _adjusted(differences, differences.keys() - gating)
    return {
        name: _compared(name, differences[name], regression, name in gating, adjusted.get(name))
        for name in sorted(differences)
    }


def _adjusted(differences: Mapping[str, DifferenceOrAbsent], family: Collection[str]) -> dict[str, float]:
    known = {name: d for name in family if isinstance(d := differences[name], Difference)}
    return holm({name: d.p for name, d in known.items() if d.p is not None})


def blocks_noninferior(name: str, compared: Compared) -> bool:
    """Whether a gated comparison fails to show that the variant is no worse than the margin allows."""
    if not compared.gated or compared.verdict in ("better", "same"):
        return False
    if isinstance(compared.difference, Absent) or compared.margin is None:
        return True
    return _gain(measure_axis(name), compared.difference)[0] < -compared.margin


def not_shown(against_baseline: Mapping[str, Compared], named: Collection[str]) -> list[str]:
    """The comparisons that block under `require: noninferior`, in the order of their names.

    A quantile that cannot be compared blocks where an objective names it, or where no other one of latency can be: a
    p99 that nobody asked for needs more requests than most probes have.
    """
    blocking = [name for name, compared in sorted(against_baseline.items()) if blocks_noninferior(name, compared)]
    quantiles = {name: c for name, c in against_baseline.items() if measure_axis(name) == "latency" and c.gated}
    if not any(isinstance(compared.difference, Difference) for compared in quantiles.values()):
        return blocking
    spare = {n for n, c in quantiles.items() if isinstance(c.difference, Absent) and n not in named}
    return [name for name in blocking if name not in spare]


def sentence(name: str, compared: Compared) -> str:
    """One comparison in words."""
    if isinstance(compared.difference, Absent):
        return f"{name} cannot be compared with the baseline: {compared.difference.why}."
    axis, d = measure_axis(name), compared.difference
    less = "lower" if d.difference < 0 else "higher"
    text = (
        f"{name} is {quantity(axis, abs(d.difference))} {less} than the baseline's {quantity(axis, d.baseline)} "
        f"(somewhere from {quantity(axis, d.low)} to {quantity(axis, d.high)})"
    )
    text += "." if compared.margin is None else f", with a margin of {quantity(axis, compared.margin)}."
    return f"{text} {_open(compared, d)}" if compared.verdict == "inconclusive" else text


def _open(compared: Compared, d: Difference) -> str:
    """What would settle an inconclusive comparison, and whether it is one for being one of many."""
    if compared.more is None:
        settles = "More cases will not settle it, should this be the true difference."
    else:
        part = round(100 * compared.more / d.n)
        settles = f"About {part:,}% more cases would settle it, should this be the true difference."
    if (d.low > 0 or d.high < 0) and compared.p_adjusted is not None and compared.p_adjusted > 1 - d.level:
        return f"Among all that are compared it does not stand out (p {compared.p_adjusted:.2f}). {settles}"
    return settles


def _compared(
    name: str, difference: DifferenceOrAbsent, regression: Regression, gated: bool, p_adjusted: float | None
) -> Compared:
    axis = measure_axis(name)
    margin = _margin(axis, difference, regression)
    verdict = _label(axis, difference, margin, p_adjusted)
    return Compared(
        difference=difference,
        verdict=verdict,
        gated=gated,
        margin=margin,
        p_adjusted=p_adjusted,
        more=_more(axis, difference, margin) if verdict == "inconclusive" else None,
    )


def _more(axis: Axis, difference: DifferenceOrAbsent, margin: float | None) -> int | None:
    if isinstance(difference, Absent):
        return None
    low, point, high = _gain(axis, difference)
    gain = Estimate(value=point, low=low, high=high, level=difference.level, n=difference.n, method=difference.method)
    more = pairs_to_settle(gain, margin=margin or 0.0)
    return None if more is None else max(1, more)


def _margin(axis: Axis, difference: DifferenceOrAbsent, regression: Regression) -> float | None:
    """The axis's margin in the measure's unit."""
    share = regression.margin.get(axis)
    if share is None or axis not in RELATIVE:
        return share
    return None if isinstance(difference, Absent) else share * abs(difference.baseline)


def _label(axis: Axis, difference: DifferenceOrAbsent, margin: float | None, p_adjusted: float | None) -> Comparison:
    """Worse and better need an interval without 0, and worse a loss beyond the margin; same needs all of it within."""
    if isinstance(difference, Absent):
        return "inconclusive"
    low, point, high = _gain(axis, difference)
    within, claimed = margin or 0.0, p_adjusted is None or p_adjusted <= 1 - difference.level
    if high < 0 and -point > within and claimed:
        return "worse"
    if -within <= low and high <= within:
        return "same"
    return "better" if low > 0 and claimed else "inconclusive"


def _gain(axis: Axis, d: Difference) -> tuple[float, float, float]:
    """Low, point and high of the gain: positive is for the better, whatever the axis."""
    return (d.low, d.difference, d.high) if better_is_more(axis) else (-d.high, -d.difference, -d.low)
