"""A parsed file as a tree that remembers the line of every entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from triaxis.domain.canonical import JsonValue

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root of a file."""

Leaf: TypeAlias = str | bool | int | float | None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value of a file; two nodes are the same only if they are the same place."""

    value: Mapping[str, Node] | tuple[Node, ...] | Leaf
    line: int
    """1-based: of the key for an entry of a mapping, else of the value."""

    @property
    def entries(self) -> Mapping[str, Node]:
        """The entries of a mapping; nothing for any other value."""
        return self.value if isinstance(self.value, Mapping) else {}

    def child(self, key: str | int) -> Node | None:
        """The entry under a key or an index, where there is one."""
        if isinstance(key, str):
            return self.entries.get(key)
        in_range = isinstance(self.value, tuple) and key < len(self.value)
        return self.value[key] if in_range and isinstance(self.value, tuple) else None

    def at(self, path: Path) -> Node | None:
        """The node at a path, where the whole path exists."""
        node: Node | None = self
        for key in path:
            node = None if node is None else node.child(key)
        return node

    def line_of(self, path: Path) -> int:
        """The line of the deepest entry on the path that exists."""
        node = self
        for key in path:
            below = node.child(key)
            if below is None:
                break
            node = below
        return node.line

    def plain(self) -> JsonValue:
        """The value without its lines."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def overlaid(base: Node, over: Node) -> Node:
    """`base` with what `over` gives: mappings merge deeply, anything else replaces, null removes."""
    if not (isinstance(base.value, Mapping) and isinstance(over.value, Mapping)):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        if node.value is None:
            merged.pop(key, None)
        else:
            merged[key] = overlaid(merged[key], node) if key in merged else node
    return Node(merged, over.line)


def dotted(path: Sequence[str | int]) -> str:
    """The path as faults show it: `variants.small.params.stop.0`."""
    return ".".join(map(str, path))
