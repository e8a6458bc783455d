"""Which requests a task of a session sends, given their keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

from build_calls import a_body

from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Inputs, Prices
from triaxis.domain.rows import Request, Row
from triaxis.domain.rubric import Rubric
from triaxis.domain.slo import Slo
from triaxis.domain.variant import ModelVariant, Prompt
from triaxis.pipelines.session import Session
from triaxis.pipelines.silence import Silence
from triaxis.steps.sending import Sent
from triaxis.wiring import Wiring

INPUTS = Inputs(
    name="e",
    baseline="big",
    variants=(ModelVariant(name="big", model="openai/big"),),
    cases=tuple(Case(id=f"c{number}", input=f"question {number}") for number in range(4)),
    rubric=Rubric(dimensions=()),
    slo=Slo(owner="o", review_by="2030-01-01", objectives=()),
    prices=Prices(rows={}, table_sha256="", litellm_version=""),
)


@dataclass(slots=True)
class World:
    """Inputs, paid rows and templates, which count how often they are asked."""

    paid: dict[str, Row] = field(default_factory=dict[str, Row])
    rendered: int = 0

    def inputs(self) -> Inputs:
        """As evidence, which may give another value each time."""
        return replace(INPUTS)

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """As a store."""
        return {key: row for key, row in self.paid.items() if key in keys}

    def messages(self, prompt: Prompt | None, case: Case) -> tuple[Message, ...]:
        """As templates."""
        del prompt
        self.rendered += 1
        return (Message(role="user", content=str(case.input)),)


class Noted(Session):
    """Notes what it would send."""

    sent_now: Sequence[Request] = ()

    async def send(self, stage: str, requests: Sequence[Request]) -> Sent:
        """Sends nothing."""
        del stage
        Noted.sent_now = requests
        return Sent()


def a_session(world: World) -> Noted:
    wiring = SimpleNamespace(store=world, evidence=world, templates=world)
    return Noted(wiring=cast("Wiring", wiring), progress=Silence())


async def test_a_task_sends_what_its_stage_asked_for_and_nothing_is_rendered_again() -> None:
    world = World()
    session = a_session(world)
    asked = session.planned(world.inputs()).missing(())
    session.asked = {request.key: request for request in asked}
    rendered = world.rendered
    await session.send_keys("generate", [asked[1].key, asked[3].key])
    assert list(Noted.sent_now) == [asked[1], asked[3]]
    assert world.rendered == rendered


async def test_a_task_of_another_process_plans_for_itself() -> None:
    world = World()
    keys = [request.key for request in a_session(world).planned(INPUTS).missing(())]
    await a_session(world).send_keys("generate", keys[2:])
    assert [request.key for request in Noted.sent_now] == keys[2:]


async def test_what_is_paid_for_is_not_sent_again() -> None:
    world = World()
    session = a_session(world)
    keys = list(session.planned(INPUTS).keys)
    world.paid[keys[0]] = Row(
        key=keys[0], kind="call", model="openai/big", endpoint=None, outcome="answered", raw=a_body()
    )
    await session.send_keys("generate", keys[:2])
    assert [request.key for request in Noted.sent_now] == keys[1:2]


def test_equal_inputs_are_planned_for_once() -> None:
    world = World()
    session = a_session(world)
    first = session.planned(INPUTS)
    assert session.planned(replace(INPUTS)) is first
    other = replace(INPUTS, cases=INPUTS.cases[:1])
    assert len(session.planned(other).items) == 1
    assert world.rendered == 4 + 1
