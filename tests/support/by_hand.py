"""What a scorecard should say, worked out from raw rows by the words of docs/numbers.md: nothing of Triaxis is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import inf, sqrt
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import yaml
from build_imports import lines
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = Sequence[Mapping[str, Any]]
GUARDS = {"precision": 0.03, "errors": 0.02, "latency": 0.10, "cost": 0.05}
RELATIVE = ("latency", "cost")


def write_imports(
    root: Path,
    cases: Rows,
    outputs: Mapping[str, Rows],
    *,
    slo: Mapping[str, Any],
    rubric: Mapping[str, Any] | None = None,
    prices: Mapping[str, Any] | None = None,
    variants: Mapping[str, Any] | None = None,
    **more: Any,
) -> Path:
    """A workspace whose answers exist already; the first variant is the baseline, and `exact` its only dimension."""
    made = {name: {"transport": "import", "responses": f"{name}.jsonl"} for name in outputs}
    evaluation = {"dataset": "cases.jsonl", "rubric": "rubric.yaml", "slo": "slo.yaml", "baseline": next(iter(made))}
    files: dict[str, Any] = {
        "evaluation.yaml": {**evaluation, "variants": {**made, **(variants or {})}, **more},
        "rubric.yaml": {"dimensions": rubric or {"right": {"evaluator": "exact"}}},
        "slo.yaml": {"owner": "payments", "review_by": "2099-12-31", **slo},
    }
    if prices is not None:
        files["prices.yaml"] = {"models": prices}
        files["evaluation.yaml"]["prices"] = "prices.yaml"
    root.mkdir()
    for name, content in files.items():
        (root / name).write_text(yaml.safe_dump(content, sort_keys=False))
    for name, rows in {"cases": cases, **outputs}.items():
        (root / f"{name}.jsonl").write_text(lines(rows))
    return root


def card_of(root: Path) -> dict[str, Any]:
    """The current scorecard."""
    return json.loads((root / "reports/scorecard.json").read_text())


def objective(variant: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The objective of that name."""
    (found,) = (o for o in variant["objectives"] if o["name"] == name)
    return found


def wilson(successes: float, n: int, level: float) -> tuple[float, float]:
    """The score interval of a proportion."""
    z = float(norm.ppf((1 + level) / 2))
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def tango(variant: Floats, baseline: Floats, level: float) -> tuple[float, float]:
    """The score interval of a difference of paired zeros and ones (Tango 1998), by search for where its z is."""
    n, won, lost = len(variant), int((variant > baseline).sum()), int((variant < baseline).sum())
    z, point = float(norm.ppf((1 + level) / 2)), (won - lost) / n

    def score(difference: float) -> float:
        b = -won - lost + (2 * n - won + lost) * difference
        c = -lost * difference * (1 - difference)
        only = (sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
        variance = n * (2 * only + difference * (1 - difference))
        return (won - lost - n * difference) / sqrt(max(variance, 1e-300))

    edge = 1 - 1e-12
    low = float(brentq(lambda d: score(d) - z, -edge, point)) if score(-edge) > z else -1.0
    high = float(brentq(lambda d: score(d) + z, point, edge)) if score(edge) < -z else 1.0
    return low, high


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p-values of one family."""
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, p_values[name] * (len(p_values) - rank)))
        adjusted[name] = largest
    return adjusted


def raked(cases: Rows, mix: Mapping[str, Mapping[str, float]]) -> Floats:
    """Weights of the cases, summing to 1, whose margins are the mix: one tag after the other, until nothing moves."""
    weights = np.full(len(cases), 1 / len(cases))
    for _ in range(500):
        for tag, shares in mix.items():
            values = np.array([case["route"] if tag == "route" else case["slice"][tag] for case in cases])
            for value, share in shares.items():
                weights[values == value] *= share / weights[values == value].sum()
    return weights


def compared(against: Mapping[str, Any], margins: Mapping[str, float]) -> dict[str, tuple[str, bool]]:
    """What comparisons that gate come to, as `label_of` has it; Holm's correction is made among these alone."""
    gating = {name: found for name, found in against.items() if axis_of(name) in margins}
    adjusted = holm({name: found["p"] for name, found in gating.items() if "p" in found})
    labels: dict[str, tuple[str, bool]] = {}
    for name, found in gating.items():
        margin = margins[axis_of(name)]
        if axis_of(name) in RELATIVE and "absent" not in found:
            margin *= abs(found["baseline"])
        labels[name] = label_of(name, {**found, "p_adjusted": adjusted.get(name)}, margin)
    return labels


def axis_of(name: str) -> str:
    """The axis that a measure belongs to."""
    return name.partition(".")[0]


def verdict_on(found: Mapping[str, Any], *, guard: float, by_point: bool = False) -> str:
    """Pass, fail or inconclusive, from the figure that the scorecard gives an objective."""
    estimate, sign = found["estimate"], 1 if found["axis"] == "precision" else -1
    if "absent" in estimate and "point" in found:  # no more is known than that it is not below the floor
        estimate = {"value": found["point"], "low": found["floor"], "high": inf}
    if "absent" in estimate or found["units"] < 10:
        return "inconclusive"
    if "above" in estimate:
        return "fail"
    far, near = (estimate["low"], estimate["high"]) if sign > 0 else (estimate["high"], estimate["low"])
    value, room, best = (sign * (x - found["target"]) for x in (estimate["value"], far, near))
    if value >= 0 and (by_point or room >= -guard - 1e-12):
        return "pass"
    return "fail" if value < 0 and (by_point or best < 0) else "inconclusive"


def label_of(name: str, found: Mapping[str, Any], margin: float) -> tuple[str, bool]:
    """Better, same, worse or inconclusive, and whether it is shown to be no worse than the margin allows."""
    if "absent" in found:
        return "inconclusive", False
    sign = 1 if axis_of(name) == "precision" else -1
    low, point, high = sorted((sign * found["low"], sign * found["difference"], sign * found["high"]))
    stands_out = found["p_adjusted"] <= 1 - found["level"] + 1e-12
    if high < 0 and -point > margin and stands_out:
        return "worse", False
    if -margin <= low and high <= margin:
        return "same", True
    better = low > 0 and stands_out
    return ("better" if better else "inconclusive"), better or low >= -margin
