"""The routing decision itself: what its mistakes cost, and what else could have been done with the same arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from triaxis.domain.difference import Difference
from triaxis.domain.measures import estimated
from triaxis.domain.router import Cascade, Classifier
from triaxis.domain.routing import Alternative, ArmShare, Misroute, Routing, ThresholdSweep
from triaxis.domain.variant import RoutedVariant
from triaxis.quantities import Above, Absent, Estimate, Measure
from triaxis.rules.ahead import Ahead
from triaxis.rules.costing import cost_per
from triaxis.rules.latency import ProbeRows, latency_quantile, refusal, untold
from triaxis.rules.measure import Scores, mean_score
from triaxis.rules.names import STATISTICS
from triaxis.rules.pairing import paired_by_case
from triaxis.rules.sweeping import swept
from triaxis.rules.tally import NONE, Codes, Floats, Mask, distinct, per_case, present
from triaxis.rules.variant_measures import Plan, SeededBy, VariantRows

SHOWN = ("p50", "p95")
_FREE = "Its own cost and latency are negligible and were not measured."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """One routed variant's decisions, case by case in the order of the frame."""

    variant: RoutedVariant
    arms: Codes
    """The place of the variant that answers."""
    right: Codes
    """The place of the arm that the oracle names; `NONE` where it names none."""
    sure: Floats
    """From 0 to 1, how sure the router is of its route, or a cascade of its first answer; NaN where it is not said."""
    undecided: int
    """Cases for which it named no route."""
    before: Codes
    """The place of the variant whose call comes before the answer; `NONE` where none does."""
    judge_usd: Floats | None = None
    """Per case, what a judge cost whose word decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Everything that a routed variant is measured among."""

    names: tuple[str, ...]
    """Of the variants; their places are the codes."""
    rows: Mapping[str, VariantRows]
    oracle: VariantRows | None
    """The rows of the right arms; None where nothing says which they are."""
    ahead: Ahead | None
    plan: Plan
    seeded: SeededBy

    @property
    def weights(self) -> Mapping[str, float]:
        """Of the dimensions that score."""
        return {d.name: d.weight for d in self.plan.rubric.active}

    @property
    def cases(self) -> int:
        """How many there are."""
        return len(self.plan.frame.ids)

    def quality(self, place: int) -> Floats:
        """A variant's composite on each case: the weighted mean over the dimensions that scored it; NaN without one."""
        scores = self.rows[self.names[place]].scores
        return case_quality(scores, self.weights, self.plan)

    def usd(self, place: int) -> Floats:
        """A variant's dollars on each case."""
        costs = self.rows[self.names[place]].costs
        return per_case(costs.cases, costs.usd, self.cases)

    def ms(self, place: int) -> Floats:
        """A variant's mean milliseconds on each case, over the requests that succeeded."""
        probe = self.rows[self.names[place]].probe
        return _waits(probe, self.cases)


def _waits(probe: ProbeRows, cases: int) -> Floats:
    if refusal(probe) is not None:
        return np.full(cases, np.nan)
    times = probe.milliseconds("full")
    answered = np.flatnonzero(~np.isnan(times))
    return per_case(probe.cases[answered], times[answered], cases)


def case_quality(scores: Mapping[str, Scores], weights: Mapping[str, float], plan: Plan) -> Floats:
    """The weighted mean of a case's scores over the dimensions that have one; NaN where none has."""
    frame = plan.frame
    sums, of = np.zeros(len(frame.ids)), np.zeros(len(frame.ids))
    for name, rows in scores.items():
        values = rows.per_case(frame)
        known = ~np.isnan(values)
        sums += np.where(known, values, 0.0) * weights[name]
        of += known * weights[name]
    return np.divide(sums, of, out=np.full(len(sums), np.nan), where=of > 0)


def measure_routing(d: Decisions, field: Field) -> Routing:
    """Shares, misroutes, alternatives and, for two arms and a router that says how sure it is, the sweep."""
    labelled = d.right != NONE
    right = float((d.arms == d.right)[labelled].mean()) if labelled.any() else None
    return Routing(
        by="cascade" if isinstance(d.variant.router, Cascade) else d.variant.router.by,
        how=how(d.variant),
        shares=tuple(_shares(d, field)),
        undecided=d.undecided,
        right=Absent("no case says which route is right") if right is None else right,
        misroutes=tuple(_misroutes(d, field)),
        alternatives=tuple(_alternatives(d, field)),
        sweep=_sweep(d, field),
        usd=None if field.ahead is None else _mean(field.ahead.usd, "dollars"),
        ms=None if field.ahead is None else _wait(field.ahead),
    )


