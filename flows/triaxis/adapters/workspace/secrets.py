"""What may never stand in a file: keys, tokens and passwords."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from triaxis.adapters.workspace.findings import Place
from triaxis.adapters.workspace.tree import Node, Path

_KEY_NAME = re.compile(
    r"token|(.*[_-])?(api[_-]?key|secret([_-]?(access[_-]?)?key)?|passwo?r?d|(api|auth|access|bearer|session)[_-]?token"
    r"|authorization|credentials?|private[_-]?key)",
    re.IGNORECASE,
)
_KEY_VALUE = re.compile(
    r"\b(sk-[A-Za-z0-9_-]{8,}|sk_(live|test)_\w{8,}|AKIA[0-9A-Z]{12,}|gh[pousr]_\w{16,}|gsk_\w{8,}|hf_[A-Za-z0-9]{8,}"
    r"|xai-\w{8,}|AIza[\w-]{16,}|xox[abp]-[\w-]{8,}|eyJ[\w-]{16,}\.[\w-]+\.)"
    r"|\bBearer\s+\S{8,}|://[^/@\s]+@|[?&](api[_-]?)?key=\S+"
)
_OF_DATA = {"where", "arms", "columns", "mix"}
"""Mappings whose keys are words of the dataset, which may well be `password`."""
_ADVICE = "Remove it from the file, revoke it, and give a new one in the environment, such as OPENAI_API_KEY."


def without_keys(place: Place) -> Place:
    """The file without what looks like a key; each is a fault, and nothing said later can repeat its value."""
    return replace(place, root=_checked(place, place.root, ()))


def _checked(place: Place, node: Node, path: Path) -> Node:
    if isinstance(node.value, Mapping):
        kept = {key: _checked(place, child, (*path, key)) for key, child in _without_named(place, node, path).items()}
        return Node(kept, node.line)
    if isinstance(node.value, tuple):
        return Node(tuple(_checked(place, child, (*path, i)) for i, child in enumerate(node.value)), node.line)
    if isinstance(node.value, str) and _KEY_VALUE.search(node.value):
        place.fault(path, "holds what looks like a key or a password", _ADVICE)
        return Node("(hidden)", node.line)
    return node


def _without_named(place: Place, node: Node, path: Path) -> dict[str, Node]:
    """The entries without those whose name says that they hold a key, or is one."""
    kept: dict[str, Node] = {}
    for key, child in node.entries.items():
        of_data = bool(path) and path[-1] in _OF_DATA
        if _KEY_VALUE.search(key):
            place.fault(path, "has a name that looks like a key or a password", _ADVICE)
        elif isinstance(child.value, str) and not of_data and _KEY_NAME.fullmatch(key):
            place.fault((*path, key), "a key may not stand in a file", _ADVICE)
        else:
            kept[key] = child
    return kept
