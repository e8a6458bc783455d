"""Progress on stderr: live bars for a person at a terminal, sparse lines for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from triaxis.ports.progress import Progress
from triaxis.quantities import NO_MONEY, Money
from triaxis.rules.words import dollars

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

LOG_EVERY_S = 15.0
WHOLE_FROM_S = 10
"""From so many seconds up, tenths say nothing."""


@contextmanager
def progress() -> Generator[Progress]:
    """The progress that suits where stderr goes."""
    if sys.stderr.isatty():
        with live_bars() as bars:
            yield bars
    else:
        yield Lines(sys.stderr)


@dataclass(slots=True)
class _Count:
    total: int
    unit: str
    started: float
    done: int = 0
    logged: float = 0.0


def _left(count: _Count, now: float) -> str:
    """What is left at the pace so far; nothing where there is no pace yet."""
    if not count.done:
        return ""
    return f", about {clock((now - count.started) / count.done * (count.total - count.done))} left"


class Lines:
    """One line when a stage begins and ends, and every quarter of a minute between."""

    def __init__(self, out: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._out, self._now = out, now
        self._counts: dict[str, _Count] = {}
        self._spent = NO_MONEY
        self._ended = now()

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Prints what starts."""
        now = self._now()
        self._counts[stage] = _Count(total, unit, now, logged=now)
        self._print(f"{stage}: {total} {unit}" if total else f"{stage}")

    def advance(self, stage: str, done: int = 1, spent: Money = NO_MONEY) -> None:
        """Counts, and prints now and then; of a stage that is not at work, what was spent alone."""
        self._spent += spent
        if (count := self._counts.get(stage)) is None:
            return
        count.done += done
        now = self._now()
        if now - count.logged >= LOG_EVERY_S:
            count.logged = now
            self._print(
                f"{stage}: {count.done} of {count.total} {count.unit}, {dollars(float(self._spent.usd))} so far"
                f"{_left(count, now)}"
            )

    def end(self, stage: str, summary: str) -> None:
        """Prints how it ended, and how long it took: a stage that had nothing to wait for began when the last ended."""
        now = self._now()
        started = self._counts[stage].started if stage in self._counts else self._ended
        self._ended = now
        self._print(f"{stage}: {summary} ({clock(now - started)})")

    def note(self, text: str) -> None:
        """Prints the line."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


class Bars:
    """rich's live bars: what is running, done of total, dollars so far, time left."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._tasks: dict[str, TaskID] = {}
        self._spent = NO_MONEY

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Adds the stage's bar, in the place of the one that it may have had."""
        self._remove(stage)
        self._tasks[stage] = self._display.add_task(
            stage, total=total or None, unit=unit, spent=dollars(float(self._spent.usd))
        )

    def advance(self, stage: str, done: int = 1, spent: Money = NO_MONEY) -> None:
        """Moves the stage's bar, where it has one."""
        self._spent += spent
        if stage in self._tasks:
            self._display.update(self._tasks[stage], advance=done, spent=dollars(float(self._spent.usd)))

    def end(self, stage: str, summary: str) -> None:
        """Replaces the bar by one line."""
        self._remove(stage)
        self.note(f"{stage}: {summary}")

    def _remove(self, stage: str) -> None:
        if stage in self._tasks:
            self._display.remove_task(self._tasks.pop(stage))

    def note(self, text: str) -> None:
        """Prints the line above the bars."""
        self._display.console.print(text, markup=False, highlight=False)


@contextmanager
def live_bars() -> Generator[Progress]:
    """Live bars on stderr until the context ends."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Display

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:9}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[spent]}"),
        TimeRemainingColumn(compact=True),
    )
    with Display(*columns, console=Console(stderr=True), transient=True) as display:
        yield Bars(display)


def clock(seconds: float) -> str:
    """Seconds as `0.4 s`, `12 s` or `3 min 05 s`."""
    tenths = round(seconds, 1)
    if tenths < WHOLE_FROM_S:
        return f"{tenths:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
