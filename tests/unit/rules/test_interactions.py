from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from build_measures import USAGE, a_model, a_probe_row, an_slo, evidence_of, some_cases, some_inputs

from triaxis.domain.difference import Difference
from triaxis.domain.levers import Interaction
from triaxis.domain.measures import Measures
from triaxis.domain.rows import ProbeRow
from triaxis.domain.scorecard import JudgedInteraction
from triaxis.domain.slo import PrecisionObjective, Terms
from triaxis.domain.variant import ImportedVariant, ModelVariant, ProbePlan, Variant
from triaxis.quantities import Absent, Tokens
from triaxis.rules.levers.interactions import judge_interactions
from triaxis.stats.distributions import t_critical, t_p
from triaxis.steps.assess import assess

CASES = some_cases(200)
PROBE = ProbePlan()


def a_run(*factors: str) -> ModelVariant:
    return replace(a_model("+".join(factors), probe=PROBE), extends="base", factors=factors)


DESIGN = (a_model(probe=PROBE), a_run("a"), a_run("b"), a_run("a", "b"))
SLO = an_slo(
    PrecisionObjective(dimension="resolution", min=0.5, terms=Terms(where={"kind": ("faq",)})),
    PrecisionObjective(dimension="resolution", min=0.5),
)


def right(shares: dict[str, float]) -> Callable[[str, int], float]:
    """Independent of each other but for the variant's share of right answers."""

    def score(variant: str, place: int) -> float:
        seeded = np.random.default_rng([place, sum(map(ord, variant))])
        return float(seeded.random() < shares[variant])

    return score


def probed(full_ms: dict[str, float], blocks: int = 8) -> list[ProbeRow]:
    """Blocks of 25 requests whose times spread around the variant's own."""
    return [
        a_probe_row(
            name,
            CASES[block * 25 + index].id,
            block=block,
            index=index,
            full_ms=ms + float(np.random.default_rng([block, index, len(name)]).normal(0, 20)),
            ttft_ms=ms / 2 + float(np.random.default_rng([block, index, len(name), 1]).normal(0, 20)),
        )
        for name, ms in full_ms.items()
        for block in range(blocks)
        for index in range(25)
    ]


def measured(shares: dict[str, float], probes: list[ProbeRow] | None = None, *variants: Variant) -> Measures:
    inputs = some_inputs(*(variants or DESIGN), cases=CASES, slo=SLO)
    evidence = evidence_of(inputs, right(shares))
    evidence.made = [
        replace(g, reply=replace(g.reply, usage=Tokens(input=100, output=20))) if g.reply and "a" in g.variant else g
        for g in evidence.made
    ]
    evidence.probed = probes or []
    return assess(evidence=evidence)


def by_measure(found: Measures) -> dict[str, Interaction]:
    return {i.measure: i for i in found.interactions}


def known(interaction: Interaction) -> Difference:
    assert isinstance(interaction.difference, Difference)
    return interaction.difference


EACH_HELPS_BOTH_HURT = {"base": 0.5, "a": 0.8, "b": 0.8, "a+b": 0.4}


def test_two_levers_that_each_help_and_together_hurt() -> None:
    """(0.4 - 0.8) - (0.8 - 0.5) = -0.7, of scores that are right or wrong case by case."""
    found = by_measure(measured(EACH_HELPS_BOTH_HURT))
    overall = known(found["precision.resolution"])
    assert overall.difference == pytest.approx(-0.7, abs=0.12)
    assert overall.low < -0.7 < overall.high < 0
    assert overall.baseline == pytest.approx(0.5, abs=0.1)
    assert (found["precision.resolution"].of, found["precision.resolution"].levers) == ("base", ("a", "b"))
    assert known(found["precision.resolution[kind=faq]"]).n == 100


def test_cost_and_errors_are_told_too() -> None:
    """`base` and both variants with an a in their name answer at twice the length: (20 - 20) - (10 - 20) tokens."""
    found = by_measure(measured(EACH_HELPS_BOTH_HURT))
    cost = known(found["cost.per_request"])
    assert cost.difference == pytest.approx((20 - 20 - 10 + 20) * 2e-6)
    assert cost.baseline == pytest.approx(100e-6 + 20 * 2e-6)
    assert known(found["errors.rate"]).difference == 0
    assert USAGE.output == 10


def test_a_slice_of_few_cases_tells_no_interaction() -> None:
    """Nine cases, under the ten that anything is said of."""
    few = some_cases(9)
    evidence = evidence_of(some_inputs(*DESIGN, cases=few, slo=SLO), right(EACH_HELPS_BOTH_HURT))
    found = by_measure(assess(evidence=evidence))
    assert isinstance(found["precision.resolution"].difference, Absent)


