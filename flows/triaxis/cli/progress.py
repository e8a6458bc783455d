"""Progress on stderr: live bars for a person at a terminal, sparse lines for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from triaxis.ports.progress import Progress
from triaxis.quantities import NO_MONEY, Money

LOG_EVERY_S = 15.0


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


class Lines:
    """One line when a stage begins and ends, and every quarter of a minute between."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._counts: dict[str, _Count] = {}
        self._spent = NO_MONEY

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Prints what starts."""
        now = time.monotonic()
        self._counts[stage] = _Count(total, unit, now, logged=now)
        self._print(f"{stage}: {total} {unit}" if total else f"{stage}")

    def advance(self, stage: str, done: int = 1, spent: Money = NO_MONEY) -> None:
        """Counts, and prints now and then."""
        count = self._counts[stage]
        count.done += done
        self._spent += spent
        now = time.monotonic()
        if now - count.logged >= LOG_EVERY_S:
            count.logged = now
            left = (now - count.started) / count.done * (count.total - count.done) if count.done else 0.0
            self._print(
                f"{stage}: {count.done} of {count.total} {count.unit}, {dollars(self._spent)} so far, "
                f"about {clock(left)} left"
            )

    def end(self, stage: str, summary: str) -> None:
        """Prints how it ended."""
        started = self._counts[stage].started if stage in self._counts else time.monotonic()
        self._print(f"{stage}: {summary} ({clock(time.monotonic() - started)})")

    def note(self, text: str) -> None:
        """Prints the line."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


class Bars:
    """rich's live bars: what is running, done of total, dollars so far, time left."""

    def __init__(self, display: object) -> None:
        from rich.progress import Progress as Display

        assert isinstance(display, Display)
        self._display = display
        self._tasks: dict[str, int] = {}
        self._spent = NO_MONEY

    def begin(self, stage: str, total: int, unit: str) -> None:
        """Adds the stage's bar."""
        self._tasks[stage] = self._display.add_task(stage, total=total or None, unit=unit, spent=dollars(self._spent))

    def advance(self, stage: str, done: int = 1, spent: Money = NO_MONEY) -> None:
        """Moves the stage's bar."""
        self._spent += spent
        task = self._display.tasks[self._tasks[stage]]
        self._display.update(task.id, advance=done, spent=dollars(self._spent))

    def end(self, stage: str, summary: str) -> None:
        """Replaces the bar by one line."""
        if stage in self._tasks:
            self._display.remove_task(self._display.tasks[self._tasks.pop(stage)].id)
        self.note(f"{stage}: {summary}")

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


def dollars(amount: Money) -> str:
    """Dollars as a person reads them: cents from a dollar up, more digits below."""
    return f"${amount.usd:,.2f}" if amount.usd >= 1 or not amount.usd else f"${amount.usd:.2g}"


_MINUTE, _FEW = 60, 10


def clock(seconds: float) -> str:
    """Seconds as `0.4 s`, `12 s` or `3 min 05 s`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < _FEW else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest:02d} s"
