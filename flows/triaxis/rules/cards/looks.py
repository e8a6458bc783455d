"""Looks as a scorecard has them: `looks: {datasets, variants, split: {holdout, use, by, seed, cases}}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from triaxis.domain.canonical import JsonValue
from triaxis.domain.looks import Looks, Side, Split


def looks_json(looks: Looks) -> dict[str, JsonValue]:
    """Without a split nothing is said of one."""
    counts: dict[str, JsonValue] = {"datasets": looks.datasets, "variants": looks.variants}
    if looks.split is None:
        return counts
    split: dict[str, JsonValue] = {
        "holdout": looks.split.holdout,
        "use": looks.split.use,
        "by": list(looks.split.by),
        "seed": looks.split.seed,
        "cases": looks.cases,
    }
    return {**counts, "split": split}


def looks_from(value: JsonValue) -> Looks:
    """The looks that `looks_json` wrote.

    Raises:
        KeyError, TypeError: where it did not.
    """
    said = cast("Mapping[str, JsonValue]", value)
    split = cast("Mapping[str, JsonValue] | None", said.get("split"))
    counted = Looks(datasets=cast("int", said["datasets"]), variants=cast("int", said["variants"]))
    if split is None:
        return counted
    parted = Split(
        holdout=cast("float", split["holdout"]),
        use=cast("Side", split["use"]),
        by=tuple(cast("Sequence[str]", split["by"])),
        seed=cast("int", split["seed"]),
    )
    return replace(counted, split=parted, cases=cast("int", split["cases"]))
