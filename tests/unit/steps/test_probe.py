"""Planning, measuring and collecting probes, with nothing of the world in it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import cast

import pytest
from build_calls import BookJournal, CountingProgress, TickingClock
from build_measures import some_inputs
from build_probe import ScriptedProbeClient, a_plan, a_probed, answered, failed, probe_cases
from build_scoring import PlainTemplates

from triaxis.domain.case import Case
from triaxis.domain.evaluation import PriceRow, target_key
from triaxis.domain.router import Router
from triaxis.domain.rows import Attempt, ProbeRow, Row
from triaxis.domain.variant import ModelVariant, Prompt, RoutedVariant, Target
from triaxis.errors import Denied, Incomplete
from triaxis.ports.evidence import Evidence
from triaxis.ports.models import ProbeCall
from triaxis.ports.stores import RowStore
from triaxis.quantities import Money
from triaxis.steps.probe import PAUSE_S, Block, PlannedProbes, collect, measure, plan

TARGETS = {target_key("openai/small", "bench"): Target(model="openai/small", api_base="http://127.0.0.1:1/v1")}
CASES = probe_cases(40)
PRICE = PriceRow(
    model="openai/small",
    source="test",
    input_cost_per_token=Decimal("0.001"),
    output_cost_per_token=Decimal("0.01"),
    max_output_tokens=100,
)


def planned(*variants: ModelVariant | RoutedVariant, cases: tuple[Case, ...] = CASES) -> PlannedProbes:
    return plan(some_inputs(*variants, cases=cases), templates=PlainTemplates())


def told(name: str) -> Prompt:
    return Prompt(path=f"{name}.md", text=name)


@dataclass(slots=True)
class Run:
    """What measuring some blocks left behind."""

    journal: BookJournal = field(default_factory=BookJournal)
    clock: TickingClock = field(default_factory=TickingClock)
    progress: CountingProgress = field(default_factory=CountingProgress)

    async def measure(self, blocks: Sequence[Block], client: ScriptedProbeClient, price: PriceRow = PRICE) -> None:
        """Measures into this journal."""
        await measure(
            blocks,
            client=client,
            targets=TARGETS,
            journal=self.journal,
            clock=self.clock,
            progress=self.progress,
            prices={"openai/small": price},
        )


def test_blocks_of_the_variants_take_turns() -> None:
    blocks = planned(a_probed("a", probe=a_plan()), a_probed("b", probe=a_plan(), prompt=told("b"))).blocks
    assert [(b.variant, b.number) for b in blocks[:4]] == [("a", 0), ("b", 0), ("b", 1), ("a", 1)]
    assert len(blocks) == 10


def test_a_block_is_warmup_then_the_measured_calls_in_order() -> None:
    block = planned(a_probed(probe=a_plan())).blocks[0]
    assert [call.index for call in block.calls] == [-2, -1, 0, 1, 2, 3]
    assert len(block.case_ids) == 4
    assert block.seconds == block.calls[-1].offset_s > 0


def test_variants_with_one_plan_share_their_arrivals_and_cases() -> None:
    blocks = planned(a_probed("a", probe=a_plan()), a_probed("b", probe=a_plan(), prompt=told("b"))).blocks
    a, b = ([x for x in blocks if x.variant == name] for name in "ab")
    assert [x.case_ids for x in a] == [x.case_ids for x in b]
    assert [c.offset_s for x in a for c in x.calls] == [c.offset_s for x in b for c in x.calls]
    assert not {x.key for x in a} & {x.key for x in b}


def test_an_edited_case_measures_its_block_again_and_nothing_else() -> None:
    before = planned(a_probed(probe=a_plan())).blocks
    edited = probe_cases(40, **{before[2].case_ids[1]: "another question"})
    after = planned(a_probed(probe=a_plan()), cases=edited).blocks
    assert [b.key == a.key for b, a in zip(before, after, strict=True)] == [True, True, False, True, True]


def test_an_edited_warmup_case_measures_nothing_again() -> None:
    before = planned(a_probed(probe=a_plan())).blocks
    edited = probe_cases(40, **{before[0].calls[0].case_id: "another question"})
    assert planned(a_probed(probe=a_plan()), cases=edited).keys == tuple(b.key for b in before)


def test_what_changes_the_load_or_asks_for_a_new_take_measures_all_again() -> None:
    keys = [set(planned(a_probed(probe=a_plan(**change))).keys) for change in ({}, {"take": 2}, {"rate_per_s": 3})]
    assert all(len(k) == 5 for k in keys)
    assert len({key for some in keys for key in some}) == 15


def test_a_timeout_is_no_part_of_the_key() -> None:
    assert planned(a_probed(probe=a_plan())).keys == planned(a_probed(probe=a_plan(timeout_s=9))).keys


def test_equal_blocks_of_two_variants_are_one_measurement() -> None:
    found = planned(a_probed("a", probe=a_plan()), a_probed("b", probe=a_plan()))
    assert (len(found.blocks), len(found.keys), len(found.missing({}))) == (10, 5, 5)


def test_what_is_found_is_not_missing() -> None:
    found = planned(a_probed(probe=a_plan()))
    rows = {found.keys[0]: a_block_row(found.keys[0])}
    assert [b.number for b in found.missing(rows)] == [1, 2, 3, 4]


def test_routed_variants_and_those_without_a_probe_have_no_blocks() -> None:
    routed = RoutedVariant(name="r", router=Router(by="field", field="route", arms={"simple": "a"}))
    assert planned(a_probed("a", probe=None), routed) == PlannedProbes(blocks=(), notices=())


def test_an_input_that_two_cases_share_is_sent_once() -> None:
    twice = probe_cases(12, c003="the same", c008="the same")
    blocks = planned(a_probed(probe=a_plan(warmup=0)), cases=twice).blocks
    assert sorted(i for b in blocks for i in b.case_ids) == [f"c{i:03}" for i in range(12) if i != 8]


def test_shrinking_is_told_with_the_variants_name() -> None:
    (notice,) = planned(a_probed(probe=a_plan(requests=200))).notices
    assert notice.startswith("small: 200 probe requests shrink to 38")


def a_block_row(key: str) -> Row:
    return Row(key=key, kind="probe", model="openai/small", endpoint="bench", outcome="answered", raw="[]")


async def test_every_request_is_intended_before_any_is_sent_and_settled_after() -> None:
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    await run.measure([block], ScriptedProbeClient())
    assert [kind for kind, _, _ in run.journal.lines] == ["intend"] * 6 + ["settle"] * 6
    assert sorted(a.part for a in run.journal.settled) == [0, 1, 2, 3, 4, 5]
    assert {(a.key, a.outcome, a.upper.output) for a in run.journal.settled} == {(block.key, "answered", 100)}


async def test_the_row_is_sealed_with_the_last_outcome_and_holds_no_warmup() -> None:
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    await run.measure([block], ScriptedProbeClient())
    assert run.journal.lines[-1][2] is not None
    (row,) = run.journal.rows
    assert (row.key, row.kind, row.client, row.raw.count('"index"')) == (block.key, "probe", "script", 4)
    assert row.latency_ms == 300


async def test_failures_are_measurements_and_say_whether_they_may_have_been_billed() -> None:
    def script(call: ProbeCall) -> ProbeRow:
        return failed(call, {0: "timeout", 1: "status_429"}[call.index]) if call.index in (0, 1) else answered(call)

    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    await run.measure([block], ScriptedProbeClient(script))
    fates = {a.part - 2: (a.outcome, a.error, a.may_bill, a.usage is None) for a in run.journal.settled}
    assert fates[0] == ("failed", "timeout", True, True)
    assert fates[1] == ("failed", "status_429", False, True)
    assert fates[2] == ("answered", None, True, False)
    assert len(run.journal.rows) == 1


async def test_a_block_that_is_cut_off_leaves_no_row_and_the_answered_are_known() -> None:
    """Reversed order: index 3 and 2 were answered, 1 broke the process; what was answered is settled."""

    def script(call: ProbeCall) -> ProbeRow:
        if call.index == 1:
            raise ConnectionError
        return answered(call)

    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    with pytest.raises(ConnectionError):
        await run.measure([block], ScriptedProbeClient(script))
    assert run.journal.rows == []
    assert [a.part for a in run.journal.settled] == [0, 1, 5, 4]


async def test_a_wrong_key_is_no_measurement() -> None:
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    with pytest.raises(Denied, match="every probe request of small failed so"):
        await run.measure([block], ScriptedProbeClient(lambda call: failed(call, "status_401")))
    assert run.journal.rows == []
    assert len(run.journal.settled) == 6


async def test_a_block_in_which_every_request_timed_out_is_sealed() -> None:
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    await run.measure([block], ScriptedProbeClient(lambda call: failed(call, "timeout"), busy=3.0))
    (row,) = run.journal.rows
    assert (row.latency_ms, row.busy_core_s) == (None, None)


async def test_busy_seconds_are_shared_so_that_they_add_up() -> None:
    """Six answers, warm-up among them, in 3 CPU-seconds: 0.5 each."""
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    await run.measure([block], ScriptedProbeClient(busy=3.0))
    assert run.journal.rows[0].busy_core_s == 0.5


async def test_dollars_so_far_are_tokens_and_busy_seconds() -> None:
    """Six answers of 10 prompt tokens at 0.001 and 2 of output at 0.01, and 3 s at 3600 an hour: 6 x 0.03 + 3."""
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    price = replace(PRICE, usd_per_core_hour=Decimal(3600))
    await run.measure([block], ScriptedProbeClient(busy=3.0), price)
    assert run.progress.spent == Money.of("3.18")
    assert run.progress.done == 6


async def test_without_a_price_nothing_is_known_of_dollars() -> None:
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    await run.measure([block], ScriptedProbeClient(), PriceRow(model="openai/small", source="test"))
    await measure(
        [block],
        client=ScriptedProbeClient(),
        targets=TARGETS,
        journal=run.journal,
        clock=run.clock,
        progress=run.progress,
        prices={},
    )
    assert run.progress.spent == Money.of(0)


async def test_blocks_of_one_variant_are_parted_in_time() -> None:
    """Another variant's block parts them as well, so that only neighbours are made to wait."""
    alone, pair = Run(), Run()
    await alone.measure(planned(a_probed(probe=a_plan())).blocks[:3], ScriptedProbeClient())
    both = planned(a_probed("a", probe=a_plan()), a_probed("b", probe=a_plan(), prompt=told("b"))).blocks[:4]
    await pair.measure(both, ScriptedProbeClient())
    assert (alone.clock.slept, pair.clock.slept) == ([PAUSE_S] * 2, [PAUSE_S])


