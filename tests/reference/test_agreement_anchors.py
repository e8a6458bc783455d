"""Published figures of agreement, of judges against people, and of routers come out as published."""

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
from triaxis.stats.correlation import kendall, pearson, spearman
from triaxis.stats.differences import PairedEstimate
from triaxis.stats.kappa import table_kappa
from triaxis.stats.krippendorff import Scale, krippendorff_alpha
from triaxis.stats.ppi import prediction_powered_mean
from triaxis.stats.routing import apgr, sweep
from triaxis.stats.seeds import generator
from triaxis.stats.tango import tango

PUBLIC = Path(os.environ.get("TRIAXIS_PUBLIC_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
pytestmark = pytest.mark.skipif(not PUBLIC.is_dir(), reason=f"no public data at {PUBLIC}")
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def anchor(name: str) -> Mapping[str, object]:
    entries = json.loads((PUBLIC / "statistics" / "anchors.json").read_text(encoding="utf-8"))
    return next(entry for entry in entries if entry["id"] == name)


@cache
def rows(path: str) -> list[dict[str, object]]:
    return pq.read_table(PUBLIC / path).to_pylist()  # pyright: ignore[reportUnknownMemberType] the stubs leave it half untyped


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_of_krippendorff(scale: Scale) -> None:
    """Computing Krippendorff's Alpha-Reliability (2011): four raters, twelve units, some not rated."""
    given = anchor("krippendorff_2011_4x12")
    published = cast("Mapping[str, float]", given["published"])

    assert krippendorff_alpha(np.array(given["data"], dtype=np.float64), scale=scale) == pytest.approx(
        published[scale], abs=5e-4
    )


@pytest.mark.parametrize("place", range(3))
def test_kappa_of_three_tables(place: int) -> None:
    """Two of them share 60% raw agreement, and not the kappa."""
    given = anchor("cohen_kappa_tables")
    counts, published = cast("list[list[float]]", given["data"])[place], cast("list[float]", given["published"])[place]

    assert table_kappa(np.array(counts, dtype=np.float64).reshape(2, 2)) == pytest.approx(published, abs=5e-5)


def test_score_test_of_agresti() -> None:
    """Approval of a prime minister: chi squared 17.36 without correction, which is the score test's z squared."""
    given = anchor("mcnemar_agresti")
    ((both, away), (towards, neither)) = cast("list[list[int]]", given["data"])
    seen = tango(away, towards, both + away + towards + neither, level=0.95)

    assert isinstance(seen, PairedEstimate)
    assert seen.p == pytest.approx(cast("Mapping[str, float]", given["recomputed"])["p"], rel=1e-3)


UNIEVAL = "unieval_dimensions/topical_chat_scores.parquet"


def unieval(dimension: str) -> tuple[Floats, Floats]:
    """People's scores and the judge's, by item."""
    chosen = [row for row in rows(UNIEVAL) if row["dimension"] == dimension]
    chosen.sort(key=lambda row: cast("int", row["item"]))
    return np.array([row["human"] for row in chosen], dtype=np.float64), np.array([row["judge"] for row in chosen])


@pytest.mark.parametrize(
    "dimension", ["naturalness", "coherence", "engagingness", "groundedness", "understandability", "overall"]
)
def test_correlations_of_unieval(dimension: str) -> None:
    """Zhong et al. 2022, Topical-Chat: all three, to six digits."""
    text = (PUBLIC / "unieval_dimensions" / "published.json").read_text(encoding="utf-8")
    human, judge = unieval(dimension)
    found = [pearson(human, judge), spearman(human, judge), kendall(human, judge)]

    assert found == pytest.approx(json.loads(text)["topical_chat"][dimension], abs=6e-7)


@pytest.mark.parametrize(("name", "trust"), [("lam1", 1.0), ("ppipp", None), ("classical", 0.0)])
def test_prediction_powered_means_of_unieval(name: str, trust: float | None) -> None:
    """The first 100 of 360 items are labelled; the truth of all is 0.6289."""
    expected = cast("Mapping[str, object]", anchor("ppi_topical_chat_overall")[name])
    human, judge = unieval("overall")
    seen = prediction_powered_mean(human[:100] / 5, judge[:100], judge[100:], level=0.95, trust=trust)

    assert isinstance(seen, Estimate)
    assert seen.value == pytest.approx(cast("float", expected["est"]), abs=1e-6)
    assert [seen.low, seen.high] == pytest.approx(expected["ci"], abs=2e-6)


def answers() -> tuple[Floats, Floats]:
    """Mixtral's and GPT-4's on GSM8K, without the prompts that were in the router's training data."""
    lines = (PUBLIC / "routellm" / "contaminated_gsm8k.jsonl").read_text(encoding="utf-8").splitlines()
    seen_before = {json.loads(line)["eval_prompt"] for line in lines}
    clean = [row for row in rows("routellm/gsm8k.parquet") if row["prompt"] not in seen_before]
    weak, strong = (
        np.array([row[name] for row in clean], dtype=np.float64)
        for name in ("mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview")
    )
    return weak, strong


def test_models_and_oracle_of_routellm() -> None:
    """Ong et al. 2024, GSM8K: 63.73% and 85.77% of 1,307, and 92.96% where the better one always answers."""
    weak, strong = answers()

    assert len(weak) == 1307
    assert round(100 * weak.mean(), 2) == 63.73
    assert round(100 * strong.mean(), 2) == 85.77
    assert round(np.maximum(weak, strong).mean(), 4) == 0.9296
    assert sweep(strong - weak, weak, strong).quality.max() == pytest.approx(0.9296, abs=5e-5)


def test_a_random_router_recovers_half_of_the_gap() -> None:
    """APGR 0.50 +- 0.02 over many random routers."""
    weak, strong = answers()
    rng = generator("random router")
    found = [apgr(sweep(rng.random(len(weak)), weak, strong)) for _ in range(200)]

    assert np.mean([value for value in found if isinstance(value, float)]) == pytest.approx(0.5, abs=0.02)
