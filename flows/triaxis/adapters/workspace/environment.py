"""`${NAME}` in values: read from the environment where the value is not hashed, a fault anywhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from triaxis.adapters.workspace.findings import Place
from triaxis.adapters.workspace.tree import Node, Path
from triaxis.adapters.workspace.yaml_lines import scalar

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ADDRESSES = (
    ("variants", "api_base"),
    ("variants", "router", "api_base"),
    ("judges", "api_base"),
    ("dimensions", "api_base"),
)
"""Where addresses stand, but for the name of the variant, judge or dimension."""


def expanded(place: Place, env: Mapping[str, str]) -> Place:
    """The file with its references resolved; those that may not be there, or have no value, are faults."""
    return replace(place, root=_Expansion(place, env).node(place.root, ()))


@dataclass(frozen=True, slots=True)
class _Expansion:
    place: Place
    env: Mapping[str, str]

    def node(self, node: Node, path: Path) -> Node:
        if isinstance(node.value, Mapping):
            return Node({key: self.node(child, (*path, key)) for key, child in node.value.items()}, node.line)
        if isinstance(node.value, tuple):
            return Node(tuple(self.node(child, (*path, i)) for i, child in enumerate(node.value)), node.line)
        if isinstance(node.value, str) and REFERENCE.search(node.value):
            return self._resolved(node, node.value, path)
        return node

    def _resolved(self, node: Node, text: str, path: Path) -> Node:
        names = REFERENCE.findall(text)
        if not _unhashed(path):
            shown = ", ".join(f"${{{name}}}" for name in names)
            advice = "Write the value itself: this one is hashed, and a hash may not depend on where it is computed."
            self.place.fault(path, f"{shown} is read from the environment", advice)
            return node
        missing = [name for name in names if not self.env.get(name)]
        for name in missing:
            advice = f"Set it before the run: export {name}=VALUE."
            self.place.fault(path, f"the environment has no {name}", advice)
        if missing:
            return node
        whole = REFERENCE.sub(lambda found: self.env[found[1]], text)
        return Node(scalar(whole) if path[0] == "limits" else whole, node.line)


def _unhashed(path: Path) -> bool:
    """Whether a value may differ between machines: limits, addresses (whose endpoint is looked at later), the store."""
    return (*path[:1], *path[2:]) in _ADDRESSES or path[0] in {"limits", "store"}
