"""Workspaces of made-up cases, and what the benchmarks share: a provider to call, and processes to time."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
TRIAXIS = str(Path(sys.executable).with_name("triaxis"))
KEY = {"OPENAI_API_KEY": "made-up"}
STAGE_ENDS = re.compile(r"(prepare|generate|probe|judge|assess|decide|publish): .*\(.* s\)")

CALLS_BEGIN = re.compile(r"generate: \d+ calls")

EVALUATION = """\
schema_version: 1
name: made-up
dataset: datasets/made-up/cases.jsonl
expectations: datasets/made-up/expectations.json
rubric: rubrics/made-up/rubric.yaml
slo: rubrics/made-up/slo.yaml
prices: prices.yaml
baseline: slow
limits: {concurrency: %(concurrency)d, max_usd: 1000}
variants:
  slow:
    model: openai/slow
    api_base: %(api_base)s
    endpoint: simulated
    prompt: prompts/answer.md
    params: {temperature: 0, max_tokens: 64}
  fast:
    extends: slow
    model: openai/fast
    levers: [tiering]
"""
FILES: Mapping[str, str] = {
    "datasets/made-up/expectations.json": json.dumps(
        {
            "name": "made-up",
            "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "expected"}}],
        }
    ),
    "rubrics/made-up/rubric.yaml": """\
schema_version: 1
dimensions:
  resolution: {evaluator: exact, weight: 0.5}
  mentions: {evaluator: contains}
  finished: {evaluator: finished}
""",
    "rubrics/made-up/slo.yaml": """\
schema_version: 1
owner: nobody
review_by: 2099-12-31
traffic: {sessions_per_day: 1000, requests_per_session: 2}
cost:
  - {per: session, max_usd: 0.04, tolerance_usd: 0.02}
precision:
  - {dimension: resolution, min: 0.85}
errors: {max_rate: 0.01}
weights: {latency: 0.4, cost: 0.2, precision: 0.4, because: "nobody waits for a benchmark"}
""",
    "prices.yaml": """\
schema_version: 1
models:
  openai/slow: {input_cost_per_token: 1.0e-5, output_cost_per_token: 3.0e-5}
  openai/fast: {input_cost_per_token: 1.0e-6, output_cost_per_token: 2.0e-6}
""",
    "prompts/answer.md": """\
--- system
You are the assistant of a bank's app. Answer from the context, in as few words as you can.
--- user
Context: {{ context }}

Question: {{ input }}
""",
}


def case(number: int) -> Mapping[str, object]:
    """A row of ground truth; sessions of two turns, three kinds."""
    return {
        "id": f"case-{number:06}",
        "input": f"What is the answer to question {number}?",
        "expected": f"answer {number}",
        "context": f"The answer to question {number} is made up, as are the account and the balance it asks about. "
        * 2,
        "slice": {"kind": ("balance", "policy", "status")[number % 3]},
        "session": f"session-{number // 2:06}",
        "route": ("simple", "complex")[number % 2],
    }


def write_workspace(
    root: Path, *, cases: int, api_base: str, concurrency: int = 64, files: Mapping[str, str] = FILES
) -> None:
    """Two variants over that many cases, precision by three evaluators that need no judge, and no probe.

    `files` may hold another evaluation, and more than that.
    """
    evaluation = files.get("evaluation.yaml", EVALUATION)
    texts = {**FILES, **files, "evaluation.yaml": evaluation % {"api_base": api_base, "concurrency": concurrency}}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    write_cases(root, cases)


def write_cases(root: Path, cases: int) -> None:
    """So many cases, written as they are made: what a process held shows in the peak of those it starts."""
    with (root / "datasets/made-up/cases.jsonl").open("w") as file:
        file.writelines(json.dumps(case(number)) + "\n" for number in range(cases))


def version_workspace(root: Path) -> None:
    """Puts the workspace under git and DVC, as `triaxis init` leaves one."""
    dvc = str(Path(sys.executable).with_name("dvc"))
    for command in (["git", "init", "-q"], [dvc, "init", "-q"], [TRIAXIS, "init", "."]):
        subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)


def said(api_base: str) -> Mapping[str, Any]:
    """What the simulated provider at that address says of itself since it started."""
    with contextlib.closing(HTTPConnection(urlsplit(api_base).netloc)) as connection:
        connection.request("GET", "/heard")
        told: Mapping[str, Any] = json.load(connection.getresponse())
        return told


@dataclass(frozen=True, slots=True)
class Heard:
    """What the simulated provider says of itself."""

    calls: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Provider:
    """A running simulated provider."""

    api_base: str

    def heard(self) -> Heard:
        """Calls it got and CPU time it used, since it started."""
        return Heard(**said(self.api_base))


@contextlib.contextmanager
def provider(**delays_ms: float) -> Generator[Provider]:
    """A simulated provider in a process of its own; each model answers after its delay."""
    given = [arg for model, ms in delays_ms.items() for arg in ("--delay-ms", f"{model}={ms}")]
    command = [sys.executable, str(HERE / "provider.py"), *given]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield Provider(json.loads(child.stdout.readline())["api_base"])
        child.stdin.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A process from start to end, as the operating system saw it."""

    wall_s: float
    user_s: float
    system_s: float
    peak_mb: float
    """Of the largest of its processes."""
    code: int
    said: str
    lines: Sequence[tuple[float, str]] = field(default=())
    """Every line of stderr with the second it came at."""

    @property
    def cpu_s(self) -> float:
        """User and system time, of the process and the children it waited for."""
        return self.user_s + self.system_s

    def stages(self) -> dict[str, float]:
        """Seconds by stage, from the end of the one before; the first holds the start-up too."""
        ends = [(at, found[1]) for at, line in self.lines if (found := STAGE_ENDS.fullmatch(line))]
        return {name: at - before for (at, name), before in zip(ends, [0.0, *(at for at, _ in ends)], strict=False)}

    def calling_s(self) -> float:
        """Seconds from the first call to the end of generate, its evidence written; 0 where nothing was called."""
        began = next((at for at, line in self.lines if CALLS_BEGIN.fullmatch(line)), None)
        ended = (at for at, line in self.lines if (end := STAGE_ENDS.fullmatch(line)) and end[1] == "generate")
        return 0.0 if began is None else next(ended, began) - began


def timed(command: Sequence[str], root: Path, **environ: str) -> Timed:
    """Runs a command and waits for it; its stderr is noted line by line as it comes."""
    started = time.perf_counter()
    child = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, **KEY, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    lines = [(time.perf_counter() - started, line.rstrip("\n")) for line in child.stderr]
    said = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    return Timed(
        wall_s=wall,
        user_s=used.ru_utime,
        system_s=used.ru_stime,
        peak_mb=used.ru_maxrss / 1024,
        code=child.returncode,
        said=said,
        lines=lines,
    )


def machine() -> str:
    """One line about where this runs, and how busy it is besides."""
    return f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} over the last minute"


def show(title: str, run: Timed) -> None:
    """Prints a run: its lines with their times, then what it took."""
    print(f"\n{title}")
    last = 0.0
    for at, line in run.lines:
        print(f"  {at:7.2f} s  (+{at - last:5.2f})  {line}")
        last = at
    print(f"  {run.wall_s:7.2f} s  (+{run.wall_s - last:5.2f})  exit {run.code}")
    print(f"  CPU {run.user_s:.2f} user + {run.system_s:.2f} system s; peak memory {run.peak_mb:.0f} MB")
    if run.code:
        print(run.said)
