"""What an evaluation can decide, said before anything is spent: chances at expected values, and the fewest cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from triaxis.domain.case import Case
from triaxis.domain.evaluation import Inputs
from triaxis.domain.slo import ErrorsObjective, Objective, PrecisionObjective, Terms
from triaxis.domain.variant import ModelVariant
from triaxis.rules.names import objective_name
from triaxis.rules.words import counted, percent
from triaxis.stats.clusters import gateable
from triaxis.stats.power import detectable_difference, power, smallest_perfect_n
from triaxis.stats.settling import CHANCE


def prospects(inputs: Inputs) -> Iterator[str]:
    """What objectives on a share that state what they expect can decide, and those that no result could pass.

    Args:
        inputs: With the cases that would be evaluated, after split and sample.
    """
    for objective in inputs.slo.objectives:
        match objective:
            case PrecisionObjective(dimension=dimension, min=target, terms=terms):
                cases = _scored(inputs, dimension, terms)
                yield from _said(objective, cases, "cases", target, terms.expected)
                if len(inputs.variants) > 1 and gateable(cases) and terms.expected is not None:
                    yield _detected(objective, cases, terms.expected, terms.confidence)
            case ErrorsObjective(max_rate=rate, terms=terms):
                expected = None if terms.expected is None else 1 - terms.expected
                yield from _said(objective, *_called(inputs, terms), 1 - rate, expected)
            case _:
                pass


def _scored(inputs: Inputs, dimension: str, terms: Terms) -> int:
    """Cases of the slice that the dimension scores."""
    scores = next((d.where for d in inputs.rubric.active if d.name == dimension), None)
    return 0 if scores is None else sum(case.matches(scores) for case in _slice(inputs.cases, terms))


def _called(inputs: Inputs, terms: Terms) -> tuple[int, str]:
    """Requests of the smallest probe, since it supplies the rate; the cases where nothing is probed."""
    probes = [v.probe.requests for v in inputs.variants if isinstance(v, ModelVariant) and v.probe is not None]
    cases = len(_slice(inputs.cases, terms))
    if not probes:
        return cases, "cases"
    return round(min(probes) * cases / max(1, len(inputs.cases))), "requests"


def _slice(cases: Sequence[Case], terms: Terms) -> Sequence[Case]:
    return [case for case in cases if case.matches(terms.where)]


def _said(objective: Objective, units: int, unit: str, target: float, expected: float | None) -> Iterator[str]:
    terms, name = objective.terms, objective_name(objective)
    if not units or terms.decide == "point":
        return
    needed = smallest_perfect_n(target, guard=terms.guard, confidence=terms.confidence)
    if needed is None:
        yield f"{name}: its bound cannot be reached by any number of {unit}; lower the target or widen the guard."
    elif units < needed:
        yield f"{name}: {counted(units, unit)} cannot pass it, however good the answers are; {needed:,} can."
    elif expected is not None:
        chances = power(expected, target=target, guard=terms.guard, confidence=terms.confidence, n=units)
        yield (
            f"{name}: at the expected {terms.expected:g}, {counted(units, unit)} pass with a chance of "
            f"{percent(chances.passes)}, fail with {percent(chances.fails)} and leave it open with "
            f"{percent(chances.inconclusive)}."
        )


def _detected(objective: Objective, cases: int, expected: float, confidence: float) -> str:
    """As if answers of two variants were right or wrong independently of each other, which is the worst there is."""
    variance = 2 * expected * (1 - expected)
    least = detectable_difference(cases, variance=variance, alpha=2 * (1 - confidence), power=CHANCE)
    return (
        f"{objective_name(objective)}: against the baseline, {counted(cases, 'cases')} show a difference of "
        f"{least:.3f} with a chance of {percent(CHANCE)}, and a smaller one where both are right on much the same "
        "cases."
    )
