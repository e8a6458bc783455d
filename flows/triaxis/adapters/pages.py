"""Pages from the package's own templates. Everything put into them is untrusted text, and is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

_TEMPLATES = files("triaxis.adapters") / "page_templates"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")


class TemplatePages:
    """`ports.pages.Pages` with Jinja: HTML is escaped by Jinja itself, Markdown by the filter `cell`."""

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FunctionLoader(lambda name: (_TEMPLATES / f"{name}.j2").read_text()),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
        )
        environment.filters["cell"] = cell
        return environment

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The page `name`, such as `scorecard.html`."""
        style = (_TEMPLATES / "style.css").read_text()
        return self._environment.get_template(name).render(values, style=_Style(style)) + "\n"


class _Style(str):
    """Our own style sheet, which needs no escaping."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def cell(text: str) -> str:
    """Untrusted text as one line of Markdown that formats nothing, as it may stand in a table's cell."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
