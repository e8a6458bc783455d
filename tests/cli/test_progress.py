"""What a person sees of a run's progress: lines in a log, bars at a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress as Display
from rich.progress import TextColumn

from triaxis.cli.progress import Bars, Lines, clock, live_bars
from triaxis.quantities import Money


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds, as it was moved to."""
        return self.now


def test_what_a_batch_of_another_stage_cost_is_counted() -> None:
    """A run collects what earlier runs left behind, whatever is at work now."""
    out, time = io.StringIO(), Clock()
    lines, bars = Lines(out, time), Bars(Display(console=Console(file=out)))
    for shown in (lines, bars):
        shown.advance("judge", 20, Money.of("0.5"))
        shown.begin("generate", 100, "calls")
    time.now += 15
    lines.advance("generate", 10, Money.of("0.25"))
    assert "generate: 10 of 100 calls, $0.750 so far, about 2 min 15 s left" in out.getvalue()


def test_a_run_in_a_log() -> None:
    """A line when a stage begins and ends, and one each quarter of a minute between."""
    out, time = io.StringIO(), Clock()
    lines = Lines(out, time)
    lines.note("dimension 'tone' is off: no judge model is configured.")
    lines.begin("prepare", 0, "")
    time.now += 1.5
    lines.end("prepare", "12 cases, 4 variants")
    lines.begin("generate", 200, "calls")
    for _ in range(100):
        time.now += 0.25
        lines.advance("generate", 1, Money.of("0.004"))
    lines.advance("generate", 0, Money.of("1"))
    time.now += 65
    lines.end("generate", "200 answers, 200 of them asked for now")
    time.now += 2
    lines.end("decide", "scorecard 0123456789abcdef")
    assert out.getvalue().splitlines() == [
        "dimension 'tone' is off: no judge model is configured.",
        "prepare",
        "prepare: 12 cases, 4 variants (1.5 s)",
        "generate: 200 calls",
        "generate: 60 of 200 calls, $0.240 so far, about 35 s left",  # 60 calls in 15 s, 140 to go at 4 a second
        "generate: 200 answers, 200 of them asked for now (1 min 30 s)",
        "decide: scorecard 0123456789abcdef (2.0 s)",
    ]


def test_nothing_done_yet_is_no_reason_to_guess() -> None:
    out, time = io.StringIO(), Clock()
    lines = Lines(out, time)
    lines.begin("judge", 8, "calls")
    time.now += 20
    lines.advance("judge", 0, Money.of("0.5"))
    assert out.getvalue().splitlines()[-1] == "judge: 0 of 8 calls, $0.500 so far"


@pytest.fixture
def screen() -> tuple[Bars, io.StringIO, Display]:
    """Bars on a terminal of paper, redrawn only where a test says so."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=False, width=80)
    columns = (TextColumn("{task.description} {task.completed:g}/{task.total} {task.fields[spent]}"),)
    display = Display(*columns, console=console, auto_refresh=False)
    return Bars(display), out, display


def shown(display: Display) -> list[tuple[str, float, float | None, str]]:
    return [(task.description, task.completed, task.total, task.fields["spent"]) for task in display.tasks]


def test_bars_follow_the_stages(screen: tuple[Bars, io.StringIO, Display]) -> None:
    """One bar a stage, gone when it ends; dollars add up over all of them."""
    bars, out, display = screen
    bars.begin("prepare", 0, "")
    assert shown(display) == [("prepare", 0, None, "$0.00")]
    bars.end("prepare", "12 cases")
    bars.begin("generate", 36, "calls")
    bars.advance("generate", 2, Money.of("0.25"))
    assert shown(display) == [("generate", 2, 36, "$0.250")]
    bars.end("generate", "36 answers")
    bars.begin("judge", 12, "calls")
    bars.advance("judge", 12, Money.of("1"))
    bars.begin("judge", 3, "calls")  # the next judge's round
    bars.advance("judge", 1)
    assert shown(display) == [("judge", 1, 3, "$1.25")]
    bars.end("judge", "15 judge calls [bold]as they are[/]")
    bars.end("decide", "scorecard 0123")
    assert shown(display) == []
    assert out.getvalue().splitlines() == [
        "prepare: 12 cases",
        "generate: 36 answers",
        "judge: 15 judge calls [bold]as they are[/]",
        "decide: scorecard 0123",
    ]


def test_live_bars_leave_only_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with live_bars() as bars:
        bars.begin("generate", 2, "calls")
        bars.advance("generate", 1, Money.of("0.1"))
        bars.end("generate", "2 answers")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "generate: 2 answers" in printed.err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
    ],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