def how(variant: RoutedVariant) -> str:
    """How the variant decides, in one or two sentences."""
    router = variant.router
    if isinstance(router, Cascade):
        escalate = router.escalate
        score = f"the {escalate.when} {escalate.dimension} of its answer is under {escalate.below:g}"
        cost = "An escalated case costs both calls and waits for both."
        return f"{router.first} answers, and {router.second} where {score} or could not be taken. {cost}"
    match router.rule:
        case Classifier(learns=learns, folds=folds, seed=seed):
            learned = f"It learned `{learns}` from words and pairs of words, in {folds} folds with seed {seed}"
            return f"{learned}: no case is routed by a model that has seen it or its session. {_FREE}"
        case None if variant.caller is not None:
            return f"{variant.caller.model} is asked for every route; its calls are in the variant's cost and latency."
        case None:
            return f"The route is the case's `{router.field}`. {_FREE}"
        case _:
            return f"The route is found by {router.by} before anything is asked. {_FREE}"


def _mean(values: Floats, what: str) -> float | Absent:
    unknown = int(np.isnan(values).sum())
    return Absent(f"the {what} of {unknown} of {len(values)} cases are not known") if unknown else float(values.mean())


def _wait(ahead: Ahead) -> float | Absent:
    """Over the cases that were probed."""
    if ahead.unknown is not None:
        return Absent(ahead.unknown)
    known = ahead.ms[~np.isnan(ahead.ms)]
    return float(known.mean()) if len(known) else Absent("no call before an answer was probed")


def _shares(d: Decisions, field: Field) -> Iterator[ArmShare]:
    for place in _arms(d, field):
        n = int((d.arms == place).sum())
        yield ArmShare(arm=field.names[place], n=n, share=n / len(d.arms))


def _arms(d: Decisions, field: Field) -> list[int]:
    """The places of every arm, the default among them, by name."""
    router = d.variant.router
    names = {*router.arms.values(), *filter(None, [router.default])}
    return [place for place, name in enumerate(field.names) if name in names]


def _misroutes(d: Decisions, field: Field) -> Iterator[Misroute]:
    labelled = d.right != NONE
    for chosen in _arms(d, field):
        for right in _arms(d, field):
            among = (d.arms == chosen) & (d.right == right)
            if not among.any():
                continue
            yield Misroute(
                chosen=field.names[chosen],
                right=field.names[right],
                n=int(among.sum()),
                share=float(among.sum() / labelled.sum()),
                differences={} if chosen == right else dict(_costs_of(d, field, chosen, right, among)),
            )


def _costs_of(
    d: Decisions, field: Field, chosen: int, right: int, among: Mask
) -> Iterator[tuple[str, Estimate | Absent]]:
    """What was got from the chosen arm minus what the right one would have given, over the same cases.

    A cascade's first answer is part of what was got; a router's own call is not, since it is made either way.
    """
    got = {"usd": field.usd(chosen), "ms": field.ms(chosen), "precision": field.quality(chosen)}
    better = {"usd": field.usd(right), "ms": field.ms(right), "precision": field.quality(right)}
    if isinstance(d.variant.router, Cascade) and field.ahead is not None:
        got["usd"], got["ms"] = got["usd"] + field.ahead.usd, got["ms"] + field.ahead.ms
    plan = field.plan
    for kind, values in got.items():
        rng = field.seeded(f"routing.{kind}[{field.names[chosen]}>{field.names[right]}]")
        found = paired_by_case(values, better[kind], plan.frame, level=plan.level, rng=rng, among=among)
        yield kind, found if isinstance(found, Absent) else _estimate(found)


def _estimate(found: Difference) -> Estimate:
    return Estimate(
        value=found.difference, low=found.low, high=found.high, level=found.level, n=found.n, method=found.method
    )


