"""Prompt templates: sandboxed Jinja, into which only values go. The only file that imports jinja2.

A template is parted into messages before it is rendered, so that a case whose text holds `--- system` cannot speak in
another role. Nothing is escaped: a prompt is no HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from triaxis.adapters.workspace.findings import near
from triaxis.domain.canonical import JsonValue
from triaxis.domain.case import Case, Message
from triaxis.domain.variant import Prompt
from triaxis.errors import Fault, InputFaults

NAMES = ("context", "id", "input", "route", "session", "slice", "steps", "value")
"""What a variant's prompt may use of a case."""
JUDGE_NAMES = ("answer", "expected", *NAMES)
"""What a judge's prompt may use."""
ROLES = ("system", "user", "assistant")
_MARK = re.compile(r"^---[ \t]+([A-Za-z]+)[ \t]*$", re.MULTILINE)
_GLOBALS = frozenset({"range", "dict", "lipsum", "cycler", "joiner", "namespace"})


class _Passages(tuple[str, ...]):
    """Several texts that read as one where a template shows them whole: joined by blank lines."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n\n".join(self)


class _Turns(tuple[dict[str, str], ...]):
    """A conversation that reads as a transcript where a template shows it whole; one lone message is its text."""

    __slots__ = ()

    def __str__(self) -> str:
        if len(self) == 1:
            return self[0]["content"]
        return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in self)


class _Object(dict[str, Any]):
    """An object that reads as JSON where a template shows it whole."""

    __slots__ = ()

    def __str__(self) -> str:
        return json.dumps(self, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True)
class _Part:
    """One message of a template, before it is compiled."""

    role: str
    text: str
    line: int
    """Of its first line in the file, 1-based."""


def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)


_ENVIRONMENT = _environment()


def page_environment(load: Callable[[str], str]) -> jinja2.Environment:
    """For the package's own page templates, into which untrusted text goes: everything is escaped.

    Args:
        load: Gives a template's text by its name.
    """
    return jinja2.Environment(loader=jinja2.FunctionLoader(load), autoescape=True, undefined=jinja2.StrictUndefined)


class JinjaTemplates:
    """Renders untrusted values into sandboxed templates; compiled ones are kept."""

    def messages(
        self, prompt: Prompt | None, case: Case, extra: Mapping[str, JsonValue] | None = None
    ) -> tuple[Message, ...]:
        """The messages a prompt makes of a case; without a prompt, the case's input as it is.

        `extra` makes it a judge's prompt: `expected` and what `extra` holds can then be named as well.

        Raises:
            InputFaults: where the template fails on this case, such as a tag that the case does not have.
        """
        if prompt is None:
            return (Message(role="user", content=case.input),) if isinstance(case.input, str) else case.input
        names = NAMES if extra is None else (*extra, "expected", *NAMES)
        return tuple(
            part if isinstance(part, Message) else _message(prompt, part, case, names, extra)
            for part in _compiled(prompt.text, names)
        )

    def faults(self, prompt: Prompt, *, judge: bool = False) -> Sequence[tuple[int, str]]:
        """Line and message of everything wrong with the template's syntax or the names it uses.

        Names of a judge's prompt may be `answer` and `expected` too; in a variant's they would leak the answer.
        """
        names = JUDGE_NAMES if judge else NAMES
        return tuple(sorted(set(_part_faults(prompt.text, names))))


def _message(prompt: Prompt, part: _Compiled, case: Case, names: Sequence[str], extra: _Extra) -> Message:
    if isinstance(part.template, tuple):
        texts = [piece if isinstance(piece, str) else str(_value(piece.name, case, extra)) for piece in part.template]
        return Message(role=part.role, content="".join(texts))
    try:
        content = part.template.render({name: _value(name, case, extra) for name in names})
    except Exception as error:
        # A template runs the user's own expressions, which may fail in any way that Python can.
        problem = f"cannot be rendered for this case: {type(error).__name__}: {_first_line(error)}"
        advice = "Guard what not every case has, such as {% if slice.kind is defined %}."
        line = part.line + _template_line(error) - 1
        raise InputFaults(Fault(file=prompt.path, line=line, case=case.id, problem=problem, advice=advice)) from error
    return Message(role=part.role, content=content)


def _part_faults(text: str, names: Sequence[str]) -> Iterator[tuple[int, str]]:
    if not text.strip():
        yield 1, "is empty. Write the prompt's text."
        return
    first = _MARK.search(text)
    if first is not None and text[: first.start()].strip():
        yield 1, f"has text before its first {first[0].strip()!r} line. Move it into a message."
    for part in _parts(text):
        if part.role not in ROLES:
            yield part.line - 1, f"has a message of unknown role {part.role!r}. {near(part.role, ROLES)}"
        try:
            tree = _ENVIRONMENT.parse(part.text)
            _ENVIRONMENT.compile(tree)
        except jinja2.TemplateSyntaxError as error:
            problem = f"is not a valid template: {error.message}. Check braces, block ends and names of filters."
            yield part.line + error.lineno - 1, problem
        except RecursionError:
            yield part.line, "is nested too deeply. Write it flatter."
        else:
            yield from _name_faults(_ENVIRONMENT.parse(part.text), part.line, names)


def _name_faults(tree: nodes.Template, line: int, names: Sequence[str]) -> Iterator[tuple[int, str]]:
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx in {"store", "param"}}
    macros = {node.name for node in tree.find_all(nodes.Macro)}
    for node in tree.find_all(nodes.Name):
        if node.name in names or node.name in own | macros | _GLOBALS | {"loop", "caller", "varargs", "kwargs", "self"}:
            continue
        if node.name in JUDGE_NAMES:
            advice = "Remove it: a prompt that holds the expected answer measures nothing."
            yield line + node.lineno - 1, f"uses {node.name!r}, which only judges may see. {advice}"
        else:
            yield line + node.lineno - 1, f"uses the unknown name {node.name!r}. {near(node.name, names)}"
    # Jinja itself lets these pass inside a condition, until the condition holds.
    for kind, known in ((nodes.Filter, _ENVIRONMENT.filters), (nodes.Test, _ENVIRONMENT.tests)):
        for node in tree.find_all(kind):
            if node.name not in known:
                word = kind.__name__.lower()
                yield line + node.lineno - 1, f"uses the unknown {word} {node.name!r}. {near(node.name, known)}"
    for kind in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
        for node in tree.find_all(kind):
            yield line + node.lineno - 1, "takes in another file. Write its text here: a prompt is one file."


def _parts(text: str) -> tuple[_Part, ...]:
    """The messages of a template; one user message where nothing parts it."""
    marks = list(_MARK.finditer(text))
    if not marks:
        return (_trimmed("user", text, 1),)
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return tuple(
        _trimmed(mark[1], text[mark.end() + 1 : end], text.count("\n", 0, mark.end()) + 2)
        for mark, end in zip(marks, ends, strict=True)
    )


def _trimmed(role: str, text: str, line: int) -> _Part:
    """A part without the blank lines around it."""
    start = len(text) - len(text.lstrip("\n"))
    return _Part(role, text.strip("\n"), line + start)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A place in a text where a value is put as it is."""

    name: str


