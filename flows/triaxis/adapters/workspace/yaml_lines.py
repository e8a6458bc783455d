"""YAML files, with lines. The only file that imports yaml.

Scalars read as YAML 1.2 has them: `no`, `on` and `2027-03-31` are text, `1e-6` is a number, `007` is text. Safe by
construction: no tag makes an object, depth and size are bounded before anything is built, and every alias counts as
what it stands for, so that a few lines cannot unfold into gigabytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from triaxis.adapters.workspace.tree import Leaf, Node

MAX_BYTES = 512 * 1024
MAX_DEPTH = 40
MAX_NODES = 200_000
MAX_INTEGER = 2**53
"""JSON readers agree on integers up to here."""

_PATTERNS = {
    "null": re.compile(r"(~|null|Null|NULL|)$"),
    "bool": re.compile(r"(true|True|TRUE|false|False|FALSE)$"),
    "int": re.compile(r"[-+]?(0|[1-9][0-9_]*)$"),
    "float": re.compile(
        r"([-+]?(\.[0-9]+|(0|[1-9][0-9_]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
    ),
}
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong with a file as YAML."""

    line: int
    problem: str
    advice: str
    field: tuple[str | int, ...] = ()


@dataclass(slots=True)
class _Build:
    """The state of one construction: what is wrong so far, and how much was built."""

    flaws: list[Flaw] = field(default_factory=list[Flaw])
    nodes: int = 0
    open: set[int] = field(default_factory=set[int])


class _Loader(yaml.SafeLoader):
    """A safe loader whose plain scalars are those of YAML 1.2."""


# By first character of the scalar; None holds for any.
_Loader.yaml_implicit_resolvers = {
    None: [(_CORE + tag, pattern) for tag, pattern in _PATTERNS.items()],
    "<": [(_CORE + "merge", re.compile(r"<<$"))],
}


class _TooMuch(Exception):
    """The document unfolds into more than any honest file holds."""


def parse(text: str) -> tuple[Node | None, tuple[Flaw, ...]]:
    """The tree of one document, and everything wrong with it; the tree is None where it cannot be built at all."""
    if len(text) > MAX_BYTES:
        return None, (_flaw(0, f"is larger than {MAX_BYTES // 1024} KiB", "Split it, or move data into JSONL files."),)
    build = _Build()
    try:
        _bound_depth(text)
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            return None, (_flaw(1, "is empty", "Write the keys that the reference page lists, or remove the file."),)
        return _node(root, (), build, _line(root)), tuple(build.flaws)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, (
            _syntax_flaw(mark.line + 1 if mark else 0, ", ".join(filter(None, (error.context, error.problem)))),
        )
    except yaml.YAMLError as error:
        return None, (_syntax_flaw(0, str(error).splitlines()[0]),)
    except _TooMuch as error:
        return None, (_flaw(0, str(error), "Write it flat: an evaluation never needs this much structure."),)


def _flaw(line: int, problem: str, advice: str) -> Flaw:
    return Flaw(line=line, problem=problem, advice=advice)


def _syntax_flaw(line: int, problem: str) -> Flaw:
    advice = (
        "Check indentation, colons, and quotes around texts with special characters on this line and the one above."
    )
    if "\\t" in problem or "'\\t'" in problem:
        advice = "Indent with spaces: YAML allows no tabs."
    if "expected a single document" in problem:
        advice = "Keep one document in the file: remove the `---` line and what follows."
    return _flaw(line, f"is not valid YAML: {problem}", advice)


def _bound_depth(text: str) -> None:
    """Raises before the recursive composer would: parsing alone is a flat loop over events."""
    depth = 0
    for count, event in enumerate(_events(text)):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _TooMuch(f"is nested more than {MAX_DEPTH} levels deep")
        if count > 2 * MAX_NODES:
            raise _TooMuch(f"holds more than {MAX_NODES} values")


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=_Loader)


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 0


def _node(raw: yaml.Node, path: tuple[str | int, ...], build: _Build, line: int) -> Node:
    build.nodes += 1
    if build.nodes > MAX_NODES or len(path) > MAX_DEPTH:
        raise _TooMuch(f"unfolds into more than {MAX_NODES} values")
    if isinstance(raw, yaml.ScalarNode):
        return Node(_leaf(raw, path, build), line)
    if id(raw) in build.open:
        build.flaws.append(Flaw(line=line, field=path, problem="is an alias of itself", advice="Remove the alias."))
        return Node(None, line)
    if not raw.tag.startswith(_CORE) or raw.tag.removeprefix(_CORE) not in {"map", "seq"}:
        build.flaws.append(_tag_flaw(raw, path))
    build.open.add(id(raw))
    try:
        if isinstance(raw, yaml.SequenceNode):
            items = tuple(_node(item, (*path, i), build, _line(item)) for i, item in enumerate(raw.value))
            return Node(items, line)
        return Node(_entries(raw, path, build), line)
    finally:
        build.open.discard(id(raw))


