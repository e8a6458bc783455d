"""What publish makes of stored evidence: which cases it shows, whose answers, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from build_imports import an_import
from build_measures import MemoryEvidence, a_model, evidence_of, some_cases, some_inputs

from triaxis.domain.evaluation import Expectation, Quarantined, Validation
from triaxis.domain.rows import Generation
from triaxis.steps.assess import assess
from triaxis.steps.decide import decide
from triaxis.steps.publish import CONTRASTS, LONGEST, Contrast, publish


@dataclass(slots=True)
class Recorder:
    """Pages that keep what they are given."""

    given: dict[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The page's name."""
        self.given[name] = values
        return f"this is {name}\n"


def decided(cases: int = 4, **texts: str) -> MemoryEvidence:
    """`base` is right about every case but the last, `rival` only about the last; answers are `texts` by variant."""
    inputs = some_inputs(a_model("base"), a_model("rival"), cases=some_cases(cases))
    evidence = evidence_of(inputs, lambda name, place: float((name == "base") != (place == cases - 1)))
    evidence.made = [_saying(row, texts.get(row.variant, f"{row.variant} on {row.case_id}")) for row in evidence.made]
    assess(evidence=evidence)
    decide(evidence=evidence)
    return evidence


def _saying(row: Generation, text: str) -> Generation:
    assert row.reply is not None
    return replace(row, reply=replace(row.reply, text=text))


def published(evidence: MemoryEvidence) -> Recorder:
    pages = Recorder()
    publish(evidence=evidence, pages=pages)
    return pages


def contrasts(evidence: MemoryEvidence) -> Sequence[Contrast]:
    return cast("Sequence[Contrast]", published(evidence).given["scorecard.html"]["contrasts"])


def facts(evidence: MemoryEvidence) -> dict[str, str]:
    return dict(cast("Sequence[tuple[str, str]]", published(evidence).given["scorecard.html"]["facts"]))


def test_every_page_is_written() -> None:
    evidence = decided()
    pages = published(evidence)
    for name in ("scorecard.md", "scorecard.html", "validation.html"):
        assert evidence.read_text(name) == f"this is {name}\n"
    assert pages.given["scorecard.md"] == pages.given["scorecard.html"]


def test_cases_are_shown_where_variants_part() -> None:
    """With what each of them said, the better first."""
    first, *others = contrasts(decided())
    assert len(others) == 3
    assert (first.gap, first.expected) == ("1.00 apart", "yes")
    answers = {contrast.id: [(a.variant, a.score, a.text) for a in contrast.answers] for contrast in (first, *others)}
    assert answers["c000"] == [("base", "1.000", "base on c000"), ("rival", "0.000", "rival on c000")]
    assert answers["c003"] == [("rival", "1.000", "rival on c003"), ("base", "0.000", "base on c003")]


def test_no_more_cases_than_one_reads() -> None:
    assert len(contrasts(decided(cases=CONTRASTS + 5))) == CONTRASTS


def test_a_long_answer_is_cut() -> None:
    shown = contrasts(decided(base="x" * (LONGEST + 1)))[0].answers
    text = next(answer.text for answer in shown if answer.variant == "base")
    assert (len(text), text[-2:]) == (LONGEST, "x…")


def test_a_failed_call_has_no_answer() -> None:
    evidence = decided()
    evidence.made = [replace(row, reply=None) if row.variant == "rival" else row for row in evidence.made]
    assert {a.text for c in contrasts(evidence) for a in c.answers if a.variant == "rival"} == {"(no answer)"}


def test_the_facts_name_every_input() -> None:
    found = facts(decided())
    assert found["Dataset"].startswith("4 cases · ")
    assert found["Rubric"].startswith("1 scoring dimension · ")
    assert "openai/small" in " ".join(found.values())


BAD = Expectation(name="n", column=None, success=False, failing_ids=("c1",), checked=4, detail="d")


@pytest.mark.parametrize(
    ("validation", "says"),
    [
        (Validation(expectations=(), quarantined=(), cases=4), "The ground truth holds every expectation."),
        (
            Validation(expectations=(BAD,), quarantined=(Quarantined(id="c1", reasons=("d",)),), cases=4),
            "1 expectation failed; 1 case set aside.",
        ),
    ],
)
def test_the_ground_truth_has_a_headline(validation: Validation, says: str) -> None:
    evidence = decided()
    evidence.validated = validation
    assert published(evidence).given["validation.html"]["headline"] == says
    assert says in facts(evidence)["Ground truth"]


def test_imported_answers_name_their_model_where_they_have_one() -> None:
    """What nobody named is called imported."""
    evidence = decided()
    evidence.given = replace(evidence.given, variants=(an_import("base"), an_import("rival", model="openai/x")))
    assert facts(evidence)["Variants"].startswith("2 variants on imported answers, openai/x · ")
