"""Against the baseline: better, same, worse, or not to be said."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from triaxis.domain.difference import Difference, DifferenceOrAbsent
from triaxis.domain.scorecard import Compared, Comparison
from triaxis.domain.slo import Axis, Regression
from triaxis.quantities import Absent
from triaxis.rules.names import measure_axis
from triaxis.rules.words import quantity

RELATIVE: frozenset[Axis] = frozenset({"latency", "cost"})
"""Axes whose margins are shares of the baseline's value."""


def better_is_more(axis: Axis) -> bool:
    """Whether a higher value is the better one."""
    return axis == "precision"


def compare(
    differences: Mapping[str, DifferenceOrAbsent], regression: Regression, *, ungated: Collection[str] = ()
) -> dict[str, Compared]:
    """Every measure of one variant against the baseline's.

    All labels of a variant are decided here, so that a correction for how many they are has one place to stand.

    Args:
        differences: Variant minus baseline, by measure name.
        regression: Margins by axis: absolute for precision and errors, relative for latency and cost.
        ungated: Measures that cannot gate whatever their axis, such as the word of an uncalibrated judge.
    """
    return {name: _compared(name, differences[name], regression, name not in ungated) for name in sorted(differences)}


def blocks_noninferior(name: str, compared: Compared) -> bool:
    """Whether a gated comparison fails to show that the variant is no worse than the margin allows."""
    if not compared.gated or compared.verdict in ("better", "same"):
        return False
    if isinstance(compared.difference, Absent) or compared.margin is None:
        return True
    return _gain(measure_axis(name), compared.difference)[0] < -compared.margin


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
    return text + ("." if compared.margin is None else f", with a margin of {quantity(axis, compared.margin)}.")


def _compared(name: str, difference: DifferenceOrAbsent, regression: Regression, may_gate: bool) -> Compared:
    axis = measure_axis(name)
    margin = _margin(axis, difference, regression)
    return Compared(
        difference=difference,
        verdict=_label(axis, difference, margin),
        gated=may_gate and axis in regression.margin,
        margin=margin,
    )


def _margin(axis: Axis, difference: DifferenceOrAbsent, regression: Regression) -> float | None:
    """The axis's margin in the measure's unit."""
    share = regression.margin.get(axis)
    if share is None or axis not in RELATIVE:
        return share
    return None if isinstance(difference, Absent) else share * abs(difference.baseline)


def _label(axis: Axis, difference: DifferenceOrAbsent, margin: float | None) -> Comparison:
    """Worse and better need an interval without 0, and worse a loss beyond the margin; same needs all of it within."""
    if isinstance(difference, Absent):
        return "inconclusive"
    low, point, high = _gain(axis, difference)
    within = margin or 0.0
    if high < 0 and -point > within:
        return "worse"
    if -within <= low and high <= within:
        return "same"
    return "better" if low > 0 else "inconclusive"


def _gain(axis: Axis, d: Difference) -> tuple[float, float, float]:
    """Low, point and high of the gain: positive is for the better, whatever the axis."""
    return (d.low, d.difference, d.high) if better_is_more(axis) else (-d.high, -d.difference, -d.low)
