"""Which requests a task of a session sends, given their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

from triaxis.domain.case import Case, Message
from triaxis.domain.evaluation import Inputs, Operations, Prices
from triaxis.domain.keys import Keys, Mask
from triaxis.domain.rubric import Rubric
from triaxis.domain.slo import Slo
from triaxis.domain.variant import ModelVariant, Prompt
from triaxis.pipelines.session import Session
from triaxis.pipelines.silence import Silence
from triaxis.steps.orders import Order
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

    paid: set[str] = field(default_factory=set[str])
    rendered: int = 0

    def inputs(self) -> Inputs:
        """As evidence, which may give another value each time."""
        return replace(INPUTS)

    def operations(self) -> Operations:
        """As a workspace."""
        return Operations(targets={})

    def known(self, keys: Keys) -> Mask:
        """As a store."""
        return keys.among(Keys.of(sorted(self.paid)))

    def messages(self, prompt: Prompt | None, case: Case) -> tuple[Message, ...]:
        """As templates."""
        del prompt
        self.rendered += 1
        return (Message(role="user", content=str(case.input)),)


class Noted(Session):
    """Notes what it would send."""

    sent_now: Sequence[str] = ()

    async def send(self, orders: Sequence[Order]) -> Sent:
        """Sends nothing."""
        Noted.sent_now = [key for order in orders for key, request in order.requests() if request.key == key]
        return Sent()


def a_session(world: World) -> Noted:
    wiring = SimpleNamespace(store=world, evidence=world, templates=world, workspace=world)
    return Noted(wiring=cast("Wiring", wiring), progress=Silence())


async def test_a_task_sends_what_its_stage_asked_for_and_plans_nothing_again() -> None:
    world = World()
    session = a_session(world)
    planned = session.planned(world.inputs())
    session.orders = planned.orders(world.known(planned.rows), {})
    keys = planned.rows.texts()
    rendered = world.rendered
    await session.send_keys("generate", [keys[1], keys[3]])
    assert list(Noted.sent_now) == [keys[1], keys[3]]
    assert world.rendered == rendered + 2


async def test_a_task_of_another_process_plans_for_itself() -> None:
    world = World()
    keys = a_session(world).planned(INPUTS).rows.texts()
    await a_session(world).send_keys("generate", keys[2:])
    assert list(Noted.sent_now) == keys[2:]


async def test_what_is_paid_for_is_not_sent_again() -> None:
    world = World()
    session = a_session(world)
    keys = session.planned(INPUTS).rows.texts()
    world.paid = {keys[0]}
    await session.send_keys("generate", keys[:2])
    assert list(Noted.sent_now) == keys[1:2]


def test_equal_inputs_are_planned_for_once() -> None:
    world = World()
    session = a_session(world)
    first = session.planned(INPUTS)
    assert session.planned(replace(INPUTS)) is first
    other = replace(INPUTS, cases=INPUTS.cases[:1])
    assert len(session.planned(other)) == 1
    assert world.rendered == 4 + 1
