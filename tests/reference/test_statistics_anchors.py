"""Published figures of statistics and of latency benchmarks come out as published."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow.parquet as pq
import pytest

from triaxis.quantities import Estimate
from triaxis.stats.mcnemar import mcnemar_p
from triaxis.stats.power import detectable_difference, pairs_to_detect
from triaxis.stats.quantiles import quantile

PUBLIC = Path(os.environ.get("TRIAXIS_PUBLIC_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
needs_public_data = pytest.mark.skipif(not PUBLIC.is_dir(), reason=f"no public data at {PUBLIC}")


def anchor(name: str) -> Mapping[str, object]:
    entries = json.loads((PUBLIC / "statistics" / "anchors.json").read_text(encoding="utf-8"))
    return next(entry for entry in entries if entry["id"] == name)


@needs_public_data
def test_mcnemar_of_agresti() -> None:
    """Agresti, Categorical Data Analysis: 150 turned away from the prime minister, 86 towards; p exact 3.716e-05."""
    ((_, away), (towards, _)) = cast("list[list[int]]", anchor("mcnemar_agresti")["data"])
    expected = cast("Mapping[str, float]", anchor("mcnemar_agresti")["recomputed"])["p_exact"]

    assert mcnemar_p(away, towards) == pytest.approx(expected, rel=1e-4)


@needs_public_data
def test_power_of_miller() -> None:
    """Miller 2024: 969 questions show 3 points; 198 show 13.3 asked once and 7.6 asked ten times."""
    expected = cast("Mapping[str, float]", anchor("miller_2024_power")["recomputed"])
    cases, once = 1 / 9, 2 / 6

    assert pairs_to_detect(0.03, variance=cases, alpha=0.05, power=0.8) == pytest.approx(expected["n"], rel=1e-5)
    assert pairs_to_detect(0.03, variance=cases + once, alpha=0.05, power=0.8) == pytest.approx(
        expected["n_with_sigma2_1_6_each_K1"], rel=1e-5
    )
    assert detectable_difference(198, variance=cases + once, alpha=0.05, power=0.8) == pytest.approx(
        expected["mde_n198_K1"], rel=1e-5
    )
    assert detectable_difference(198, variance=cases + once / 10, alpha=0.05, power=0.8) == pytest.approx(
        expected["mde_n198_K10"], rel=1e-5
    )


MEASURES = ("inter_token_latency_s", "ttft_s", "end_to_end_latency_s", "request_output_throughput_token_per_s")


def leaderboard() -> list[Mapping[str, object]]:
    path = PUBLIC / "llmperf_leaderboard" / "published_summaries.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


@cache
def requests() -> list[dict[str, object]]:
    path = PUBLIC / "llmperf_leaderboard" / "requests.parquet"
    return pq.read_table(path).to_pylist()  # pyright: ignore[reportUnknownMemberType] the stubs leave it half untyped


@needs_public_data
@pytest.mark.parametrize("summary", leaderboard(), ids=lambda summary: str(summary["file"]))
def test_quantiles_of_the_llmperf_leaderboard(summary: Mapping[str, object]) -> None:
    """Every published quantile, mean and deviation to 1e-9, over requests without an error, and the error rate."""
    run = [row for row in requests() if f"{row['provider']}_{row['size']}.json" == summary["file"]]
    answered = [row for row in run if row["error_code"] is None]

    assert 1 - len(answered) / len(run) == pytest.approx(summary["results_error_rate"], abs=1e-9)
    for measure in MEASURES:
        values = np.array([row[measure] for row in answered], dtype=np.float64)
        for percent in (25, 50, 75, 90, 95, 99):
            seen = quantile(values, q=percent / 100, level=0.5, limit=1e6)
            assert isinstance(seen, Estimate)
            assert seen.value == pytest.approx(summary[f"results_{measure}_quantiles_p{percent}"], rel=1e-9)
        assert float(np.mean(values)) == pytest.approx(summary[f"results_{measure}_mean"], rel=1e-9)
        assert float(np.std(values, ddof=1)) == pytest.approx(summary[f"results_{measure}_stddev"], rel=1e-9)
