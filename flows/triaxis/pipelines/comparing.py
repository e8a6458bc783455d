"""What `compare` does: reads two sides, pairs them, and finds out which change alone turns a verdict.

Nothing is called and nothing is written: one change at a time is tried on stored evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from triaxis.adapters.evidence.files import FileEvidence
from triaxis.domain.case import Case
from triaxis.domain.comparison import Attempted, Comparison, InputChange, Pair
from triaxis.domain.evaluation import Inputs
from triaxis.domain.scorecard import Scorecard, Verdict
from triaxis.errors import NeedsCalls
from triaxis.pipelines.deciding import require_evidence
from triaxis.pipelines.past import past_evidence, scratch
from triaxis.pipelines.references import Sides, sides_of
from triaxis.rules.gating.compare import compare
from triaxis.rules.gating.input_changes import cases_changed, common_cases, input_changes, variant_changes
from triaxis.steps import judge
from triaxis.steps.pairing import Rated, paired
from triaxis.steps.reconsider import under
from triaxis.wiring import Wiring, stored_evidence, stored_scorecard, wire


def compared(root: Path, config: str, before: str, after: str) -> Comparison:
    """Two variants of the current scorecard, or two scorecards, or one variant of each.

    Args:
        root: The workspace.
        config: The evaluation file.
        before: `VARIANT`, the id of an archived scorecard (its first digits will do), or `ID:VARIANT`.
        after: The same.

    Raises:
        InputFaults: for a name or an id that is none, and for evidence that is not here any more.
    """
    wiring = wire(root, config)
    current = stored_scorecard(root, config)
    sides = sides_of(before, after, current, wiring.archived)
    with ExitStack() as stack:
        first = _rated(wiring, sides.before, current, stack)
        second = first if sides.same else _rated(wiring, sides.after, current, stack)
        return _compared(wiring, sides, first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Evidence as files, with the inputs that it was made for."""

    card: Scorecard
    inputs: Inputs
    evidence: FileEvidence

    @property
    def rated(self) -> Rated:
        return Rated(inputs=self.inputs, evidence=self.evidence)


def _rated(wiring: Wiring, card: Scorecard, current: Scorecard, stack: ExitStack) -> _Side:
    """The evidence of a scorecard: what stands in the reports folder, or what the archive's manifest names."""
    if card.id == current.id and card.id not in wiring.archived.ids():
        evidence = stored_evidence(wiring.root, wiring.config)
        require_evidence(card, evidence)
    else:
        evidence = stack.enter_context(past_evidence(wiring, card.id))
    return _Side(card=card, inputs=evidence.inputs(), evidence=evidence)


def _compared(wiring: Wiring, sides: Sides, first: _Side, second: _Side) -> Comparison:
    cases = common_cases(first.inputs.cases, second.inputs.cases)
    differences = paired(first.rated, second.rated, sides.pairs, cases)
    pairs = tuple(
        Pair(
            before=old,
            after=new,
            verdicts=(first.card.variants[old].verdict, second.card.variants[new].verdict),
            differences=compare(differences.get((old, new), {}), second.inputs.slo.regression),
            alike=(old, new) not in differences,
        )
        for old, new in sides.pairs
    )
    changes = _changes(sides, first, second)
    turned = not sides.same and any(pair.verdicts[0] != pair.verdicts[1] for pair in pairs)
    return Comparison(
        before=first.card.id,
        after=second.card.id,
        cases=cases_changed(first.inputs.cases, second.inputs.cases),
        changes=changes,
        pairs=pairs,
        attempts=tuple(_attempts(_Trial(wiring, first, second, cases), changes)) if turned else (),
    )


def _changes(sides: Sides, first: _Side, second: _Side) -> tuple[InputChange, ...]:
    if not sides.same:
        return input_changes(first.inputs, second.inputs)
    (old, new), *_ = sides.pairs
    return variant_changes(first.inputs.variant(old), first.inputs.variant(new))


