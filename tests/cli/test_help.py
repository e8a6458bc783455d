"""Help: instant, whole, and with an example that is a command."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from triaxis.cli.main import VERBS, triaxis

TRIAXIS = Path(sys.executable).with_name("triaxis")
LIGHT = {"click", "colorama", "triaxis", "rfc8785"}
"""The packages that `--help` may import beside the standard library."""


def modules_of(*words: str) -> set[str]:
    """The top-level packages that a command imports, the interpreter's own aside."""
    command = [sys.executable, "-X", "importtime", str(TRIAXIS), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


def test_help_imports_nothing_heavy() -> None:
    # Of the interpreter's start, and of what the standard library tries in vain.
    before = {"site", "sitecustomize", "usercustomize", "imported package", "org"}
    heavy = {name for name in modules_of("--help") - LIGHT - before if not name.startswith(("_", "a1_", "distutils-"))}
    assert heavy == set()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    command = triaxis.get_command(click.Context(triaxis), verb)
    assert command is not None
    text = command.get_help(click.Context(command, info_name=f"triaxis {verb}", parent=None))
    found = re.search(r"Example: (triaxis .+)", text)
    assert found is not None, text
    words = shlex.split(found[1])[1:]
    assert words[0] == verb
    command.make_context(verb, words[1:])  # it parses


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_of_verbs_says_it_in_a_line(verb: str) -> None:
    _, text = VERBS[verb]
    assert text.endswith(".")
    assert len(text) < 70


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["run", "--frobnicate"], "No such option"),
        (["run", "extra"], "unexpected extra argument"),
        (["schema"], "Missing argument"),
    ],
)
def test_a_wrong_command_line_is_bad_input(words: list[str], says: str) -> None:
    done = subprocess.run([str(TRIAXIS), *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_the_version() -> None:
    done = subprocess.run([str(TRIAXIS), "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"triaxis, version \d+\.\d+\.\d+\n", done.stdout)
