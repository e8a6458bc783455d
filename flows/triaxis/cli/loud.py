"""What a reader of verdicts must not overlook, on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from triaxis.rules.gating.standing import Standing


def warn(standings: Sequence[Standing]) -> None:
    """Each warning once: an overdue review, waivers past their day, targets loosened since the last promotion."""
    for warning in dict.fromkeys(text for standing in standings for text in standing.warnings):
        click.echo(f"WARNING: {warning}", err=True)
