"""The routing decision itself: what its mistakes cost, and what else could have been done with the same arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from triaxis.domain.router import Cascade, Classifier
from triaxis.domain.routing import ArmShare, Misroute, Routing, ThresholdSweep
from triaxis.domain.variant import RoutedVariant
from triaxis.quantities import Absent, Estimate
from triaxis.rules.measures.latency import ProbeRows, refusal
from triaxis.rules.measures.mix import UNWEIGHTED
from triaxis.rules.measures.pairing import estimate_of, paired_by_case
from triaxis.rules.measures.precision import Scores
from triaxis.rules.measures.tally import NONE, Codes, Floats, Mask, per_case, present
from triaxis.rules.measures.variant import Plan, SeededBy, VariantRows
from triaxis.rules.routes.ahead import Ahead
from triaxis.rules.routes.alternatives import Way, alternatives
from triaxis.rules.routes.sweep import swept

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

    def share(self, chosen: Mask, among: Mask | None = None) -> float:
        """Of production's requests, or of those like the cases `among`, the share that is like the chosen cases."""
        meant = np.flatnonzero(np.ones_like(chosen) if among is None else among)
        weighing = self.plan.frame.weighing(meant)
        return (UNWEIGHTED if isinstance(weighing, Absent) else weighing).mean(chosen[meant].astype(np.float64))

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
    right = field.share(d.arms == d.right, labelled) if labelled.any() else None
    return Routing(
        by="cascade" if isinstance(d.variant.router, Cascade) else d.variant.router.by,
        how=how(d.variant),
        shares=tuple(_shares(d, field)),
        undecided=d.undecided,
        right=Absent("no case says which route is right") if right is None else right,
        misroutes=tuple(_misroutes(d, field)),
        alternatives=tuple(alternatives(tuple(_ways(d, field)), field.plan, field.seeded)),
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
            caller = variant.caller
            words = "words and pairs of words" if caller is None else f"the embeddings that {caller.model} makes"
            cost = _FREE if caller is None else "Their calls are in the variant's cost and latency."
            learned = f"It learned `{learns}` from {words}, in {folds} folds with seed {seed}"
            return f"{learned}: no case is routed by a model that has seen it or its session. {cost}"
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
        mine = d.arms == place
        yield ArmShare(arm=field.names[place], n=int(mine.sum()), share=field.share(mine))


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
                share=field.share(among, labelled),
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
        yield kind, estimate_of(found)


def _ways(d: Decisions, field: Field) -> Iterator[Way]:
    """The router itself, and what could be done instead; a draw takes each arm as often as the router does."""
    yield Way(name="router", parts=((1.0, field.rows[d.variant.name]),))
    for place in _arms(d, field):
        yield Way(name=f"always {field.names[place]}", parts=((1.0, field.rows[field.names[place]]),))
    drawn = ((field.share(d.arms == place), field.rows[field.names[place]]) for place in present(d.arms))
    yield Way(name="random", parts=tuple((share, rows) for share, rows in drawn if share))
    if field.oracle is not None:
        yield Way(name="oracle", parts=((1.0, field.oracle),))


def _sweep(d: Decisions, field: Field) -> ThresholdSweep | None:
    """Where there are two arms, and every decision says how sure it is."""
    match _arms(d, field):
        case [one, other] if not np.isnan(d.sure).any():
            return swept(
                d.arms,
                _sure_of_arm(d, field),
                arms=(one, other),
                quality=(field.quality(one), field.quality(other)),
                names=field.names,
                frame=field.plan.frame,
                level=field.plan.level,
                rng=field.seeded("routing.sweep"),
            )
        case _:
            return None


def _sure_of_arm(d: Decisions, field: Field) -> Floats:
    """How sure the arm was the right one: of a cascade, as good as the first answer, or as bad where it escalated."""
    router = d.variant.router
    if not isinstance(router, Cascade):
        return d.sure
    return np.where(d.arms == field.names.index(router.second), 1 - d.sure, d.sure)
