"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def workspace_options(command: F) -> F:
    """`-C DIR` and `-c FILE`: which workspace, and which evaluation of it."""
    config = click.option(
        "-c",
        "--config",
        default="evaluation.yaml",
        show_default=True,
        metavar="FILE",
        help="The evaluation file, relative to the workspace.",
    )
    workspace = click.option(
        "-C",
        "--workspace",
        "root",
        default=".",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The workspace's folder.",
    )
    return workspace(config(command))


def json_option(command: F) -> F:
    """`--json`: one object on stdout, everything else on stderr."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")(command)
