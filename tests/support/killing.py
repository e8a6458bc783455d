"""Kills processes with -9 at moments drawn from a printed seed, and starts them again until they succeed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SUPPORT = Path(__file__).parent
MOST_RESUMES = 8
LOOK_S = 0.001
PATIENCE_S = 180.0


def never() -> bool:
    """A moment that does not come."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int | None
    """None where it was killed."""
    said: str
    """On standard output and standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A command that does the same work whenever it is run, and ends with 0 when it is done."""

    command: Sequence[str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def started(self) -> subprocess.Popen[bytes]:
        """At work; what it prints is added to `output.txt` in its folder."""
        path = os.pathsep.join([str(SUPPORT), str(SUPPORT.parents[1] / "flows")])
        with (self.folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": path, **self.env},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def finished(self) -> float:
        """Runs until it succeeds, and says how long the last run took.

        Raises:
            AssertionError: with what it printed, where it does not.
        """
        for _ in range(MOST_RESUMES):
            began = time.monotonic()
            if self.started().wait(timeout=180) == 0:
                return time.monotonic() - began
        raise AssertionError((self.folder / "output.txt").read_text())

    def ended(self, *, kill: Callable[[], bool] = never) -> Ended:
        """Runs it once, to its end or until `kill` says that the moment to kill it with -9 has come."""
        output = self.folder / "output.txt"
        before = output.stat().st_size if output.exists() else 0
        running, began, code = self.started(), time.monotonic(), None
        try:
            while (code := running.poll()) is None and not kill():
                assert time.monotonic() - began < PATIENCE_S, output.read_text()[before:]
                time.sleep(LOOK_S)
        finally:
            if code is None:
                running.kill()
                running.wait()
        return Ended(code=code, said=output.read_bytes()[before:].decode())

    def killed(self, after_s: float) -> bool:
        """Kills it with -9 after that time; False where it had ended by then."""
        running = self.started()
        try:
            running.wait(timeout=after_s)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            return True
        return False

    def killed_and_finished(self, seed: str, length_s: float, *, most: int) -> int:
        """One or more kills, each uniform over the length of a run, and whole runs after them; how many kills hit."""
        rng = random.Random(seed)
        moments = [rng.uniform(0, length_s) for _ in range(rng.randint(1, most))]
        sys.stdout.write(f"seed {seed!r}: killed after {', '.join(f'{moment:.3f}' for moment in moments)} s\n")
        kills = sum([self.killed(moment) for moment in moments])
        self.finished()
        return kills
