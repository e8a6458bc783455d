"""The fences of a page, and how its commands are run.

A comment above a fence says what becomes of it, in words parted by `;`:

    <!-- docs-test: edit FILE -->    a diff: `+` lines take the place of `-` lines; without those they are appended
    <!-- docs-test: exit 4 -->       the commands end with that code; without it they end with 0
    <!-- docs-test: provider -->     from here on a test provider, which is quick, stands for the local model
    <!-- docs-test: varies -->       what is printed depends on a model's answers, and is not compared
    <!-- docs-test: exact -->        dollars and scores are compared as well, on a page whose numbers cannot vary
    <!-- docs-test: skip REASON -->  it is not run

A page may begin with such a comment, `docs-test-page`, which then holds for all of its fences. There it may also say
`copy PATH PATH`: files and folders of the repository that are there before anything is typed; and `figures FILE`, to
which `docs_figures` holds the figures of its sentences.

A `console` fence runs its `$ ` lines in one folder, one after the other; its other lines must be printed by them.
`text` fences are pictures. All others need a comment.

With TRIAXIS_REWRITE=1 a line of an exact fence that is not printed is written anew, as the printed line most like it:
for when a rule has changed. What the page says about its numbers is for a reader of the difference to check.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"(?:^<!-- docs-test: (?P<said>[^\n]+?) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_PAGE = re.compile(r"\A<!-- docs-test-page: (.+?) -->\n", re.DOTALL)
_CHANGING = (
    (re.compile(r"\b[0-9a-f]{16}\b"), "ID"),
    (re.compile(r"\((?:[\d.]+ s|\d+ min \d+ s)\)$"), "(TIME)"),
)
"""What differs from run to run: ids, durations."""
_NUMBERS = re.compile(r"\$[\d.,]*\d|\b0\.\d+")
"""Dollars and scores, which depend on a model and on prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """One fence of a page."""

    page: str
    line: int
    kind: str
    said: Mapping[str, str]
    """What the comment says, by its first word."""
    body: str

    @property
    def place(self) -> str:
        """For whoever reads a failure."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The lines that are typed."""
        return [line.removeprefix("$ ") for line in self.body.splitlines() if line.startswith("$ ")]

    @property
    def shown(self) -> list[str]:
        """The lines that are printed, but for `...`, which stands for any."""
        return [line for line in self.body.splitlines() if line.strip() not in ("", "...") and line[:2] != "$ "]


def fences(page: str) -> Iterator[Fence]:
    """The fences of a page, by its path from the repository's root."""
    text = (ROOT / page).read_text(encoding="utf-8")
    everywhere = said_of_page(page)
    for found in _FENCE.finditer(text):
        yield Fence(
            page=page,
            line=text.count("\n", 0, found.start("kind")) + 1,
            kind=found["kind"],
            said={**everywhere, **_said(found["said"] or "")},
            body=found["body"],
        )


def said_of_page(page: str) -> dict[str, str]:
    """What the comment at its top says of all fences."""
    top = _PAGE.match((ROOT / page).read_text(encoding="utf-8"))
    return _said(top[1]) if top else {}


def _said(comment: str) -> dict[str, str]:
    words = [part.strip().partition(" ") for part in comment.split(";") if part.strip()]
    return {first: rest for first, _, rest in words}


def comparable(line: str, *, exact: bool = False) -> str:
    """A line of output without what differs from run to run."""
    for pattern, name in _CHANGING:
        line = pattern.sub(name, line)
    return " ".join((line if exact else _NUMBERS.sub("$", line)).split())


@dataclass(slots=True, kw_only=True)
class Reader:
    """Somebody who types what a page says."""

    folder: Path
    """Where they are."""
    environment: Mapping[str, str]
    api_base: str
    """Of the test provider."""
    typed: list[str] = field(default_factory=list[str])

    def begin(self, page: str) -> None:
        """Puts in place what the page takes from the repository."""
        for name in said_of_page(page).get("copy", "").split():
            kept, here = ROOT / name, self.folder / name
            here.parent.mkdir(parents=True, exist_ok=True)
            if kept.is_dir():
                shutil.copytree(kept, here)
            else:
                shutil.copy(kept, here)

    def follow(self, fence: Fence) -> None:
        """Does what the fence says, and holds it to what it shows."""
        if "skip" in fence.said:
            return
        if "provider" in fence.said:
            ask_provider(self.folder, self.api_base)
        if "edit" in fence.said:
            self._edit(fence)
        elif fence.kind == "console":
            self._type(fence)

    def _edit(self, fence: Fence) -> None:
        old, new = (
            "".join(f"{line[1:]}\n" for line in fence.body.splitlines() if line.startswith(sign)) for sign in "-+"
        )
        path = self.folder / fence.said["edit"]
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{fence.place}: {path.name} has no\n{old}"
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")

    def _type(self, fence: Fence) -> None:
        printed = "".join(self._run(fence, command) for command in fence.commands)
        if "varies" not in fence.said:
            exact = "exact" in fence.said
            lines = {comparable(line, exact=exact) for line in printed.splitlines()}
            missing = [line for line in fence.shown if comparable(line, exact=exact) not in lines]
            if missing and exact and os.environ.get("TRIAXIS_REWRITE"):
                _write_anew(fence, missing, printed.splitlines())
                return
            assert not missing, f"{fence.place}: not printed: {missing}; printed:\n{printed}"

    def _run(self, fence: Fence, command: str) -> str:
        self.typed.append(command)
        if command.startswith("cd "):
            self.folder = (self.folder / command[3:].strip()).resolve()
            return ""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == int(fence.said.get("exit", "0")), f"{fence.place}: {command}\n{done.stdout}"
        return done.stdout


def _write_anew(fence: Fence, missing: Sequence[str], printed: Sequence[str]) -> None:
    body = fence.body
    for line in missing:
        (like,) = get_close_matches(line, printed, n=1, cutoff=0)
        body = body.replace(f"{line}\n", f"{like.rstrip()}\n")
    page = ROOT / fence.page
    page.write_text(page.read_text(encoding="utf-8").replace(fence.body, body), encoding="utf-8")


def ask_provider(workspace: Path, api_base: str) -> None:
    """Changes the workspace's two lines, as its own comment says; the probe need not spare a small machine either."""
    for name, old, new in (
        ("evaluation.yaml", "local/smollm2-135m", f"openai/smollm2-135m\n    api_base: {api_base}"),
        ("evaluation.yaml", "rate_per_s: 1,", "rate_per_s: 40,"),
        ("prices.yaml", "local/smollm2-135m", "openai/smollm2-135m"),
    ):
        path = workspace / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old}"
        path.write_text(text.replace(old, new), encoding="utf-8")


def environment(home: Path, binaries: Path) -> dict[str, str]:
    """What a reader's commands see: a home of their own, no keys, and a name for git."""
    own = {
        "HOME": str(home),
        "PREFECT_HOME": str(home / "prefect"),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "reader@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "COV_")) and not k.endswith("_KEY")}
    return {**kept, **own}