_Template: TypeAlias = jinja2.Template | tuple[str | _Slot, ...]
"""Texts and slots where a template does no more than put values into text, as most do: Jinja would say the same in ten
times as long."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One message of a template, ready to be rendered."""

    role: str
    line: int
    template: _Template


@lru_cache(maxsize=256)
def _compiled(text: str, names: Sequence[str]) -> tuple[Message | _Compiled, ...]:
    """The messages of a prompt in which some names have a value; those that are the same for every case are made."""
    return tuple(_made(part, _template(part.text, names)) for part in _parts(text))


def _made(part: _Part, template: _Template) -> Message | _Compiled:
    if isinstance(template, tuple) and not any(isinstance(piece, _Slot) for piece in template):
        return Message(role=part.role, content="".join(map(str, template)))
    return _Compiled(part.role, part.line, template)


def _template(text: str, names: Sequence[str]) -> _Template:
    body = _ENVIRONMENT.parse(text).body
    pieces = [piece for node in body for piece in (node.nodes if isinstance(node, nodes.Output) else [node])]
    slots = [_piece(piece, names) for piece in pieces]
    plain = tuple(slot for slot in slots if slot is not None)
    return plain if len(plain) == len(slots) else _ENVIRONMENT.from_string(text)


def _piece(node: nodes.Node, names: Sequence[str]) -> str | _Slot | None:
    """A piece of plain text or a value that is always there; None for anything else."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    return _Slot(node.name) if isinstance(node, nodes.Name) and node.name in names else None


_Extra: TypeAlias = Mapping[str, JsonValue] | None


def _value(name: str, case: Case, extra: _Extra) -> Any:
    """What a name stands for: something that is given besides the case, or something of the case."""
    if extra is not None:
        if name in extra:
            return _shown(extra[name])
        if name == "expected":
            return _shown(case.expected)
    return _VALUES[name](case)


def _turns(case: Case) -> str | _Turns:
    if isinstance(case.input, str):
        return case.input
    return _Turns({"role": m.role, "content": m.content} for m in case.input)


_VALUES: Mapping[str, Callable[[Case], Any]] = {
    "id": lambda case: case.id,
    "input": _turns,
    "context": lambda case: _shown(case.context),
    "slice": lambda case: case.slice,
    "session": lambda case: case.session or "",
    "route": lambda case: case.route or "",
    "steps": lambda case: [step.to_json() for step in case.steps],
    "value": lambda case: "" if case.value is None else case.value,
}


def _shown(value: JsonValue) -> Any:
    """A value that reads well where a template shows it whole; what is absent is empty text."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _Object(value)
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[JsonValue]", value)
        return _Passages(i if isinstance(i, str) else json.dumps(i, ensure_ascii=False) for i in items)
    return value


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0][:200].rstrip(".")


def _template_line(error: Exception) -> int:
    """The template's line, which Jinja leaves in the traceback."""
    line = 1
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
