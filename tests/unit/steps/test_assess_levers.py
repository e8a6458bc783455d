"""What assess and decide say of levers, from rows in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from build_measures import (
    MemoryEvidence,
    a_generation,
    a_judgment,
    a_model,
    an_slo,
    evidence_of,
    some_cases,
    some_inputs,
)

from triaxis.domain.difference import Difference
from triaxis.domain.levers import LeverMeasures
from triaxis.domain.rows import Generation, Reply
from triaxis.domain.scorecard import Scorecard
from triaxis.domain.slo import PrecisionObjective, Terms
from triaxis.domain.variant import ImportedVariant, ModelVariant, Passage, Prompt, Retriever, RoutedVariant, Router
from triaxis.quantities import Absent, Estimate, Tokens
from triaxis.rules.cards.card import to_json
from triaxis.rules.cards.reader import from_json
from triaxis.steps.assess import assess
from triaxis.steps.decide import decide

CASES = tuple(replace(case, passages=("p",)) for case in some_cases(40))
BIG = replace(a_model("big"), params={"max_tokens": 600}, prompt=Prompt(path="p.md", text="{{ input }}"))
CAPPED = replace(
    BIG, name="capped", extends="big", levers=("max_tokens", "stop"), params={"max_tokens": 20, "stop": ["x"]}
)
TINY = replace(
    BIG, name="tiny", extends="capped", levers=("quantization", "tiering"), model="openai/tiny", endpoint="here"
)
ROUTED = RoutedVariant(
    name="routed",
    extends="big",
    levers=("tiering", "speculative_decoding"),
    router=Router(by="field", field="route", arms={"simple": "capped", "complex": "big"}),
)
SLO = an_slo(PrecisionObjective(dimension="resolution", min=0.9, terms=Terms(where={"route": ("complex",)})))


def score(variant: str, place: int) -> float:
    """What is capped loses on complex cases, which are the odd ones."""
    return float(place % 10 != 0) if variant == "big" or place % 2 == 0 else float(place % 4 == 1 and place % 3 == 0)


def some_evidence(*variants: ModelVariant | RoutedVariant | ImportedVariant) -> MemoryEvidence:
    evidence = evidence_of(some_inputs(*variants, cases=CASES, slo=SLO), score)
    evidence.made = [
        replace(g, reply=Reply(text="y", finish_reason="length", usage=g.reply.usage))
        if g.reply is not None and g.variant == "capped" and int(g.case_id[1:]) % 2
        else g
        for g in evidence.made
    ]
    return evidence


def card_of(*variants: ModelVariant | RoutedVariant) -> Scorecard:
    evidence = some_evidence(*variants)
    assess(evidence=evidence)
    return decide(evidence=evidence)


def lever(card: Scorecard, name: str) -> LeverMeasures:
    found = card.variants[name].measures.lever
    assert found is not None
    return found


def test_effects_are_against_what_a_variant_extends() -> None:
    """Of the baseline's the numbers are the same as against the baseline, drawn once."""
    card = card_of(BIG, CAPPED, TINY)
    assert card.variants["big"].lever is None
    capped = lever(card, "capped")
    assert capped.of == "big"
    assert capped.effects == card.variants["capped"].measures.against_baseline
    tiny = lever(card, "tiny").effects["precision.resolution"]
    assert isinstance(tiny, Difference)
    assert tiny.difference == 0
    assert card.variants["tiny"].lever is not None
    assert card.variants["capped"].lever is not None
    assert card.variants["capped"].lever.effects["precision.resolution"].verdict == "worse"
    assert not card.variants["capped"].lever.effects["precision.resolution"].gated


def test_a_variant_that_is_not_evaluated_gives_no_effects() -> None:
    found = lever(card_of(BIG, TINY), "tiny")
    assert set(found.effects.values()) == {Absent("capped is not evaluated here")}
    assert found.checks == ()


def test_checks_are_made_from_the_rows() -> None:
    card = card_of(BIG, CAPPED, TINY, ROUTED)
    says = {
        (name, c.lever): (c.outcome, c.says) for name in ("capped", "tiny", "routed") for c in lever(card, name).checks
    }
    assert says["capped", "max_tokens"][1].startswith(
        "20 of 40 answers were cut at 20 tokens. Most in: kind=policy 20 of 20"
    )
    assert says["capped", "stop"] == ("broken", "10.0 tokens an answer, 10.0 before.")
    assert says["tiny", "tiering"] == ("holds", "openai/tiny@here in place of openai/small.")
    # tiny says yes everywhere; capped says y to the odd half.
    assert says["tiny", "quantization"][1].startswith("50.0% of answers are the same.")
    # The view answers even cases by capped, which says yes there as big does.
    assert says["routed", "speculative_decoding"][0] == "holds"
    assert says["routed", "tiering"][0] == "broken"


