"""Objectives to verdicts: pass, fail or inconclusive; and variants to promote, hold or inconclusive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isclose
from typing import assert_never

from triaxis.domain.measures import ObjectiveMeasure
from triaxis.domain.scorecard import Compared, JudgedObjective, ObjectiveVerdict, Verdict
from triaxis.domain.slo import Axis, Objective, Regression
from triaxis.quantities import Above, Absent, Estimate, Measure
from triaxis.rules.gating.compare import RELATIVE, better_is_more, not_shown, sentence
from triaxis.rules.names import objective_axis, objective_name, objective_target
from triaxis.rules.words import counted, percent, quantity
from triaxis.stats.clusters import MIN_CLUSTERS, gateable
from triaxis.stats.settling import MOST_MORE, more_units, n_to_settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What an estimate is held against."""

    axis: Axis
    target: float
    guard: float
    """In the measure's unit, not below 0."""
    confidence: float
    by_point: bool
    """Whether the interval is ignored."""

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if better_is_more(self.axis) else -1

    def room(self, value: float) -> float:
        """How far a value is on the right side of the target; limits are inclusive, so that rounding is no miss."""
        return 0.0 if isclose(value, self.target, rel_tol=1e-12) else self.sign * (value - self.target)

    def holds(self, value: float) -> bool:
        """Whether a value is no further than the guard beyond the target."""
        return self.room(value) >= -self.guard or isclose(self.room(value), -self.guard, rel_tol=1e-9)

    def ends(self, estimate: Estimate) -> tuple[float, float]:
        """The interval's end that could still miss the target, and the one that could still meet it."""
        return (estimate.low, estimate.high) if self.sign > 0 else (estimate.high, estimate.low)

    def say(self, value: float) -> str:
        """A value in words."""
        return quantity(self.axis, value)

    @property
    def words(self) -> str:
        """The target in words."""
        return f"{'at least' if self.sign > 0 else 'at most'} {self.say(self.target)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A verdict with its reason."""

    verdict: ObjectiveVerdict
    why: str
    bound: float | None = None
    more: int | None = None


def limit_of(objective: Objective) -> Limit:
    """What the objective holds its measure against; guards on latency and cost are shares of their limit."""
    axis, target, terms = objective_axis(objective), objective_target(objective), objective.terms
    guard = terms.guard * target if axis in RELATIVE else terms.guard
    by_point = terms.decide == "point"
    return Limit(axis=axis, target=target, guard=guard, confidence=terms.confidence, by_point=by_point)


def judge_objective(objective: Objective, measured: ObjectiveMeasure) -> JudgedObjective:
    """The verdict on one objective."""
    limit = limit_of(objective)
    ruling = _rule(limit, measured)
    return JudgedObjective(
        axis=limit.axis,
        name=objective_name(objective),
        target=limit.target,
        estimate=measured.estimate,
        verdict=ruling.verdict,
        why=ruling.why,
        bound=ruling.bound,
        guard=limit.guard,
        more=ruling.more,
        point=measured.point,
    )


