from __future__ import annotations

import numpy as np
import pytest

from triaxis.quantities import Absent
from triaxis.stats.clusters import Sample, cluster_codes, gateable, sampled, usual_value, with_unseen


def a_sample(values: list[float], clusters: list[str] | None = None, weights: list[float] | None = None) -> Sample:
    sample = sampled(values, clusters, weights)
    assert isinstance(sample, Sample)
    return sample


def test_codes_number_clusters_as_they_appear() -> None:
    assert cluster_codes(["b", "a", "b"], 3).tolist() == [0, 1, 0]
    assert cluster_codes(np.array(["y", "y", "x"]), 3).tolist() == [0, 0, 1]


def test_integers_are_numbered_in_their_order() -> None:
    assert cluster_codes(np.array([7, 7, 3]), 3).tolist() == [1, 1, 0]
    assert cluster_codes(np.array([70_000, -5, 70_000]), 3).tolist() == [1, 0, 1]
    assert cluster_codes(np.array([], dtype=np.int64), 0).tolist() == []


def test_labels_must_match_the_rows() -> None:
    with pytest.raises(ValueError, match="2 cluster labels for 3 values"):
        cluster_codes(["a", "b"], 3)


def test_ten_clusters_may_decide_a_gate() -> None:
    assert gateable(10)
    assert not gateable(9)


@pytest.mark.parametrize(
    ("values", "clusters", "weights", "why"),
    [
        ([], None, None, "no values"),
        ([1.0], None, None, "only 1 value; 2 are needed"),
        ([1.0, 0.0], None, [1.0, 0.0], "only 1 value; 2 are needed"),
        ([1.0, 0.0], ["a", "a"], None, "only 1 cluster; 10 are needed"),
        ([1.0] * 14, [str(i // 2) for i in range(14)], None, "only 7 clusters; 10 are needed"),
    ],
)
def test_too_little_data_is_absent(
    values: list[float], clusters: list[str] | None, weights: list[float] | None, why: str
) -> None:
    """Dependent rows need ten clusters, independent ones two values."""
    assert sampled(values, clusters, weights) == Absent(why)


@pytest.mark.parametrize(
    ("values", "weights", "problem"),
    [
        ([1.0, 2.0], [1.0], "1 weights for 2 values"),
        ([1.0, float("nan")], None, "finite values"),
        ([1.0, 2.0], [1.0, -1.0], "not negative"),
        ([1.0, 2.0], [1.0, float("inf")], "weights are finite"),
    ],
)
def test_unusable_numbers_are_refused(values: list[float], weights: list[float] | None, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        sampled(values, None, weights)


def test_singleton_clusters_are_independent_rows() -> None:
    assert a_sample([1.0, 0.0], ["x", "y"]).independent


def test_rows_of_no_weight_are_left_out() -> None:
    sample = a_sample([5.0, 1.0, 3.0], weights=[0.0, 1.0, 1.0])
    assert (sample.rows, sample.n_clusters, sample.mean) == (2, 2, 2.0)
    assert sample.equally_weighted


def test_robust_variance_of_independent_rows_is_the_textbook_one() -> None:
    """Of 1, 2, 3, 6: s**2 / n = (4 + 1 + 0 + 9) / 3 / 4."""
    assert a_sample([1.0, 2.0, 3.0, 6.0]).robust_variance() == pytest.approx(14 / 12)


def test_robust_variance_of_equal_clusters_is_that_of_their_means() -> None:
    """Ten clusters of two equal scores tell as much as ten scores: five 1s and five 0s, s**2 / n = (2.5 / 9) / 10."""
    sample = a_sample([float(i % 4 < 2) for i in range(20)], [str(i // 2) for i in range(20)])
    assert sample.robust_variance() == pytest.approx(2.5 / 9 / 10)
    assert sample.freedom == pytest.approx(9)


def test_a_heavy_cluster_leaves_fewer_degrees_of_freedom() -> None:
    """Weights 1, 1, 2: (4**2) / (1 + 1 + 4) = 2.67 effective rows."""
    sample = a_sample([0.0, 1.0, 1.0], weights=[1.0, 1.0, 2.0])
    assert sample.effective_rows() == pytest.approx(16 / 6)
    assert sample.freedom == pytest.approx(16 / 6 - 1)


def test_the_mean_of_equal_values_is_that_value() -> None:
    assert a_sample([0.001] * 80).mean == 0.001


def test_usual_value_is_what_nearly_all_share() -> None:
    """More than half the rows and under ten clusters with anything else."""
    assert usual_value(a_sample([0.0] * 71 + [1.0] * 9)) == 0.0
    assert usual_value(a_sample([0.0] * 70 + [1.0] * 10)) is None
    assert usual_value(a_sample([1.0, 2.0, 3.0])) is None


def test_unseen_clusters_stand_at_both_ends() -> None:
    sample = with_unseen(a_sample([1.0] * 20, [str(i // 2) for i in range(20)]), 0.0, 2.0)
    assert sample.values[-4:].tolist() == [0.0, 0.0, 2.0, 2.0]
    assert sample.weights[-4:].tolist() == [2.0] * 4
    assert sample.n_clusters == 14
