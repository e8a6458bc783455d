import pytest

from triaxis.domain.difference import Difference
from triaxis.domain.scorecard import Comparison
from triaxis.domain.slo import Regression
from triaxis.quantities import Absent
from triaxis.rules.gating.compare import blocks_noninferior, compare, sentence

NAME = "precision.tone"


def a_difference(
    low: float, difference: float, high: float, baseline: float = 0.9, p: float | None = None
) -> Difference:
    return Difference(
        difference=difference,
        low=low,
        high=high,
        level=0.9,
        n=80,
        method="paired cluster bootstrap",
        baseline=baseline,
        p=p,
    )


@pytest.mark.parametrize(
    ("low", "point", "high", "verdict"),
    [
        (-0.08, -0.05, -0.01, "worse"),  # 0 is out, and 0.05 is more than the margin of 0.02
        (-0.019, -0.015, -0.011, "same"),  # 0 is out, but all of it lies within the margin
        (-0.04, -0.015, -0.001, "inconclusive"),  # 0 is out, but the loss is within the margin
        (-0.01, 0.0, 0.01, "same"),
        (0.005, 0.01, 0.02, "same"),  # better, but by no more than the margin
        (0.01, 0.05, 0.09, "better"),
        (-0.01, 0.03, 0.07, "inconclusive"),
        (-0.05, -0.03, 0.01, "inconclusive"),
    ],
)
def test_labels_of_a_gated_dimension(low: float, point: float, high: float, verdict: Comparison) -> None:
    compared = compare({NAME: a_difference(low, point, high)}, Regression())[NAME]
    assert (compared.verdict, compared.gated, compared.margin) == (verdict, True, 0.02)


@pytest.mark.parametrize(
    ("low", "point", "high", "verdict"),
    [(-300, -200, -100, "better"), (10, 60, 110, "worse"), (-50, -5, 40, "same"), (10, 40, 70, "inconclusive")],
)
def test_less_latency_is_better_and_its_margin_is_relative(
    low: float, point: float, high: float, verdict: Comparison
) -> None:
    """5% of the baseline's 1,000 ms are 50 ms."""
    differences = {"latency.full.p95": a_difference(low, point, high, baseline=1000.0)}
    compared = compare(differences, Regression(margin={"latency": 0.05}))["latency.full.p95"]
    assert (compared.verdict, compared.gated, compared.margin) == (verdict, True, 50.0)


def test_an_axis_without_margin_is_labelled_but_not_gated() -> None:
    compared = compare({"cost.per_request": a_difference(0.1, 0.2, 0.3)}, Regression())["cost.per_request"]
    assert (compared.verdict, compared.gated, compared.margin) == ("worse", False, None)


def test_what_cannot_gate_does_not() -> None:
    assert not compare({NAME: a_difference(-0.3, -0.2, -0.1)}, Regression(), ungated={NAME})[NAME].gated


@pytest.mark.parametrize(("name", "axis"), [(NAME, "precision"), ("latency.full.p95", "latency")])
def test_nothing_is_said_of_an_absent_difference(name: str, axis: str) -> None:
    regression = Regression(margin={"precision": 0.02, "latency": 0.05})
    compared = compare({name: Absent("no case has both")}, regression)[name]
    assert compared.verdict == "inconclusive"
    assert compared.margin == (0.02 if axis == "precision" else None)
    assert blocks_noninferior(name, compared)
    assert sentence(name, compared) == f"{name} cannot be compared with the baseline: no case has both."


@pytest.mark.parametrize(
    ("low", "point", "high", "blocks"),
    [
        (0.01, 0.05, 0.09, False),  # better
        (-0.01, 0.0, 0.01, False),  # same
        (-0.01, 0.03, 0.07, False),  # cannot be said to be better, but is no worse than the margin allows
        (-0.05, -0.01, 0.01, True),
    ],
)
def test_noninferiority_is_shown_when_the_bound_is_within_the_margin(
    low: float, point: float, high: float, blocks: bool
) -> None:
    assert blocks_noninferior(NAME, compare({NAME: a_difference(low, point, high)}, Regression())[NAME]) is blocks


