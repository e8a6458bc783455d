"""What a run would do: why each stage must run, what it would call, and what that may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from triaxis.domain.canonical import JsonValue
from triaxis.domain.dag import BY_NAME, STAGES
from triaxis.domain.evaluation import Inputs, Operations, Source, Validation
from triaxis.errors import OverBudget, StoreDamaged
from triaxis.quantities import Money, total
from triaxis.rules.words import dollars
from triaxis.steps import generate
from triaxis.steps.batching import in_flight
from triaxis.steps.generate import PlannedGenerations
from triaxis.steps.plan import Forecast, Planner
from triaxis.steps.prepare import resolve
from triaxis.wiring import Wiring

SHOWN_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The plan of a run."""

    reasons: dict[str, tuple[str, ...]]
    """By stage, why it must run; nothing where it need not."""
    forecasts: tuple[Forecast, ...]
    limit: Money | None

    @property
    def calls(self) -> int:
        """Calls and probe requests that a run would make."""
        return sum(f.calls for f in self.forecasts)

    @property
    def expected(self) -> Money:
        """What the calls will about cost."""
        return total(f.expected for f in self.forecasts)

    @property
    def most(self) -> Money:
        """What they can cost at most, with what is in batches on their way."""
        return total(f.most for f in self.forecasts)

    def text(self) -> str:
        """The plan as a person reads it."""
        by_stage = {f.stage: f for f in self.forecasts}
        # a stage that is fresh now still runs if one before it turns out to write something else
        stale = list(self.reasons.values())
        fresh = [
            "may run, if the stages before it write anything new" if any(stale[:i]) else "up to date"
            for i in range(len(stale))
        ]
        lines = [
            _line(name, reasons or (otherwise,), by_stage.get(name))
            for (name, reasons), otherwise in zip(self.reasons.items(), fresh, strict=True)
        ]
        low, most = float(self.expected.usd), float(self.most.usd)
        limit = "" if self.limit is None else f"; limits.max_usd is {dollars(float(self.limit.usd))}"
        price = "no provider is paid" if not most else f"about {dollars(low)}, at most {dollars(most)}"
        return "\n".join([*lines, f"in all: {self.calls} calls, {price}{limit}"])

    def to_json(self) -> dict[str, JsonValue]:
        """The plan as a program reads it."""
        return {
            "stages": {name: list(reasons) for name, reasons in self.reasons.items()},
            "calls": {f.stage: _figures(f) for f in self.forecasts},
            "usd": {
                "expected": self.expected.text(),
                "most": self.most.text(),
                "limit": None if self.limit is None else self.limit.text(),
            },
        }


def outlook(
    wiring: Wiring,
    *,
    only: tuple[str, ...] = (),
    source: Source | None = None,
    plan: Callable[[Inputs], PlannedGenerations] | None = None,
) -> Outlook:
    """What a run of this evaluation would do now; nothing is written and nothing is called.

    Args:
        wiring: Of the workspace.
        only: The variants to evaluate; none means all.
        source: The workspace, where it is read already.
        plan: Plans the answers, and may remember what it planned.

    Raises:
        InputFaults: with every fault of every file.
    """
    source, plan = source or wiring.workspace.read(), plan or partial(generate.plan, templates=wiring.templates)
    reasons = {stage.name: wiring.state.why(stage, source.files, only) for stage in STAGES}
    if not any(reasons[stage.name] for stage in STAGES if stage.calls or stage.raw):
        return Outlook(reasons=reasons, forecasts=(), limit=_limit(source.operations))
    inputs = resolve(source, _validation(wiring), only=only)
    planner = _planner(wiring, source.operations, inputs, source.longest_response)
    forecasts = planner.forecast(plan(inputs), answered=not reasons["generate"])
    return Outlook(reasons=reasons, forecasts=forecasts, limit=_limit(source.operations))


def prepared_outlook(wiring: Wiring, operations: Operations, plan: Callable[[Inputs], PlannedGenerations]) -> Outlook:
    """What the stages would call on the inputs as they were prepared, whatever the user's files say by now."""
    inputs, answered = wiring.evidence.inputs(), wiring.state.fresh(BY_NAME["generate"])
    responses = wiring.evidence.responses() if inputs.imported else ()
    longest = max((len((response.response or "").encode()) for response in responses), default=0)
    forecasts = _planner(wiring, operations, inputs, longest).forecast(plan(inputs), answered=answered)
    return Outlook(reasons={}, forecasts=forecasts, limit=_limit(operations))


def _planner(wiring: Wiring, operations: Operations, inputs: Inputs, longest_response: int) -> Planner:
    return Planner(
        operations=operations,
        store=wiring.store,
        evidence=wiring.evidence,
        templates=wiring.templates,
        in_flight=in_flight(wiring.book, evaluation=wiring.config, prices=inputs.prices.rows),
        longest_response=longest_response,
    )


def within_budget(plan: Outlook) -> Outlook:
    """The plan, if its upper estimate is within `limits.max_usd`.

    Raises:
        OverBudget: where it is not; nothing was spent.
    """
    most = plan.most
    if plan.limit is not None and most > plan.limit:
        raise OverBudget(most, plan.limit)
    return plan


def _validation(wiring: Wiring) -> Validation | None:
    """The last validation, whose quarantine still stands if the dataset did not change."""
    try:
        return wiring.evidence.validation()
    except StoreDamaged:
        return None


def _limit(operations: Operations) -> Money | None:
    limit = operations.limits.max_usd
    return None if limit is None else Money.of(limit)


def _line(stage: str, reasons: tuple[str, ...], plan: Forecast | None) -> str:
    why = "; ".join(reasons[:SHOWN_REASONS])
    more = f"; and {len(reasons) - SHOWN_REASONS} more reasons" if len(reasons) > SHOWN_REASONS else ""
    head = f"{stage:9} {why}{more}"
    if plan is None or not (plan.calls or plan.stored or plan.waiting):
        return head
    stored = f"{plan.stored} stored" + (f", {plan.waiting} in batches on their way" if plan.waiting else "")
    tokens = f"about {plan.tokens.input or 0:,} tokens in and {plan.tokens.output or 0:,} out"
    return f"{head}\n{'':9}   {plan.calls} calls ({stored}), {tokens}"


def _figures(plan: Forecast) -> dict[str, JsonValue]:
    return {
        "calls": plan.calls,
        "stored": plan.stored,
        "in_batches": plan.waiting,
        "input_tokens": plan.tokens.input or 0,
        "output_tokens": plan.tokens.output or 0,
        "expected_usd": plan.expected.text(),
        "most_usd": plan.most.text(),
    }