def judge_variant(
    objectives: Sequence[JudgedObjective], against_baseline: Mapping[str, Compared], regression: Regression
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on one variant, and the sentences that decide it.

    The baseline comes with no comparisons. An inconclusive comparison blocks only under `require: noninferior`, and
    there only while the interval reaches beyond the margin.
    """
    if not objectives:
        return "inconclusive", ("The SLO has no objectives to decide by.",)
    objectives = sorted(objectives, key=lambda o: (o.name, o.target))
    failing = [_reason(o) for o in objectives if o.verdict == "fail"]
    failing += [sentence(n, c) for n, c in sorted(against_baseline.items()) if c.gated and c.verdict == "worse"]
    if failing:
        return "hold", tuple(failing)
    open_ = [_reason(o) for o in objectives if o.verdict == "inconclusive"]
    if regression.require == "noninferior":
        named = {objective.name.partition("[")[0] for objective in objectives}
        open_ += [sentence(name, against_baseline[name]) for name in not_shown(against_baseline, named)]
    if open_:
        return "inconclusive", tuple(open_)
    beaten = " and nothing that is gated is worse than the baseline" if against_baseline else ""
    return "promote", (f"Every objective passes{beaten}.",)


def failing(objectives: Sequence[JudgedObjective], against_baseline: Mapping[str, Compared]) -> tuple[str, ...]:
    """The measures for which a variant is held back."""
    lost = [name for name, c in against_baseline.items() if c.gated and c.verdict == "worse"]
    return tuple(sorted({o.name for o in objectives if o.verdict == "fail"} | set(lost)))


def _reason(objective: JudgedObjective) -> str:
    return f"{objective.name}: {objective.why}"


def _rule(limit: Limit, measured: ObjectiveMeasure) -> Ruling:
    """The ruling on a measure: what keeps it from deciding anything first, then the value and its bounds."""
    ruling = _rule_on(limit, measured.estimate, measured)
    if ruling.verdict == "inconclusive" and ruling.bound is None:
        return ruling
    if measured.units is not None and not gateable(measured.units):
        have = counted(measured.units, measured.unit)
        why = f"It rests on {have} only; under {MIN_CLUSTERS} nothing is decided. {ruling.why}"
        return Ruling(verdict="inconclusive", why=why, bound=ruling.bound, more=MIN_CLUSTERS - measured.units)
    if measured.unvalidated:
        why = f"Its judge has no stored calibration, so it decides nothing. {ruling.why}"
        return Ruling(verdict="inconclusive", why=why, bound=ruling.bound)
    return _with_abstentions(limit, measured, ruling)


def _with_abstentions(limit: Limit, measured: ObjectiveMeasure, ruling: Ruling) -> Ruling:
    """Abstentions are not a random sample: the verdict must be the same had they all failed and had they all passed."""
    if measured.if_abstained_fail is None or measured.if_abstained_pass is None:
        return ruling
    worst = _rule_on(limit, measured.if_abstained_fail, measured)
    best = _rule_on(limit, measured.if_abstained_pass, measured)
    unread = f"{counted(measured.abstained, 'scores')} could not be read"
    if worst.verdict == best.verdict:
        why = f"{ruling.why} {unread}, which changes nothing." if ruling.verdict == worst.verdict else worst.why
        return Ruling(verdict=worst.verdict, why=why, bound=ruling.bound, more=worst.more)
    why = f"{unread}: had they all failed the verdict would be {worst.verdict}, had they all passed {best.verdict}."
    return Ruling(verdict="inconclusive", why=f"{ruling.why} But {why}", bound=ruling.bound)


def _rule_on(limit: Limit, estimate: Measure, measured: ObjectiveMeasure) -> Ruling:
    match estimate:
        case Absent(why=why):
            return _by_what_is_known(limit, why, measured)
        case Above(limit=timeout):
            why = f"So many requests failed that this quantile is one of them; it is above {limit.say(timeout)}."
            return Ruling(verdict="fail", why=f"{why} The target is {limit.words}.", bound=timeout)
        case Estimate():
            return _by_point(limit, estimate.value) if limit.by_point else _by_bounds(limit, estimate, measured)
        case _:
            assert_never(estimate)


def _by_what_is_known(limit: Limit, why: str, measured: ObjectiveMeasure) -> Ruling:
    """What wants an upper bound alone can fail by the lower one, and pass where bounds are ignored."""
    point, floor = measured.point, measured.floor
    if point is None or floor is None:
        return Ruling(verdict="inconclusive", why=f"There is no estimate: {why}.")
    if limit.by_point:
        return _by_point(limit, point)
    text = f"{limit.say(point)} {'meets' if limit.room(point) >= 0 else 'misses'} the target of {limit.words}"
    if limit.room(floor) < 0:
        sure = f"{_sure(limit)} it is no lower than {limit.say(floor)}"
        return Ruling(verdict="fail", why=f"{text}, and {sure}.", bound=floor)
    return Ruling(verdict="inconclusive", why=f"{text}, but it has no upper bound: {why}.")


def _by_point(limit: Limit, value: float) -> Ruling:
    met = limit.room(value) >= 0
    verdict: ObjectiveVerdict = "pass" if met else "fail"
    why = f"{limit.say(value)} {'meets' if met else 'misses'} the target of {limit.words}"
    return Ruling(verdict=verdict, why=f"{why}; bounds are ignored, as the SLO asks.", bound=value)


def _by_bounds(limit: Limit, estimate: Estimate, measured: ObjectiveMeasure) -> Ruling:
    """Pass: the point meets the target and the bound the guard. Fail: the point and the opposite bound both miss."""
    adverse, kind = limit.ends(estimate)
    sure, value = _sure(limit), limit.say(estimate.value)
    worse, better = ("low", "high") if limit.sign > 0 else ("high", "low")
    if limit.room(estimate.value) >= 0:
        text = f"{value} meets the target of {limit.words}"
        if limit.holds(adverse):
            why = f"{text}; {sure} it is no {worse}er than {limit.say(adverse)}{_within(limit, adverse)}."
            return Ruling(verdict="pass", why=why, bound=adverse)
        why = f"{text}, but it may be as {worse} as {limit.say(adverse)}{_beyond(limit)}."
        return _open(why, limit, estimate, measured, bound=adverse)
    text = f"{value} misses the target of {limit.words}"
    if limit.room(kind) < 0:
        why = f"{text}, and {sure} it is no {better}er than {limit.say(kind)}."
        return Ruling(verdict="fail", why=why, bound=kind)
    why = f"{text}, but it may be as {better} as {limit.say(kind)}: too close to call."
    return _open(why, limit, estimate, measured, bound=kind)


def _sure(limit: Limit) -> str:
    return f"with {percent(limit.confidence).replace('.0%', '%')} confidence"


def _within(limit: Limit, adverse: float) -> str:
    return "" if limit.room(adverse) >= 0 else f", within the guard of {limit.say(limit.guard)}"


def _beyond(limit: Limit) -> str:
    return f", beyond the guard of {limit.say(limit.guard)}" if limit.guard else ", on the wrong side of it"


def _open(why: str, limit: Limit, estimate: Estimate, measured: ObjectiveMeasure, *, bound: float) -> Ruling:
    """An inconclusive ruling that says what would settle it."""
    more = _more(limit, estimate, measured)
    if more is None:
        settles = f"More {measured.unit} will not settle it, should this be the true value."
    else:
        unit = measured.unit.removesuffix("s") if more == 1 else measured.unit
        settles = f"About {more:,} more {unit} would settle it, should this be the true value."
    return Ruling(verdict="inconclusive", why=f"{why} {settles}", bound=bound, more=more)


def _more(limit: Limit, estimate: Estimate, measured: ObjectiveMeasure) -> int | None:
    """How many more units, in the objective's own; an estimate over blocks counts those, so the ratio is what holds."""
    if limit.axis in RELATIVE:
        needed = more_units(estimate, limit=limit.target, guard=limit.guard)
    else:
        needed = n_to_settle(estimate, target=limit.target, guard=limit.guard, at_least=limit.sign > 0)
    if needed is None:
        return None
    units = estimate.n if measured.units is None else measured.units
    more = max(1, ceil(needed * units / estimate.n))
    return more if more <= MOST_MORE else None
