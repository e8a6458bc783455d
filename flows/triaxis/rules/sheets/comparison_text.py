"""A comparison of two sides for a terminal and for a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from triaxis.domain.canonical import JsonValue
from triaxis.domain.comparison import CasesChanged, Comparison, Pair
from triaxis.domain.plain import plain
from triaxis.domain.scorecard import Compared
from triaxis.quantities import Absent
from triaxis.rules.cards.values import difference_json
from triaxis.rules.names import measure_axis
from triaxis.rules.words import counted, quantity

CAUSES: Mapping[str, str] = {
    "cases": "only the cases that both have",
    "objectives": "the other objectives",
    "rubric": "the other rubric",
    "prices": "the other prices",
    "answers": "the other variants, answers and probes, on the cases that both have",
}
_MOST_IDS = 5


def comparison_text(comparison: Comparison) -> str:
    """What changed, what came of it, and which change alone is enough for it."""
    lines = [
        *_cases(comparison),
        *_changes(comparison),
        *(line for pair in comparison.pairs for line in _pair(comparison, pair)),
        *_attempts(comparison),
    ]
    return "\n".join(lines)


def _cases(comparison: Comparison) -> Iterator[str]:
    cases = comparison.cases
    if comparison.before == comparison.after:
        yield f"scorecard {comparison.before}, {counted(cases.common, 'cases')}"
        return
    yield f"scorecard {comparison.before}, then {comparison.after}"
    yield f"  cases: {cases.common} in both and alike"
    for word, ids in _moved(cases):
        if ids:
            more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
            yield f"  cases: {len(ids)} {word} ({', '.join(ids[:_MOST_IDS])}{more})"


def _moved(cases: CasesChanged) -> Sequence[tuple[str, tuple[str, ...]]]:
    return (("added", cases.added), ("removed", cases.removed), ("altered, and left out here", cases.altered))


def _changes(comparison: Comparison) -> Iterator[str]:
    for change in comparison.changes:
        yield f"  {change.cause}: {change.what}: {change.words}"
    if not comparison.changes:
        yield "  nothing else that they were made from changed"


def _pair(comparison: Comparison, pair: Pair) -> Iterator[str]:
    old, new = pair.verdicts
    names = pair.before if pair.before == pair.after else f"{pair.before}, then {pair.after}"
    verdict = f"{old}, as before" if old == new and comparison.before != comparison.after else f"{old}, then {new}"
    yield f"\n{names}: {verdict}"
    if pair.alike:
        yield "  every answer, score, cost and time is the same"
    for name, compared in sorted(pair.differences.items()):
        yield f"  {name} {_difference(name, compared)}"


def _difference(name: str, compared: Compared) -> str:
    axis, d = measure_axis(name), compared.difference
    if isinstance(d, Absent):
        return f"cannot be compared: {d.why}"
    sign = "+" if d.difference > 0 else ""
    interval = f"{quantity(axis, d.low)} to {quantity(axis, d.high)}"
    return f"{sign}{quantity(axis, d.difference)} ({interval}) from {quantity(axis, d.baseline)}: {compared.verdict}"


def _attempts(comparison: Comparison) -> Iterator[str]:
    turned = [pair for pair in comparison.pairs if pair.verdicts[0] != pair.verdicts[1]]
    if not comparison.attempts:
        return
    yield f"\nwhy, by each change alone on the evidence of {comparison.before}"
    for pair in turned:
        for attempt in comparison.attempts:
            verdict = attempt.verdicts.get(pair.before)
            said = verdict or attempt.why_not or "it is not among them"
            yield f"  {pair.before} with {CAUSES[attempt.cause]}: {said}"
        yield f"  {_because(comparison, pair)}"


def _because(comparison: Comparison, pair: Pair) -> str:
    enough = comparison.enough(pair)
    to = f"{pair.before} from {pair.verdicts[0]} to {pair.verdicts[1]}"
    if enough:
        causes = "; ".join(CAUSES[cause] for cause in enough)
        return f"So {'this alone is' if len(enough) == 1 else 'each of these alone is'} enough to take {to}: {causes}."
    unknown = [CAUSES[a.cause] for a in comparison.attempts if a.why_not]
    but = f", unless it is {' or '.join(unknown)}, which could not be tried" if unknown else ""
    return f"So no single change takes {to}{but}."


def comparison_json(comparison: Comparison) -> dict[str, JsonValue]:
    """The same for a program; `causes` are those that alone turn a verdict."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "cases": plain(comparison.cases),
        "changes": [plain(change) for change in comparison.changes],
        "pairs": [_pair_json(comparison, pair) for pair in comparison.pairs],
        "attempts": [plain(attempt) for attempt in comparison.attempts],
    }


def _pair_json(comparison: Comparison, pair: Pair) -> JsonValue:
    return {
        "before": pair.before,
        "after": pair.after,
        "verdicts": list(pair.verdicts),
        "alike": pair.alike,
        "differences": {name: _difference_json(c) for name, c in sorted(pair.differences.items())},
        "causes": list(comparison.enough(pair)),
    }


def _difference_json(compared: Compared) -> JsonValue:
    if isinstance(compared.difference, Absent):
        return {"absent": compared.difference.why}
    return {**difference_json(compared.difference), "verdict": compared.verdict}