def test_latency_is_told_over_the_blocks_of_the_probes() -> None:
    """(400 - 300) - (350 - 500) = 250 ms."""
    times = {"base": 500.0, "a": 300.0, "b": 350.0, "a+b": 400.0}
    found = by_measure(measured(EACH_HELPS_BOTH_HURT, probed(times)))
    full = known(found["latency.full.p50"])
    assert full.difference == pytest.approx(250, abs=15)
    assert full.low < 250 < full.high
    assert (full.n, full.method, full.baseline) == (8, "joint block bootstrap, t", pytest.approx(500, abs=10))


def test_latency_without_paired_probes_says_why() -> None:
    times = {"base": 500.0, "a": 300.0, "b": 350.0, "a+b": 400.0}
    nothing = by_measure(measured(EACH_HELPS_BOTH_HURT))["latency.full.p50"].difference
    few = by_measure(measured(EACH_HELPS_BOTH_HURT, probed(times, blocks=4)))["latency.full.p50"].difference
    shifted = [replace(p, scheduled_ns=p.scheduled_ns + (p.variant == "a")) for p in probed(times)]
    unshared = by_measure(measured(EACH_HELPS_BOTH_HURT, shifted))
    assert isinstance(nothing, Absent)
    assert few == Absent("only 4 blocks; 5 are needed")
    assert unshared["latency.full.p50"].difference == Absent("the probes did not share one arrival schedule")


def test_imported_times_tell_no_interaction() -> None:
    times = {"base": 500.0, "a": 300.0, "b": 350.0, "a+b": 400.0}
    imported = [ImportedVariant(name=v.name, extends=v.extends, factors=v.factors) for v in DESIGN[1:]]
    inputs = some_inputs(ImportedVariant(name="base"), *imported, cases=CASES, slo=SLO)
    evidence = evidence_of(some_inputs(*DESIGN, cases=CASES, slo=SLO), right(EACH_HELPS_BOTH_HURT))
    evidence.given, evidence.probed = inputs, probed(times)
    found = by_measure(assess(evidence=evidence))
    assert "imported" in str(found["latency.full.p50"].difference)
    assert "no cost" in str(found["cost.per_request"].difference)


def test_rates_of_two_kinds_are_not_added_up() -> None:
    times = {"base": 500.0, "a": 300.0, "b": 350.0}
    found = by_measure(measured(EACH_HELPS_BOTH_HURT, probed(times)))
    assert "generation's" in str(found["errors.rate"].difference)


def labels(found: Measures) -> dict[str, str]:
    return {j.interaction.measure: j.verdict for j in judge_interactions(found.interactions, SLO)}


def test_a_planted_interaction_is_labelled() -> None:
    found = labels(measured(EACH_HELPS_BOTH_HURT))
    assert found["precision.resolution"] == "worse"
    assert found["errors.rate"] == "inconclusive"


def an_interaction(measure: str, value: float, half: float) -> Interaction:
    p = t_p(value * t_critical(0.9, 100) / half, 100)
    difference = Difference(
        difference=value, low=value - half, high=value + half, level=0.9, n=101, method="m", baseline=1.0, p=p
    )
    return Interaction(of="base", levers=("a", "b"), measure=measure, difference=difference)


def verdicts(*found: Interaction) -> list[str]:
    judged: tuple[JudgedInteraction, ...] = judge_interactions(found, an_slo())
    return [j.verdict for j in judged]


def test_many_claims_need_more_each() -> None:
    """Its interval excludes 0 (p = 0.05), which is a claim among one and none among four that say nothing."""
    # t at 100 degrees of freedom is 1.660 at level 0.9 and 1.984 at 0.95.
    borderline = an_interaction("precision.x", 0.2, half=0.2 * 1.660 / 1.984)
    silent = [an_interaction(f"precision.y{i}", 0.0, half=0.2) for i in range(3)]
    assert verdicts(borderline) == ["better"]
    assert verdicts(*silent, borderline) == ["inconclusive"] * 4
    sure = an_interaction("precision.z", 0.2, half=0.05)
    # After the surest of five, four are left, and 0.05 is more than 0.1 / 4.
    assert verdicts(*silent, borderline, sure) == ["inconclusive"] * 4 + ["better"]


def test_names_seed_the_draws() -> None:
    first, second = (by_measure(measured(EACH_HELPS_BOTH_HURT)) for _ in range(2))
    assert first == second
