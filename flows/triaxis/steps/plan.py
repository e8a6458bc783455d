"""plan: what a run would call, and what that may cost, before anything is spent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triaxis.domain.case import Message
from triaxis.domain.evaluation import Inputs, Operations, PriceRow
from triaxis.domain.keys import Keys
from triaxis.domain.rows import Request
from triaxis.domain.rubric import Judged
from triaxis.domain.variant import Delivery
from triaxis.ports.evidence import Evidence
from triaxis.ports.stores import RowStore
from triaxis.ports.workspace import Templates
from triaxis.quantities import NO_MONEY, Money, Tokens, total
from triaxis.rules.calls.budget import Bounds, bound, cost_of, dearest_mode, upper_tokens
from triaxis.rules.calls.price import Mode
from triaxis.rules.evaluators.similarity import embedding_request
from triaxis.steps import generate, judge, probe, similarity
from triaxis.steps.calls import found
from triaxis.steps.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """Rows of provider batches that are on their way, and what they may cost."""

    keys: Keys = field(default_factory=lambda: Keys.of([]))
    most: Mapping[str, Money] = field(default_factory=dict[str, Money])
    """By stage."""

    def most_of(self, stage: str) -> Money:
        """The most that a stage's rows may cost."""
        return self.most.get(stage, NO_MONEY)


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
    waiting: int = 0
    """Calls that are in provider batches on their way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """What forecasts are made of."""

    operations: Operations
    store: RowStore
    evidence: Evidence
    templates: Templates
    in_flight: InFlight = InFlight()
    longest_response: int = 0
    """Bytes of the longest imported answer."""

    def forecast(self, generations: generate.PlannedGenerations, *, answered: bool) -> tuple[Forecast, ...]:
        """What generate, probe and judge would call now.

        Args:
            generations: Of the inputs as `prepare` would resolve them.
            answered: Whether the present evidence holds every answer, so that judging can be planned exactly.
        """
        inputs = generations.inputs
        known = found(generations.rows, "generations", store=self.store, evidence=self.evidence)
        orders = generations.orders(known, self.operations.variants)
        judged = self._judging(inputs, exact=answered and bool(known.all()))
        return (
            self._of_orders("generate", orders, int(known.sum()), inputs),
            self._of_probes(probe.plan(inputs, templates=self.templates), inputs),
            judged,
        )

    def _of_orders(self, stage: str, orders: Sequence[Order], stored: int, inputs: Inputs) -> Forecast:
        asked = [order.part(~order.keys.among(self.in_flight.keys)) for order in orders]
        rows = inputs.prices.rows
        lots: list[_Lot] = [(o.bounds, rows.get(o.model), dearest_mode(o.delivery)) for o in asked]
        waiting = sum(map(len, orders)) - sum(map(len, asked))
        plan = _forecast(stage, lots)
        return replace(plan, stored=stored, waiting=waiting, most=plan.most + self.in_flight.most_of(stage))

    def _of_probes(self, planned: probe.PlannedProbes, inputs: Inputs) -> Forecast:
        keys = Keys.of(planned.keys)
        known = found(keys, "probes", store=self.store, evidence=self.evidence)
        missing = planned.missing(frozenset(keys.at(known).texts()))
        prices = inputs.prices.rows
        lots: list[_Lot] = [
            (Bounds.of((call.request for call in block.calls), row), row, "live")
            for block in missing
            for row in [prices.get(block.model)]
        ]
        plan = _forecast("probe", lots)
        return replace(plan, stored=sum(len(block.calls) for block in planned.blocks) - plan.calls)

    def _judging(self, inputs: Inputs, *, exact: bool) -> Forecast:
        """The judges' calls: exactly where answers exist, else as many as can be."""
        if not exact:
            plan = _forecast("judge", list(_possible_calls(inputs, self.operations, self.longest_response)))
            return replace(plan, most=plan.most + self.in_flight.most_of("judge"))
        planned = judge.plan(
            inputs,
            evidence=self.evidence,
            store=self.store,
            templates=self.templates,
            deliveries=self.operations.judges,
        )
        return self._of_orders("judge", planned.orders, planned.settled, inputs)


_Lot = tuple[Bounds, PriceRow | None, Mode]


def _forecast(stage: str, lots: Sequence[_Lot]) -> Forecast:
    """The sums over lots of calls, each of one model in one way."""
    tokens = Tokens()
    for bounds, _, _ in lots:
        tokens += bounds.expected
    return Forecast(
        stage=stage,
        calls=sum(len(bounds) for bounds, _, _ in lots),
        stored=0,
        tokens=tokens,
        expected=total(cost_of(bounds.expected, row, mode) for bounds, row, mode in lots),
        most=total(cost_of(bounds.most, row, mode) for bounds, row, mode in lots),
    )


def _possible_calls(inputs: Inputs, operations: Operations, longest_response: int) -> Iterable[_Lot]:
    """Stand-ins as long as the calls that score may get."""
    calls, texts = judge.most_calls(inputs), similarity.most_texts(inputs)
    # Going through very many cases takes its time, and most evaluations have no judge.
    longest = max((len(str(case.to_json()).encode()) for case in (inputs.cases if calls or texts else ())), default=0)
    answer = max((longest_response, *(_answer_bytes(request) for request in _first_requests(inputs))))
    yield from _possible_judge_calls(calls, inputs, operations, longest + answer)
    for most in texts:
        price = inputs.prices.rows.get(most.evaluator.model)
        stand_in = embedding_request(most.evaluator, "x" * max(longest, answer))
        yield Bounds.repeated(bound(stand_in, price), most.calls), price, "live"


def _possible_judge_calls(
    calls: Iterable[judge.JudgeCalls], inputs: Inputs, operations: Operations, longest: int
) -> Iterable[_Lot]:
    """As long as template, longest case and longest answer."""
    for most in calls:
        evaluator = most.dimension.evaluator
        assert isinstance(evaluator, Judged)
        text = "x" * (len(evaluator.template.encode()) + longest)
        stand_in = Request(
            model=most.judge.model,
            endpoint=most.judge.endpoint,
            messages=(Message(role="user", content=text),),
            params=most.judge.params,
        )
        price = inputs.prices.rows.get(most.judge.model)
        delivery = operations.judges.get(most.judge.name, Delivery())
        yield Bounds.repeated(bound(stand_in, price), most.calls), price, dearest_mode(delivery)


def _first_requests(inputs: Inputs) -> Iterable[Request]:
    for variant in inputs.generated:
        yield Request(model=variant.model, endpoint=variant.endpoint, messages=(), params=variant.params)


def _answer_bytes(request: Request) -> int:
    """About the bytes of the longest answer: four to a token."""
    return 4 * (upper_tokens(request).output or 0)
