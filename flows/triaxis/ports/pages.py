"""Rendering pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Pages(Protocol):
    """Fills page templates; every value is escaped for the page's format, whatever it contains."""

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The page `name`, such as `scorecard.html`."""
        ...
