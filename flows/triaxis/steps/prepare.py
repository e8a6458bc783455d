"""prepare: from the user's files to the inputs that every later stage reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from triaxis.domain.canonical import sha256_json
from triaxis.domain.case import dataset_sha256
from triaxis.domain.evaluation import Inputs, Source, Validation
from triaxis.domain.hashes import candidate_hashes, input_hashes
from triaxis.domain.looks import Look, Looks
from triaxis.domain.responses import ImportedResponse
from triaxis.domain.routes import routes_sha256
from triaxis.domain.variant import ImportedVariant, ModelVariant, RoutedVariant, Variant
from triaxis.errors import Fault, InputFaults
from triaxis.ports.evidence import Evidence
from triaxis.ports.routing import Routing
from triaxis.ports.workspace import Validator
from triaxis.rules.gating.looks import looked, side_of
from triaxis.rules.truth.sampling import draw
from triaxis.steps.routing import routed


def prepare(
    *,
    source: Source,
    validator: Validator,
    evidence: Evidence,
    routing: Routing,
    only: tuple[str, ...] = (),
    past: Iterable[Look] = (),
) -> Inputs:
    """Validates the whole dataset, takes its side, draws the sample, counts the looks, and writes `inputs/`.

    Args:
        source: The workspace as read.
        validator: Judges the ground truth; not asked again about a dataset, suite and prompts it has judged before.
        evidence: Where the inputs go.
        routing: What routers need that decide before anything is asked.
        only: Names of variants to evaluate; empty means all. The baseline and the arms of a named view come along.
        past: The evaluation's archived scorecards.

    Raises:
        InputFaults: for cases that fail validation, unless the evaluation says to quarantine them; where `only` names
            a variant that there is not; where a router names no arm for a case.
    """
    prompts = _prompts(source.inputs.variants)
    asked = sha256_json({"dataset": dataset_sha256(source.inputs.cases), "suite": source.expectations, **prompts})
    validation = _validated_before(evidence, asked) or validator.validate(
        source.inputs.cases, source.expectations, prompts
    )
    if faults := tuple(_faults(source, validation)):
        raise InputFaults(*faults)
    resolved = routed(resolve(source, validation, only=only), routing, source.config)
    hashes = {**input_hashes(resolved), "validation_sha256": asked}
    if resolved.routes:
        hashes["routes_sha256"] = routes_sha256(resolved.routes)
    inputs = replace(resolved, looks=_looks(source, resolved, hashes, past))
    evidence.write_inputs(inputs, validation, hashes, _evaluated(source.responses, inputs))
    return inputs


def _looks(source: Source, inputs: Inputs, hashes: Mapping[str, str], past: Iterable[Look]) -> Looks:
    now = Look(
        dataset_sha256=hashes["dataset_sha256"],
        variants_sha256=hashes["variants_sha256"],
        candidates=frozenset(candidate_hashes(inputs.variants, inputs.baseline).values()),
    )
    cases = None if source.split is None else len(side_of(source.inputs.cases, source.split))
    return looked(past, now, split=source.split, cases=cases)


def _evaluated(responses: Iterable[ImportedResponse], inputs: Inputs) -> Iterator[ImportedResponse]:
    """Those of the cases and variants that are evaluated."""
    cases, variants = {case.id for case in inputs.cases}, {variant.name for variant in inputs.imported}
    return (r for r in responses if r.case_id in cases and r.variant in variants) if variants else iter(())


def resolve(source: Source, validation: Validation | None = None, *, only: tuple[str, ...] = ()) -> Inputs:
    """The inputs after split, quarantine, sampling and the choice of variants; without a validation none is kept out.

    Raises:
        InputFaults: where `only` names a variant that there is not.
    """
    if unknown := tuple(_unknown(source, only)):
        raise InputFaults(*unknown)
    bad = frozenset(q.id for q in validation.quarantined) if validation else frozenset[str]()
    side = source.inputs.cases if source.split is None else side_of(source.inputs.cases, source.split)
    sound = [case for case in side if case.id not in bad]
    cases = draw(sound, source.sample) if source.sample else tuple(sorted(sound, key=lambda case: case.id))
    variants = tuple(v for v in source.inputs.variants if not only or v.name in _wanted(source.inputs, only))
    return replace(source.inputs, cases=cases, variants=variants)


def _unknown(source: Source, only: tuple[str, ...]) -> Iterator[Fault]:
    names = [variant.name for variant in source.inputs.variants]
    for name in only:
        if name not in names:
            problem = f"there is no variant {name!r}"
            yield Fault(file="--variant", problem=problem, advice=f"{source.config} has: {', '.join(names)}.")


def _wanted(inputs: Inputs, only: tuple[str, ...]) -> frozenset[str]:
    """The named variants, the baseline, and the arms without which a view among them cannot be scored."""
    names = {*only, inputs.baseline}
    for variant in inputs.routed:
        if variant.name in names:
            names |= {*variant.router.arms.values(), *filter(None, [variant.router.default])}
    return frozenset(names)


def _prompts(variants: tuple[Variant, ...]) -> Mapping[str, str]:
    prompts: dict[str, str] = {}
    for variant in variants:
        match variant:
            case ModelVariant(prompt=prompt) | RoutedVariant(caller=ModelVariant(prompt=prompt)) if prompt is not None:
                prompts[prompt.path] = prompt.text
            case ModelVariant() | ImportedVariant() | RoutedVariant():
                pass
    return prompts


def _validated_before(evidence: Evidence, asked: str) -> Validation | None:
    return evidence.validation() if evidence.hashes().get("validation_sha256") == asked else None


def _faults(source: Source, validation: Validation) -> Iterator[Fault]:
    """What stops the run: every failing row, or with `quarantine` only what no row can be blamed for."""
    for expectation in validation.expectations:
        if expectation.success:
            continue
        if not expectation.failing_ids:
            yield Fault(
                file=source.dataset,
                field=expectation.column or "",
                problem=f"the dataset fails {expectation.name}: {expectation.detail}",
                advice="Mend the cases, or change the expectation.",
            )
        elif source.on_bad_cases == "stop":
            for case_id in expectation.failing_ids:
                yield Fault(
                    file=source.dataset,
                    case=case_id,
                    field=expectation.column or "",
                    problem=f"fails {expectation.name}: {expectation.detail}",
                    advice="Mend the case, or set `on_bad_cases: quarantine` to evaluate without it.",
                )
