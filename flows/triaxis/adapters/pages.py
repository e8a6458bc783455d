"""Pages from the package's own templates. Everything put into them is untrusted text, and is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

from triaxis.adapters.templates import page_environment

_TEMPLATES = files("triaxis.adapters") / "page_templates"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")


class TemplatePages:
    """`ports.pages.Pages` with Jinja, which escapes HTML; the filter `cell` does the same for Markdown."""

    def __init__(self) -> None:
        self._environment = page_environment(lambda name: (_TEMPLATES / f"{name}.j2").read_text())
        self._environment.filters["cell"] = cell

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The page `name`, such as `scorecard.html`."""
        style = _Safe((_TEMPLATES / "style.css").read_text())
        return self._environment.get_template(name).render(values, style=style) + "\n"


class _Safe(str):
    """Text that needs no escaping by Jinja: our own style sheet, or what `cell` made safe."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def cell(text: str) -> str:
    """Untrusted text as one line of Markdown that formats nothing, as it may stand in a table's cell."""
    return _Safe(_MARKDOWN.sub(r"\\\1", " ".join(text.split())))