def test_the_cap_stands_among_the_reasons() -> None:
    capped = card_of(BIG, CAPPED).variants["capped"]
    assert capped.verdict == "hold"
    assert capped.reasons[-1].startswith(
        "precision.resolution[route=complex]: 20 of 20 answers with route=complex were cut at 20"
    )
    # One objective and two comparisons are lost; of both measures the cap is the cause.
    assert len(capped.reasons) == 3 + 2


def test_recall_stands_beside_the_lever() -> None:
    retriever = Retriever(path="c.jsonl", passages=(Passage(id="p", text="a question"), Passage(id="q", text="x")), k=1)
    searching = replace(BIG, name="searching", extends="big", levers=("retrieval",), retriever=retriever)
    card = card_of(BIG, searching)
    assert isinstance(card.variants["searching"].measures.recall, Estimate)
    assert lever(card, "searching").checks[0].says == "100.0% of the labelled passages were found."
    value = to_json(card)
    assert from_json(value).variants["searching"].measures.recall is not None


def test_imported_answers_have_levers_too() -> None:
    imported = ImportedVariant(name="old", extends="big", levers=("fine_tuning",), model="openai/old")
    evidence = some_evidence(BIG, imported)
    found = assess(evidence=evidence).variants["old"].lever
    assert found is not None
    assert [c.outcome for c in found.checks] == ["holds"]


OLD = ImportedVariant(name="old")
NEW = ImportedVariant(name="new", extends="old", levers=("max_tokens", "prompt_caching"))


def imported(name: str, *, cut_at: Sequence[int | None] = (), cached: int | None = None) -> Iterator[Generation]:
    """An answer to each case; those of the first cases were cut, after so many tokens."""
    for place, case in enumerate(CASES):
        cut = place < len(cut_at)
        usage = Tokens(
            input=None if cached is None else 100 - cached, cached=cached, output=cut_at[place] if cut else 5
        )
        said = Reply(text="yes", finish_reason="length" if cut else "stop", usage=usage)
        yield replace(a_generation(name, case.id), reply=said)


def checks_of_import(*, cut_at: Sequence[int | None] = (), cached: int | None = None) -> dict[str, tuple[str, str]]:
    """What the levers of an import say of themselves, against one that was neither cut nor cached."""
    evidence = some_evidence(BIG, OLD, NEW)
    before = imported("old", cached=None if cached is None else 0)
    evidence.made += [*before, *imported("new", cut_at=cut_at, cached=cached)]
    evidence.judged += [a_judgment(name, case.id, 1.0) for name in ("old", "new") for case in CASES]
    found = assess(evidence=evidence).variants["new"].lever
    assert found is not None
    return {c.lever: (c.outcome, c.says) for c in found.checks}


def test_imported_answers_that_were_cut_alike_show_their_cap() -> None:
    outcome, says = checks_of_import(cut_at=(300, 300))["max_tokens"]
    assert (outcome, says.startswith("2 of 40 answers were cut at 300 tokens.")) == ("holds", True)


@pytest.mark.parametrize("cut_at", [(), (300, 301), (None, None)])
def test_without_a_length_that_they_share_nothing_tells_the_cap(cut_at: tuple[int | None, ...]) -> None:
    assert checks_of_import(cut_at=cut_at)["max_tokens"][0] == "unknown"


def test_imported_answers_say_what_was_read_from_cache() -> None:
    found = checks_of_import(cached=40)["prompt_caching"]
    assert found == ("holds", "40.0% of prompt tokens were read from cache, 0.0% before.")
    assert checks_of_import()["prompt_caching"][0] == "unknown"


def test_a_card_with_levers_is_read_as_it_was_written() -> None:
    runs = [replace(BIG, name=n, extends="big", factors=tuple(n.split("+"))) for n in ("a", "b", "a+b")]
    card = card_of(BIG, CAPPED, *runs)
    assert len(card.interactions) == 10
    read = from_json(to_json(card))
    assert to_json(read) == to_json(card)
    assert read.variants["capped"].measures.truncation
    assert read.interactions[0].interaction.levers == ("a", "b")


def test_half_of_a_design_says_what_it_cannot_tell_apart() -> None:
    runs = [replace(BIG, name=n, extends="big", factors=tuple(n.split("+"))) for n in ("a", "b", "c", "a+b+c")]
    read = from_json(to_json(card_of(BIG, *runs)))
    assert read.interactions[0].interaction.aliases == (("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c"))


def test_answers_that_nobody_counted_have_no_length() -> None:
    evidence = some_evidence(BIG, CAPPED)
    evidence.made = [replace(g, reply=None) for g in evidence.made]
    found = assess(evidence=evidence).variants["capped"].lever
    assert found is not None
    assert {c.lever: c.outcome for c in found.checks}["stop"] == "unknown"
