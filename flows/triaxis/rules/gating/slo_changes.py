"""Two versions of the objectives: what was added, removed, loosened, tightened, and what else changed.

Objectives are told apart by the measure that they bound, slice included: another slice is another objective.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TypeVar, assert_never

from triaxis.domain.slo import (
    AXES,
    Axis,
    CostObjective,
    ErrorsObjective,
    LatencyObjective,
    Objective,
    PrecisionObjective,
    Slo,
    Weights,
)
from triaxis.domain.slo_change import ChangeKind, SloChange
from triaxis.rules.gating.compare import RELATIVE
from triaxis.rules.gating.gate import limit_of
from triaxis.rules.names import objective_name
from triaxis.rules.words import percent, quantity

T = TypeVar("T")


def slo_changes(old: Slo, new: Slo) -> tuple[SloChange, ...]:
    """Every difference that means something: objectives by name, the comparison with the baseline, then the rest."""
    return tuple(chain(_objectives(old, new), _regression(old, new), _weights(old, new), _rest(old, new)))


def _objectives(old: Slo, new: Slo) -> Iterator[SloChange]:
    before = {objective_name(o): o for o in old.objectives}
    after = {objective_name(o): o for o in new.objectives}
    for name in sorted({*before, *after}):
        if name not in before:
            yield SloChange(kind="added", what=name, words=limit_of(after[name]).words)
        elif name not in after:
            yield SloChange(kind="removed", what=name, words=f"it was {limit_of(before[name]).words}")
        else:
            yield from _objective(name, before[name], after[name])


def _objective(name: str, old: Objective, new: Objective) -> Iterator[SloChange]:
    before, terms, others = limit_of(old), old.terms, new.terms
    was, now = before.target, limit_of(new).target
    yield from _moved(name, "target", was, now, looser=before.room(now) < 0, say=before.say)
    guard = percent if before.axis in RELATIVE else before.say
    yield from _moved(name, "guard", terms.guard, others.guard, looser=others.guard > terms.guard, say=guard)
    looser = others.confidence < terms.confidence
    yield from _moved(name, "confidence", terms.confidence, others.confidence, looser=looser, say=_plain)
    yield from _moved(name, "decide", terms.decide, others.decide, looser=others.decide == "point", say=str)
    yield from _changed(name, "tolerance", _tolerance(old), _tolerance(new))
    yield from _changed(name, "expected", terms.expected, others.expected)


def _moved(what: str, key: str, old: T, new: T, *, looser: bool, say: Callable[[T], str]) -> Iterator[SloChange]:
    """A change of something that decides, in one direction or the other."""
    if old != new:
        kind: ChangeKind = "loosened" if looser else "tightened"
        yield SloChange(kind=kind, what=what, words=_from_to(key, say(old), say(new), old, new))


def _changed(what: str, key: str, old: object, new: object) -> Iterator[SloChange]:
    """A change of something that decides nothing by itself."""
    if old != new:
        was, now = ("none" if value is None else f"{value}" for value in (old, new))
        yield SloChange(kind="changed", what=what, words=_from_to(key, was, now, old, new))


def _from_to(key: str, was: str, now: str, old: object, new: object) -> str:
    """Both values; to the last digit where they read alike."""
    return f"{key} from {was} to {now}" if was != now else f"{key} from {old!r} to {new!r}"


def _plain(value: float) -> str:
    return f"{value:g}"


def _tolerance(objective: Objective) -> str | None:
    match objective:
        case LatencyObjective(tolerance_ms=ms):
            return None if ms is None else f"{ms:.12g} ms"
        case CostObjective(tolerance_usd=usd):
            return None if usd is None else f"${usd:f}"
        case PrecisionObjective() | ErrorsObjective():
            return None
        case _:
            assert_never(objective)


def _regression(old: Slo, new: Slo) -> Iterator[SloChange]:
    before, after = old.regression, new.regression
    for axis in AXES:
        was, now = before.margin.get(axis), after.margin.get(axis)
        looser = now is None or (was is not None and now > was)
        say = partial(_margin, axis)
        yield from _moved(f"regression.margin.{axis}", "margin", was, now, looser=looser, say=say)
    looser = after.require == "no_regression"
    yield from _moved("regression.require", "it is", before.require, after.require, looser=looser, say=str)


def _margin(axis: Axis, margin: float | None) -> str:
    if margin is None:
        return "none, which gates nothing,"
    return percent(margin) if axis in RELATIVE else quantity(axis, margin)


def _weights(old: Slo, new: Slo) -> Iterator[SloChange]:
    yield from _changed("weights", "they are", _weights_text(old.weights), _weights_text(new.weights))


def _weights_text(weights: Weights | None) -> str | None:
    if weights is None:
        return None
    shares = f"latency {weights.latency:g}, cost {weights.cost:g}, precision {weights.precision:g}"
    return f"{shares} (because {weights.because})"


def _rest(old: Slo, new: Slo) -> Iterator[SloChange]:
    yield from _changed("confidence", "of figures and comparisons", old.confidence, new.confidence)
    before, after = old.traffic, new.traffic
    yield from _changed("traffic.sessions_per_day", "it is", before.sessions_per_day, after.sessions_per_day)
    yield from _changed(
        "traffic.requests_per_session", "it is", before.requests_per_session, after.requests_per_session
    )
    yield from _changed("traffic.mix", "it is", _mix(before.mix), _mix(after.mix))
    yield from _changed("owner", "it is", old.owner, new.owner)
    yield from _changed("review_by", "it is", old.review_by, new.review_by)


def _mix(mix: Mapping[str, Mapping[str, float]]) -> str | None:
    parts = [f"{tag} {value} {share:g}" for tag in sorted(mix) for value, share in sorted(mix[tag].items())]
    return ", ".join(parts) or None