def _entries(raw: yaml.Node, path: tuple[str | int, ...], build: _Build) -> dict[str, Node]:
    own: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    for key_node, value_node in raw.value:
        if key_node.tag == _CORE + "merge":
            for entry_key, entry in _merged(value_node, path, build):
                merged.setdefault(entry_key, entry)
            continue
        key = _key(key_node, path, build)
        if key is None:
            continue
        if key in own:
            first = own[key].line
            advice = f"Remove one of them: the first stands in line {first}."
            build.flaws.append(
                Flaw(line=_line(key_node), field=(*path, key), problem=f"the key {key!r} is given twice", advice=advice)
            )
        own[key] = _node(value_node, (*path, key), build, _line(key_node))
    return {**merged, **own}


def _merged(raw: yaml.Node, path: tuple[str | int, ...], build: _Build) -> Iterator[tuple[str, Node]]:
    """The entries that `<<` brings in, nearest first."""
    sources = raw.value if isinstance(raw, yaml.SequenceNode) else [raw]
    for source in sources:
        if isinstance(source, yaml.MappingNode) and id(source) not in build.open:
            yield from _node(source, path, build, _line(source)).entries.items()
        else:
            advice = "Write `<<: *name` where `&name` marks a mapping."
            build.flaws.append(Flaw(line=_line(raw), field=path, problem="`<<` merges no mapping", advice=advice))


def _key(raw: yaml.Node, path: tuple[str | int, ...], build: _Build) -> str | None:
    """A key as text: numbers and booleans as they are written, since tags' values are compared as text."""
    if isinstance(raw, yaml.ScalarNode) and raw.tag.removeprefix(_CORE) in {"str", "bool", "int", "float"}:
        return str(raw.value)
    advice = "Write a plain text key; put it in quotes if it has special characters."
    build.flaws.append(Flaw(line=_line(raw), field=path, problem="a key is not text", advice=advice))
    return None


def _leaf(raw: yaml.ScalarNode, path: tuple[str | int, ...], build: _Build) -> Leaf:
    text = str(raw.value)
    tag = raw.tag.removeprefix(_CORE)
    pattern = _PATTERNS.get(tag)
    if tag in {"str", "!"}:
        return text
    if pattern is None:
        build.flaws.append(_tag_flaw(raw, path))
        return None
    value = _converted(tag, text) if pattern.fullmatch(text) else None
    if value is None and tag != "null":
        build.flaws.append(_number_flaw(raw, path, f"{text[:40]!r} is no {tag}"))
    elif isinstance(value, float) and not math.isfinite(value):
        build.flaws.append(_number_flaw(raw, path, f"{text[:40]} is not a number that can be computed with"))
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        build.flaws.append(_number_flaw(raw, path, f"{text[:40]} is beyond 2**53, where readers disagree"))
    else:
        return value
    return None


def _converted(tag: str, text: str) -> Leaf:
    digits = text.replace("_", "")
    if tag == "bool":
        return text[0] in "tT"
    if tag == "int":
        # Longer ones are refused for their size anyway, and Python refuses to convert more than 4,300 digits.
        return int(digits[:40])
    if tag == "float":
        return float(digits.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return None


def scalar(text: str) -> Leaf:
    """What a plain scalar of that text reads as; used where a value comes from the environment."""
    for tag, pattern in _PATTERNS.items():
        if pattern.fullmatch(text):
            return _converted(tag, text)
    return text


def _tag_flaw(raw: yaml.Node, path: tuple[str | int, ...]) -> Flaw:
    advice = "Remove the tag: only texts, numbers, true, false, null, lists and mappings are read."
    problem = f"the tag {raw.tag.replace(_CORE, '!!')!r} is not allowed"
    return Flaw(line=_line(raw), field=path, problem=problem, advice=advice)


def _number_flaw(raw: yaml.Node, path: tuple[str | int, ...], problem: str) -> Flaw:
    advice = "Write a finite number, or put it in quotes if it is text."
    return Flaw(line=_line(raw), field=path, problem=problem, advice=advice)
