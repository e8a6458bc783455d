"""From a workspace as read to the inputs of a run: validation, quarantine, the sample, the choice of variants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from build_imports import a_response, an_import
from build_measures import MemoryEvidence, a_model, some_cases, some_inputs

from triaxis.adapters.python_evaluators import PythonSources
from triaxis.adapters.route_classifier import EmbeddingLearner, TfidfLearner
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case
from triaxis.domain.evaluation import Expectation, Inputs, Operations, Quarantined, Sample, Source, Validation
from triaxis.domain.looks import Look, Looks, Split
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.router import Router
from triaxis.domain.variant import Prompt, RoutedVariant, Variant
from triaxis.errors import InputFaults
from triaxis.ports.routing import Routing
from triaxis.steps.prepare import prepare, resolve

SOUND = Validation(expectations=(), quarantined=(), cases=8)


@dataclass(slots=True)
class Verdict:
    """A validator that says one thing, and remembers what it was asked."""

    validation: Validation = SOUND
    asked: list[tuple[int, Sequence[str]]] = field(default_factory=list[tuple[int, Sequence[str]]])

    def validate(self, cases: Sequence[Case], suite: JsonValue, prompts: Mapping[str, str]) -> Validation:
        """As told."""
        del suite
        self.asked.append((len(cases), tuple(prompts)))
        return self.validation


@dataclass
class Kept(MemoryEvidence):
    """Evidence that keeps the hashes it is given, as files do."""

    written: Mapping[str, str] = field(default_factory=dict[str, str])

    def write_inputs(
        self,
        inputs: Inputs,
        validation: Validation,
        hashes: Mapping[str, str],
        responses: Iterable[ImportedResponse] = (),
    ) -> None:
        """Keeps all of them."""
        super().write_inputs(inputs, validation, hashes, responses)
        self.written = hashes

    def hashes(self) -> Mapping[str, str]:
        """As written."""
        return self.written


ROUTING = Routing(functions=PythonSources(), learner=TfidfLearner(), vectors=EmbeddingLearner())


def a_source(*variants: Variant, cases: int = 8) -> Source:
    """A workspace with these variants; one of them is the baseline `base`."""
    inputs = some_inputs(a_model("base"), *variants, cases=tuple(reversed(some_cases(cases))))
    return Source(
        config="evaluation.yaml",
        reports="reports",
        inputs=inputs,
        sample=None,
        on_bad_cases="stop",
        expectations=None,
        operations=Operations(targets={}),
        files=("evaluation.yaml",),
        dataset="cases.jsonl",
    )


def failing(*ids: str, column: str | None = "expected") -> Validation:
    """One expectation that these cases fail; without ids the dataset as a whole does."""
    expectation = Expectation(
        name="expect_it", column=column, success=False, failing_ids=ids, checked=8, detail="it is so"
    )
    quarantined = tuple(Quarantined(id=case_id, reasons=("it is not so",)) for case_id in ids)
    return Validation(expectations=(expectation,), quarantined=quarantined, cases=8)


def kept() -> Kept:
    return Kept(given=a_source().inputs)


def test_inputs_are_sorted_and_written() -> None:
    evidence = kept()
    inputs = prepare(source=a_source(), validator=Verdict(), evidence=evidence, routing=ROUTING)
    assert [case.id for case in inputs.cases] == [f"c{i:03}" for i in range(8)]
    assert evidence.inputs() == inputs
    assert {
        "dataset_sha256",
        "rubric_sha256",
        "slo_sha256",
        "variants_sha256",
        "prices_sha256",
    } <= evidence.hashes().keys()


def test_ground_truth_is_judged_once() -> None:
    """Validation is slow: the same dataset, suite and prompts are not judged again, and any other are."""
    evidence, validator = kept(), Verdict()
    with_prompt = a_source(replace(a_model("small"), prompt=Prompt(path="p.md", text="Be brief.")))
    for source in (a_source(), a_source(), a_source(cases=7), with_prompt, with_prompt):
        prepare(source=source, validator=validator, evidence=evidence, routing=ROUTING)
    assert validator.asked == [(8, ()), (7, ()), (8, ("p.md",))]


def test_the_whole_dataset_is_judged_before_a_sample_is_drawn() -> None:
    evidence, validator = kept(), Verdict()
    inputs = prepare(
        source=replace(a_source(), sample=Sample(cases=3)), validator=validator, evidence=evidence, routing=ROUTING
    )
    assert validator.asked == [(8, ())]
    assert len(inputs.cases) == 3


def test_a_bad_case_stops_the_run_and_nothing_is_written() -> None:
    evidence = kept()
    with pytest.raises(InputFaults) as caught:
        prepare(source=a_source(), validator=Verdict(failing("c001", "c004")), evidence=evidence, routing=ROUTING)
    assert [str(fault) for fault in caught.value.faults] == [
        f"cases.jsonl case '{case}' expected: fails expect_it: it is so. "
        "Mend the case, or set `on_bad_cases: quarantine` to evaluate without it."
        for case in ("c001", "c004")
    ]
    assert evidence.written == {}


def test_or_it_stands_aside() -> None:
    evidence = kept()
    source = replace(a_source(), on_bad_cases="quarantine")
    inputs = prepare(source=source, validator=Verdict(failing("c001", "c004")), evidence=evidence, routing=ROUTING)
    assert [case.id for case in inputs.cases] == ["c000", "c002", "c003", "c005", "c006", "c007"]
    assert [q.id for q in evidence.validation().quarantined] == ["c001", "c004"]


@pytest.mark.parametrize("on_bad_cases", ["stop", "quarantine"])
def test_a_fault_of_the_whole_dataset_cannot_stand_aside(on_bad_cases: str) -> None:
    source = replace(a_source(), on_bad_cases=on_bad_cases)
    with pytest.raises(InputFaults, match=r"cases.jsonl: the dataset fails expect_it: it is so\. Mend the cases"):
        prepare(source=source, validator=Verdict(failing(column=None)), evidence=kept(), routing=ROUTING)


ROUTED = RoutedVariant(
    name="routed", router=Router(by="field", field="route", arms={"simple": "small"}, default="last")
)


def names(only: tuple[str, ...]) -> list[str]:
    source = a_source(a_model("small"), a_model("big"), a_model("last"), ROUTED)
    return [variant.name for variant in resolve(source, only=only).variants]


def test_a_choice_of_variants_brings_what_it_needs() -> None:
    """The baseline, which it is compared with, and the arms of a view."""
    assert names(()) == ["base", "big", "last", "routed", "small"]
    assert names(("big",)) == ["base", "big"]
    assert names(("routed",)) == ["base", "last", "routed", "small"]


def test_unknown_variants_are_all_told_of() -> None:
    with pytest.raises(InputFaults) as caught:
        names(("bigg", "big", "smal"))
    assert [str(fault) for fault in caught.value.faults] == [
        f"--variant: there is no variant '{name}'. evaluation.yaml has: base, big, last, routed, small."
        for name in ("bigg", "smal")
    ]


def test_only_outputs_that_are_evaluated_are_written() -> None:
    """Not those of cases set aside, or that the dataset lacks, nor of variants that nobody asked for."""
    responses = [a_response(c, variant=v) for v in ("then", "past") for c in ("c001", "c000", "elsewhere")]
    source = a_source(an_import("past"), an_import("then"))
    source = replace(source, responses=responses, on_bad_cases="quarantine")
    evidence = kept()
    prepare(source=source, validator=Verdict(failing("c001")), evidence=evidence, routing=ROUTING, only=("past",))
    assert [(r.variant, r.case_id) for r in evidence.responses()] == [("past", "c000")]


def test_without_an_imported_variant_no_file_of_outputs_is_read() -> None:
    def unread() -> Iterator[ImportedResponse]:
        raise AssertionError
        yield

    evidence = kept()
    prepare(source=replace(a_source(), responses=unread()), validator=Verdict(), evidence=evidence, routing=ROUTING)
    assert list(evidence.responses()) == []


def test_looks_are_counted_from_the_archive() -> None:
    past = [
        Look(dataset_sha256="other", variants_sha256="other", candidates=frozenset({"gone"}), looks=(1, 1)),
    ]
    inputs = prepare(
        source=a_source(a_model("small")), validator=Verdict(), evidence=kept(), routing=ROUTING, past=past
    )
    assert inputs.looks == Looks(datasets=2, variants=2)  # the variant that is gone, and `small`; not the baseline


def test_one_side_of_the_dataset_is_evaluated_and_all_of_it_is_judged() -> None:
    """The sample is drawn from the side; cases that are quarantined count to its size."""
    evidence, validator = kept(), Verdict()
    source = replace(a_source(cases=40), split=Split(holdout=0.5, use="holdout"), sample=Sample(cases=5))
    inputs = prepare(source=source, validator=validator, evidence=evidence, routing=ROUTING)
    assert validator.asked == [(40, ())]
    assert len(inputs.cases) == 5
    side = prepare(source=replace(source, sample=None), validator=validator, evidence=evidence, routing=ROUTING)
    assert {case.id for case in inputs.cases} < {case.id for case in side.cases}
    assert side.looks is not None
    assert (side.looks.cases, side.looks.split) == (len(side.cases), source.split)
    rest = resolve(replace(source, sample=None, split=Split(holdout=0.5, use="rest")))
    assert len(rest.cases) + len(side.cases) == 40
