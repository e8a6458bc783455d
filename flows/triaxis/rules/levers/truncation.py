"""Finish reason, slice, cap and change of score: whether a cap that cuts answers is why they got worse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from triaxis.domain.truncation import CUT, Truncation
from triaxis.quantities import Absent
from triaxis.rules.measures.pairing import paired_by_case
from triaxis.rules.measures.tally import NONE, CaseFrame, Codes, Floats, Mask, present
from triaxis.rules.measures.variant import SeededBy
from triaxis.rules.names import precision_name, sliced

MOST_VALUES = 12
"""A tag of more values than this is no way to sort answers by how they ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """How one variant's answers ended, one a row."""

    cases: Codes
    reasons: Codes
    """Into `names`; `NONE` where nobody said."""
    names: tuple[str, ...]
    caps: Floats
    """Most tokens of each answer; NaN where nothing was set."""

    @property
    def cut(self) -> Mask:
        """The answers that a cap cut."""
        code = self.names.index(CUT) if CUT in self.names else NONE - 1
        return self.reasons == code


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One variant's answers: how they ended and what they scored."""

    endings: Endings
    scores: Mapping[str, Floats]
    """By dimension, one a case, NaN where it has none."""


def truncation(
    ours: Ended,
    theirs: Ended,
    frame: CaseFrame,
    *,
    weights: Mapping[str, float],
    against: str,
    level: float,
    seeded: SeededBy,
) -> tuple[Truncation, ...]:
    """A row for each slice, finish reason and cap; nothing where no answer was cut.

    Args:
        ours: The variant's answers.
        theirs: Those that they are compared with, such as the answers of the variant that it extends.
        frame: The cases.
        weights: Of the dimensions.
        against: Whose `theirs` are.
        level: Two-sided, of the changes' intervals.
        seeded: The generator of one row's interval.
    """
    if not ours.endings.cut.any():
        return ()
    table = _Table(ours, theirs, frame, weights, against, level)
    everyone = np.ones(len(frame.ids), dtype=np.bool_)
    return tuple(row for where, among in _slices(frame, everyone) for row in table.rows(where, among, seeded))


def causes(measures: Iterable[str], rows: Sequence[Truncation]) -> tuple[str, ...]:
    """For measures of precision that fail: the sentence that names the cap, where cut answers scored worse."""
    told = {
        precision: row
        for row in rows
        if row.reason == CUT
        for dimension, change in row.changes.items()
        if change < 0
        for precision in [sliced(precision_name(dimension), {tag: (value,) for tag, value in row.where.items()})]
    }
    return tuple(_sentence(name, told[name]) for name in sorted(set(measures)) if name in told)


def _sentence(measure: str, row: Truncation) -> str:
    which = ", ".join(f"{tag}={value}" for tag, value in row.where.items())
    dimension = measure.removeprefix("precision.").partition("[")[0]
    lower = abs(row.changes[dimension])
    at = "by their cap" if row.cap is None else f"at {row.cap:,} tokens"
    return (
        f"{measure}: {row.n:,} of {row.of:,} answers{f' with {which}' if which else ''} were cut {at}; "
        f"those scored {lower:.2f} lower than {row.against}'s to the same cases."
    )


def _slices(frame: CaseFrame, everyone: Mask) -> Iterator[tuple[dict[str, str], Mask]]:
    yield {}, everyone
    for name, tag in sorted(frame.tags.items()):
        if len(tag.values) <= MOST_VALUES:
            yield from (({name: value}, tag.codes == code) for code, value in enumerate(tag.values))


@dataclass(frozen=True, slots=True)
class _Table:
    ours: Ended
    theirs: Ended
    frame: CaseFrame
    weights: Mapping[str, float]
    against: str
    level: float

    def rows(self, where: Mapping[str, str], among: Mask, seeded: SeededBy) -> Iterator[Truncation]:
        endings = self.ours.endings
        inside = among[endings.cases]
        for cap in _kinds(endings.caps[inside]):
            of_cap = inside & (np.isnan(endings.caps) if cap is None else endings.caps == cap)
            for code in present(endings.reasons[of_cap]):
                name = endings.names[code]
                chosen = of_cap & (endings.reasons == code)
                label = sliced(f"truncation.{name}.{cap}", {tag: (value,) for tag, value in where.items()})
                row = Truncation(
                    reason=name,
                    cap=cap,
                    where=where,
                    n=int(chosen.sum()),
                    of=int(inside.sum()),
                    score=None,
                    against=self.against,
                    change=Absent("nothing was scored"),
                )
                yield self._scored(row, chosen, seeded(label))

    def _scored(self, row: Truncation, chosen: Mask, rng: np.random.Generator) -> Truncation:
        """The row with the scores of its answers."""
        cases = np.zeros(len(self.frame.ids), dtype=np.bool_)
        cases[self.ours.endings.cases[chosen]] = True
        mine, others = _weighted(self.ours.scores, self.weights), _weighted(self.theirs.scores, self.weights)
        uncut = cases.copy()
        uncut[self.theirs.endings.cases[self.theirs.endings.cut]] = False
        scored = mine[cases & ~np.isnan(mine)]
        changes = {name: self._change(name, uncut) for name in sorted(self.weights)}
        return replace(
            row,
            score=float(scored.mean()) if len(scored) else None,
            change=paired_by_case(mine, others, self.frame, level=self.level, rng=rng, among=uncut),
            changes={name: change for name, change in changes.items() if change is not None},
        )

    def _change(self, dimension: str, among: Mask) -> float | None:
        change = (self.ours.scores[dimension] - self.theirs.scores[dimension])[among]
        known = change[~np.isnan(change)]
        return float(known.mean()) if len(known) else None


def _kinds(caps: Floats) -> tuple[int | None, ...]:
    """The different caps, none last."""
    known = [int(cap) for cap in np.unique(caps[~np.isnan(caps)]).tolist()]
    return (*known, None) if np.isnan(caps).any() else tuple(known)


def _weighted(scores: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Each case's mean score over the dimensions that scored it, by weight; NaN where none did."""
    stacked = np.array([scores[name] for name in sorted(weights)])
    heavy = np.array([weights[name] for name in sorted(weights)])[:, np.newaxis] * ~np.isnan(stacked)
    total = heavy.sum(axis=0)
    sums = (np.nan_to_num(stacked) * heavy).sum(axis=0)
    return np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0)