def _alternatives(d: Decisions, field: Field) -> Iterator[Alternative]:
    yield _measured("router", field.rows[d.variant.name], field)
    always = {
        place: _measured(f"always {field.names[place]}", field.rows[field.names[place]], field)
        for place in _arms(d, field)
    }
    yield from always.values()
    yield _random(d, field, always)
    if field.oracle is not None:
        yield _measured("oracle", field.oracle, field)


def _measured(name: str, rows: VariantRows, field: Field) -> Alternative:
    plan = field.plan
    cost = cost_per(rows.costs, plan.frame, plan.slo.traffic, per="request", level=plan.level)
    return Alternative(
        name=name,
        n=distinct(rows.cases),
        precision=_composite(rows, field),
        usd=_value(cost),
        latency={
            q: _value(latency_quantile(rows.probe, plan.frame, measure="full", statistic=q, level=plan.level))
            for q in SHOWN
        },
    )


def _value(measure: Measure) -> float | Absent:
    if isinstance(measure, Absent):
        return measure
    if isinstance(measure, Above):
        return Absent("so many requests failed that this quantile is one of them")
    return measure.value


def _composite(rows: VariantRows, field: Field) -> float | Absent:
    """The weighted mean of the dimensions' means, as on a variant's own card."""
    plan, weights = field.plan, field.weights
    means = {name: mean_score(scores, plan.frame, level=plan.level) for name, scores in sorted(rows.scores.items())}
    missing = [name for name, measure in means.items() if estimated(measure) is None]
    if missing or not sum(weights[name] for name in means):
        return Absent(f"{', '.join(missing)} has no estimate" if missing else "no dimension scores")
    return sum(weights[n] * (estimated(m) or 0.0) for n, m in means.items()) / sum(weights[n] for n in means)


def _random(d: Decisions, field: Field, always: Mapping[int, Alternative]) -> Alternative:
    """What drawing an arm for each case would give on average, each as often as the router took it."""
    shares = {place: float((d.arms == place).mean()) for place in present(d.arms) if place in always}
    return Alternative(
        name="random",
        n=min(always[place].n for place in shares) if shares else 0,
        precision=_mixed([(share, always[place].precision) for place, share in shares.items()]),
        usd=_mixed([(share, always[place].usd) for place, share in shares.items()]),
        latency={q: _mixed_quantile(shares, field, STATISTICS[q]) for q in SHOWN},
    )


def _mixed(parts: list[tuple[float, float | Absent]]) -> float | Absent:
    absent = next((value for _, value in parts if isinstance(value, Absent)), None)
    return absent or sum(share * value for share, value in parts if not isinstance(value, Absent))


def _mixed_quantile(shares: Mapping[int, float], field: Field, q: float) -> float | Absent:
    """The quantile of the arms' times taken together, each arm weighing its share; failures rank slowest."""
    times: list[Floats] = []
    weights: list[Floats] = []
    for arm, share in shares.items():
        probe = field.rows[field.names[arm]].probe
        if (nothing := refusal(probe) or untold(probe, "full")) is not None:
            return nothing
        told = probe.milliseconds("full")[probe.telling("full")]
        times.append(np.where(np.isnan(told), inf, told))
        weights.append(np.full(len(told), share / len(told)))
    every: Floats = np.concatenate(times)
    order = np.argsort(every, kind="stable")
    reached: Floats = np.cumsum(np.concatenate(weights)[order])
    place = int(np.searchsorted(reached, q * float(reached[-1])))
    found = float(every[order[min(place, len(order) - 1)]])
    return found if isfinite(found) else Absent("so many requests failed that this quantile is one of them")


def _sweep(d: Decisions, field: Field) -> ThresholdSweep | None:
    """Where there are two arms, and every decision says how sure it is."""
    match _arms(d, field):
        case [one, other] if not np.isnan(d.sure).any():
            quality = field.quality(one), field.quality(other)
            return swept(d.arms, _sure_of_arm(d, field), (one, other), quality, field.names)
        case _:
            return None


def _sure_of_arm(d: Decisions, field: Field) -> Floats:
    """How sure the arm was the right one: of a cascade, as good as the first answer, or as bad where it escalated."""
    router = d.variant.router
    if not isinstance(router, Cascade):
        return d.sure
    return np.where(d.arms == field.names.index(router.second), 1 - d.sure, d.sure)