async def test_cancelling_leaves_no_row() -> None:
    run, block = Run(), planned(a_probed(probe=a_plan())).blocks[0]
    task = asyncio.create_task(run.measure([block], ScriptedProbeClient(pause_s=60)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (run.journal.rows, run.journal.settled, len(run.journal.open)) == ([], [], 6)


@dataclass(slots=True)
class ProbeFiles:
    """A store with some rows, and evidence that remembers what was written."""

    paid: dict[str, Row]
    probes: list[ProbeRow] = field(default_factory=list[ProbeRow])
    rows_written: list[Row] = field(default_factory=list[Row])
    attempts_written: list[Attempt] = field(default_factory=list[Attempt])

    def rows(self, keys: Collection[str]) -> Mapping[str, Row]:
        """Those that are there."""
        return {key: self.paid[key] for key in keys if key in self.paid}

    def attempts(self, keys: Collection[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """One, of the first key."""
        first = next(iter(keys))
        return {first: (Attempt(key=first, at_ns=1, model="m", endpoint=None, outcome="answered"),)}

    def write_probes(self, probes: Iterable[ProbeRow], rows: Iterable[Row], attempts: Iterable[Attempt]) -> None:
        """Remembers."""
        self.probes, self.rows_written, self.attempts_written = list(probes), list(rows), list(attempts)


def collected(found: PlannedProbes, rows: Iterable[Row]) -> ProbeFiles:
    files = ProbeFiles({row.key: row for row in rows})
    collect(found, store=cast("RowStore", files), evidence=cast("Evidence", files))
    return files


async def test_each_variant_has_its_rows_even_where_blocks_are_shared() -> None:
    found, run = planned(a_probed("a", probe=a_plan()), a_probed("b", probe=a_plan())), Run()
    await run.measure(found.missing({}), ScriptedProbeClient())
    files = collected(found, run.journal.rows)
    assert sorted({(row.variant, row.block) for row in files.probes}) == [(v, n) for v in "ab" for n in range(5)]
    assert len(files.probes) == 40
    assert (len(files.rows_written), len(files.attempts_written)) == (5, 1)
    assert {row.case_id for row in files.probes if row.key == found.keys[0]} == set(found.blocks[0].case_ids)


async def test_a_block_that_was_never_measured_to_its_end_makes_it_incomplete() -> None:
    found, run = planned(a_probed(probe=a_plan())), Run()
    await run.measure(found.missing({})[:4], ScriptedProbeClient())
    with pytest.raises(Incomplete, match="probe: 6 of 30 calls have no answer"):
        collected(found, run.journal.rows)
