"""What the dataset and the rubric say of routers and cascades."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from triaxis.adapters.templates import JinjaTemplates
from triaxis.adapters.workspace.dataset_facts import Facts
from triaxis.adapters.workspace.findings import Place, near
from triaxis.adapters.workspace.tree import Path
from triaxis.domain.router import Cascade, Classifier, Keywords, Patterns, Router
from triaxis.domain.rubric import Dimension, Judged, PythonFunction, Rubric
from triaxis.domain.variant import Prompt, RoutedVariant, Variant
from triaxis.rules.evaluators.score import needs_expected
from triaxis.rules.route import lost, routes_by_rule

_NO_TRUTH = "Take one that needs no expected answer, such as json_schema, regex, finished, length or python."


def check_routers(place: Place, variants: Iterable[Variant], facts: Facts) -> None:
    """The fields, labels and oracles must be tags; where the text alone decides, every case must find an arm."""
    for variant in variants:
        if isinstance(variant, RoutedVariant):
            key = "cascade" if isinstance(variant.router, Cascade) else "router"
            path = ("variants", variant.name, key)
            if variant.router.oracle is not None:
                _check_oracle(place, (*path, "oracle"), variant, variant.router.oracle, facts)
            if isinstance(variant.router, Router):
                _check_router(place, path, variant, variant.router, facts)


def _check_oracle(place: Place, path: Path, variant: RoutedVariant, oracle: str, facts: Facts) -> None:
    """The oracle must be a tag, and name arms: a case whose right route is none of them tells nothing."""
    if not facts.check_tag(place, path, oracle):
        return
    values, arms = facts.values[oracle], variant.router.arms
    unknown = sorted(values - arms.keys())
    if len(unknown) == len(values):
        advice = f"Its values must be keys of `arms`. {near(unknown[0], arms)}"
        place.fault(path, f"no value of {oracle[:60]!r}, such as {unknown[0][:60]!r}, names an arm", advice)
    elif unknown:
        shown = ", ".join(repr(value[:60]) for value in unknown[:5])
        rest = "cases of it are left out where decisions are held against the right ones"
        place.findings.note(f"{place.file}: {'.'.join(map(str, path))}: {shown} is no arm; {rest}.")


def _check_router(place: Place, path: Path, variant: RoutedVariant, router: Router, facts: Facts) -> None:
    match router.rule:
        case Classifier(learns=learns):
            facts.check_tag(place, (*path, "learns"), learns)
            return
        case Keywords() | Patterns() as rule:
            routes: Sequence[str | None] = routes_by_rule(rule, facts.cases).routes
            said = "is given the route"
        case None if router.field is not None:
            if not facts.check_tag(place, (*path, "field"), router.field):
                return
            routes, said = [case.tag(router.field) for case in facts.cases], f"has {router.field}"
        case _:
            return
    none = f"has no {router.field}" if router.field else "is given no route"
    for route, ids in lost(variant, facts.cases, routes).items():
        _tell(place, (*path, "arms"), none if route is None else f"{said} {route[:60]!r}", ids)


def _tell(place: Place, path: Path, what: str, ids: Sequence[str]) -> None:
    """Cases that no arm answers."""
    more = f" (and {len(ids) - 1} more)" if len(ids) > 1 else ""
    advice = "Add an arm for it, or a `default:` variant that answers every other case."
    problem = f"the case {what}{more}, for which there is no arm"
    line = place.root.line_of(path)
    place.findings.add(place.file, problem, advice, line=line, case=ids[0], path=".".join(map(str, path)))


def check_cascades(place: Place, variants: Iterable[Variant], rubric: Rubric, names: Sequence[str]) -> None:
    """What decides whether a cascade escalates must score, and may know nothing that production does not.

    Args:
        place: Of the evaluation.
        variants: All of them.
        rubric: As far as it could be read.
        names: Every dimension that the rubric's file names.
    """
    dimensions = {d.name: d for d in rubric.dimensions}
    for variant in variants:
        if isinstance(variant, RoutedVariant) and isinstance(variant.router, Cascade):
            name, path = variant.router.escalate.dimension, ("variants", variant.name, "cascade", "escalate")
            if name not in names:
                place.fault((*path, "dimension"), f"there is no dimension {name[:60]!r}", near(name, names))
            elif name in dimensions:
                _check_driver(place, (*path, "dimension"), dimensions[name])
                _note_judge(place, path, variant.name, dimensions[name])


def _check_driver(place: Place, path: Path, dimension: Dimension) -> None:
    evaluator = dimension.evaluator
    if dimension.off is not None:
        place.fault(path, f"the dimension {dimension.name!r} is off: {dimension.off}", "Turn it on, or take another.")
    elif needs_expected(evaluator):
        problem = f"the dimension {dimension.name!r} compares with the expected answer, which production does not have"
        place.fault(path, problem, _NO_TRUTH)
    elif isinstance(evaluator, Judged) and _tells_expected(evaluator):
        problem = f"the judge of {dimension.name!r} is shown the expected answer, which production does not have"
        place.fault(path, problem, f"{_NO_TRUTH} A judge's prompt may use all but `expected`.")


def _note_judge(place: Place, path: Path, variant: str, dimension: Dimension) -> None:
    """A cascade waits for the judge that decides, and nobody measures for how long."""
    if dimension.off is None and isinstance(dimension.evaluator, Judged):
        place.findings.note(
            f"{place.file}: {'.'.join(map(str, path))}: {variant} waits for the judge of {dimension.name}, which no "
            "probe measures, so that it has no latency and its latency objectives stay inconclusive. A dimension that "
            "asks no judge leaves it one."
        )


def _tells_expected(evaluator: Judged) -> bool:
    """Whether the judge's prompt names what a variant's own prompt may not."""
    prompt = Prompt(path=evaluator.path, text=evaluator.template)
    return any("'expected'" in message for _, message in JinjaTemplates().faults(prompt))


def blinded(rubric: Rubric, variants: Iterable[Variant]) -> Rubric:
    """The rubric in which the workspace's own functions that drive a cascade are shown no ground truth."""
    routers = (v.router for v in variants if isinstance(v, RoutedVariant))
    drivers = {router.escalate.dimension for router in routers if isinstance(router, Cascade)}

    def changed(dimension: Dimension) -> Dimension:
        evaluator = dimension.evaluator
        if dimension.name not in drivers or not isinstance(evaluator, PythonFunction):
            return dimension
        return replace(dimension, evaluator=replace(evaluator, blind=True))

    return replace(rubric, dimensions=tuple(map(changed, rubric.dimensions)))