def test_an_ungated_comparison_blocks_nothing() -> None:
    compared = compare({"cost.per_request": a_difference(0.1, 0.2, 0.3)}, Regression())["cost.per_request"]
    assert not blocks_noninferior("cost.per_request", compared)


def test_sentences_carry_the_numbers() -> None:
    precision = compare({NAME: a_difference(-0.08, -0.05, -0.01)}, Regression())[NAME]
    assert sentence(NAME, precision) == (
        "precision.tone is 0.050 lower than the baseline's 0.900 (somewhere from -0.080 to -0.010), "
        "with a margin of 0.020."
    )
    cost = compare({"cost.per_request": a_difference(0.1, 0.2, 0.3)}, Regression())["cost.per_request"]
    assert sentence("cost.per_request", cost) == (
        "cost.per_request is $0.200 higher than the baseline's $0.900 (somewhere from $0.100 to $0.300)."
    )


def test_claims_are_corrected_for_how_many_are_made() -> None:
    """0.03 counts three times among the three that gate: 0.09, which is under 0.1; 0.04 counts twice, and no less."""
    differences = {
        "precision.a": a_difference(-0.2, -0.1, -0.01, p=0.03),
        "precision.b": a_difference(-0.2, -0.1, -0.01, p=0.04),
        "precision.c": a_difference(-0.1, 0.0, 0.1, p=0.9),
        "precision.d": Absent("no case has both"),
    }
    found = compare(differences, Regression())
    assert [found[name].verdict for name in sorted(differences)] == ["worse", "worse", "inconclusive", "inconclusive"]
    assert found["precision.a"].p_adjusted == pytest.approx(0.09)
    assert found["precision.b"].p_adjusted == pytest.approx(0.09)
    assert found["precision.d"].p_adjusted is None


def test_what_does_not_stand_out_among_many_is_inconclusive_and_says_so() -> None:
    differences = {f"precision.{c}": a_difference(-0.2, -0.1, -0.01, p=0.04) for c in "abc"}
    found = compare(differences, Regression())["precision.a"]
    assert found.verdict == "inconclusive"
    assert "Among all that are compared it does not stand out (p 0.12)." in sentence("precision.a", found)
    gain = compare({k: a_difference(0.01, 0.1, 0.2, p=0.04) for k in differences}, Regression())["precision.a"]
    assert gain.verdict == "inconclusive"


def test_hints_do_not_blunt_the_gate() -> None:
    """Twenty figures that gate nothing are a family of their own."""
    hints = {f"latency.{n}": a_difference(-1, 0, 1, baseline=1000.0, p=0.9) for n in range(20)}
    found = compare({NAME: a_difference(-0.2, -0.1, -0.01, p=0.04), **hints}, Regression())
    assert found[NAME].verdict == "worse"
    assert found[NAME].p_adjusted == pytest.approx(0.04)


def test_an_inconclusive_comparison_says_what_would_settle_it() -> None:
    """0.03 with 0.04 to either side: ((1.645 + 0.954) / 1.645 * 0.04 / 0.03)**2 = 4.44 times the 80 units."""
    found = compare({NAME: a_difference(-0.01, 0.03, 0.07)}, Regression(margin={"precision": 0.0}))[NAME]
    assert found.more == pytest.approx(80 * 3.44, rel=0.01)
    assert sentence(NAME, found).endswith("About 345% more cases would settle it, should this be the true difference.")
    never = compare({NAME: a_difference(-0.04, 0.0, 0.04)}, Regression(margin={"precision": 0.0}))[NAME]
    assert never.more is None
    assert sentence(NAME, never).endswith("More cases will not settle it, should this be the true difference.")
    assert compare({NAME: a_difference(0.01, 0.05, 0.09)}, Regression())[NAME].more is None
