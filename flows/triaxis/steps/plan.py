"""plan: what a run would call, and what that may cost, before anything is spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from triaxis.domain.case import Message
from triaxis.domain.evaluation import Inputs
from triaxis.domain.rows import Request
from triaxis.domain.rubric import Judged
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.ports.workspace import Templates
from triaxis.quantities import NO_MONEY, Money, Tokens, total
from triaxis.rules.budget import budget, expected_tokens, upper_tokens
from triaxis.steps import generate, judge, probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What one stage would call."""

    stage: str
    calls: int
    stored: int
    """Calls that are paid for already."""
    tokens: Tokens
    """Expected."""
    expected: Money
    most: Money
    """If every call is sent once, and every answer is as long as it may be."""


def forecast(
    generations: generate.PlannedGenerations,
    *,
    store: RowStore,
    evidence: Evidence,
    templates: Templates,
    answered: bool,
    longest_response: int = 0,
) -> tuple[Forecast, ...]:
    """What generate, probe and judge would call now.

    Args:
        generations: Of the inputs as `prepare` would resolve them.
        store: Whose rows are paid for.
        evidence: Whose rows are, too.
        templates: Render the requests.
        answered: Whether the present evidence holds every answer, so that judging can be planned exactly.
        longest_response: Bytes of the longest imported answer.
    """
    inputs, probes = generations.inputs, probe.plan(generations.inputs, templates=templates)
    missing = generations.missing(_stored(generations.keys, store, evidence))
    blocks = probes.missing(_stored(probes.keys, store, evidence))
    load = [call.request for block in blocks for call in block.calls]
    every = sum(len(block.calls) for block in probes.blocks)
    exact = answered and not missing
    asked, judged = _judging(inputs, store, evidence, templates, exact=exact, longest_response=longest_response)
    return (
        _of("generate", missing, len(generations.keys) - len(missing), inputs),
        _of("probe", load, every - len(load), inputs),
        _of("judge", asked, judged, inputs),
    )


def most_of(forecasts: Iterable[Forecast]) -> Money:
    """The upper estimate of a whole run."""
    return total(f.most for f in forecasts)


def _stored(keys: Iterable[str], store: RowStore, evidence: Evidence) -> frozenset[str]:
    """The keys among `keys` that are paid for; unlike a run's look-up, it takes nothing into the store."""
    wanted = frozenset(keys)
    found = frozenset(store.rows(wanted))
    rows, _ = evidence.stored(wanted - found) if wanted - found else ((), ())
    return found | {row.key for row in rows}


def _of(stage: str, requests: Sequence[Request], stored: int, inputs: Inputs) -> Forecast:
    rows = inputs.prices.rows
    expected, most = budget(requests, rows) if requests else (NO_MONEY, NO_MONEY)
    tokens = Tokens()
    for request in requests:
        tokens += expected_tokens(request, rows.get(request.model))
    return Forecast(
        stage=stage, calls=len(requests), stored=max(stored, 0), tokens=tokens, expected=expected, most=most
    )


def _judging(
    inputs: Inputs, store: RowStore, evidence: Evidence, templates: Templates, *, exact: bool, longest_response: int
) -> tuple[Sequence[Request], int]:
    """The judges' calls, and how many judgments are settled: exactly where answers exist, else as many as can be."""
    if exact:
        planned = judge.plan(inputs, evidence=evidence, store=store, templates=templates)
        return planned.requests, planned.settled
    return list(_possible_judge_calls(inputs, longest_response)), 0


def _possible_judge_calls(inputs: Inputs, longest_response: int) -> Iterator[Request]:
    """Stand-ins as long as a judge's calls may get: template, longest case, longest answer."""
    longest = max((len(str(case.to_json()).encode()) for case in inputs.cases), default=0)
    answer = max((longest_response, *(_answer_bytes(request) for request in _first_requests(inputs))))
    for most in judge.most_calls(inputs):
        evaluator = most.dimension.evaluator
        assert isinstance(evaluator, Judged)
        text = "x" * (len(evaluator.template.encode()) + longest + answer)
        stand_in = Request(
            model=most.judge.model,
            endpoint=most.judge.endpoint,
            messages=(Message(role="user", content=text),),
            params=most.judge.params,
        )
        yield from (stand_in for _ in range(most.calls))


def _first_requests(inputs: Inputs) -> Iterator[Request]:
    for variant in inputs.generated:
        yield Request(model=variant.model, endpoint=variant.endpoint, messages=(), params=variant.params)


def _answer_bytes(request: Request) -> int:
    """About the bytes of the longest answer: four to a token."""
    return 4 * (upper_tokens(request).output or 0)