@dataclass(frozen=True, slots=True)
class _Trial:
    """The first side's verdicts under one change at a time."""

    wiring: Wiring
    first: _Side
    second: _Side
    cases: Sequence[Case]

    def cases_alone(self) -> Scorecard:
        """Only the cases that both sides have."""
        return under(self.first.inputs.over(self.cases), self.first.evidence)

    def objectives_alone(self) -> Scorecard:
        """The second side's objectives."""
        return under(replace(self.first.inputs, slo=self.second.inputs.slo), self.first.evidence)

    def prices_alone(self) -> Scorecard:
        """The second side's prices of the models that both use."""
        mine, theirs = self.first.inputs.prices, self.second.inputs.prices
        rows = {model: theirs.rows.get(model, row) for model, row in mine.rows.items()}
        return under(replace(self.first.inputs, prices=replace(mine, rows=rows)), self.first.evidence)

    def rubric_alone(self) -> Scorecard:
        """The second side's rubric over the first side's answers."""
        return self._scored(self.first, replace(self.first.inputs, rubric=self.second.inputs.rubric))

    def answers_alone(self) -> Scorecard:
        """The second side's variants, answers and probes, over the cases that both have, by the first side's rules."""
        theirs, mine = self.second.inputs, self.first.inputs
        rows = {**theirs.prices.rows, **mine.prices.rows}
        prices = replace(mine.prices, rows=rows)
        ruled = replace(theirs, rubric=mine.rubric, slo=mine.slo, prices=prices)
        return self._scored(self.second, ruled, cases=self.cases)

    def _scored(self, side: _Side, inputs: Inputs, cases: Sequence[Case] | None = None) -> Scorecard:
        """A side's answers scored by another rubric, where that needs no judge's word that is not stored.

        Raises:
            NeedsCalls: where it does.
        """
        wanted = inputs if cases is None else inputs.over(cases)
        if inputs.rubric == side.inputs.rubric:
            return under(wanted, side.evidence)
        w = self.wiring
        with scratch(side.evidence, self.first.evidence, self.second.evidence) as (evidence, store):
            planned = judge.plan(inputs, evidence=evidence, store=store, templates=w.templates)
            if calls := sum(map(len, planned.orders)):
                raise NeedsCalls(calls)
            judge.collect(
                inputs,
                evidence=evidence,
                store=store,
                templates=w.templates,
                python=w.python_evaluators,
                schemas=w.json_schemas,
            )
            return under(wanted, evidence)


def _attempts(trial: _Trial, changes: Sequence[InputChange]) -> Iterator[Attempted]:
    """Each change that there is, alone."""
    changed = {change.cause for change in changes}
    ways: Mapping[str, tuple[bool, Callable[[], Scorecard]]] = {
        "cases": (_cases_differ(trial), trial.cases_alone),
        "objectives": ("objectives" in changed, trial.objectives_alone),
        "rubric": ("rubric" in changed, trial.rubric_alone),
        "prices": ("prices" in changed, trial.prices_alone),
        "answers": (_answers_differ(trial), trial.answers_alone),
    }
    for cause, (there, attempt) in ways.items():
        if there:
            yield _attempted(cause, attempt)


def _attempted(cause: str, attempt: Callable[[], Scorecard]) -> Attempted:
    try:
        verdicts: Mapping[str, Verdict] = {name: v.verdict for name, v in attempt().variants.items()}
    except NeedsCalls as error:
        return Attempted(cause=cause, verdicts={}, why_not=str(error))
    return Attempted(cause=cause, verdicts=verdicts)


def _cases_differ(trial: _Trial) -> bool:
    return trial.first.card.created_from.dataset_sha256 != trial.second.card.created_from.dataset_sha256


def _answers_differ(trial: _Trial) -> bool:
    old, new = trial.first.card.created_from, trial.second.card.created_from
    return (old.variants_sha256, old.evidence_sha256) != (new.variants_sha256, new.evidence_sha256)
