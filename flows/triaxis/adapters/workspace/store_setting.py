"""Where the row store is: `store:` in the evaluation, else TRIAXIS_STORE, else a folder of the workspace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from triaxis.adapters.workspace.environment import expanded
from triaxis.adapters.workspace.findings import Findings, Place
from triaxis.adapters.workspace.folder import Asked, Folder, asked_at
from triaxis.adapters.workspace.secrets import without_keys
from triaxis.adapters.workspace.tree import Node

VARIABLE: Final = "TRIAXIS_STORE"
DEFAULT: Final = ".triaxis/store"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s?#@:]+(:[0-9]+)?(/[^\s?#@:]*)?")
_ADVICE = "Write s3://BUCKET/FOLDER, without keys (they come from the environment), or a folder."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAt:
    """A folder of this machine, or else a URL."""

    folder: Path | None = None
    url: str = ""
    named_in: str = VARIABLE
    """The file or the variable that says so."""


def store_of(root: Path, config: str, env: Mapping[str, str]) -> StoreAt:
    """Where the row store of an evaluation is, without reading anything else of it.

    Raises:
        InputFaults: with what is wrong about it.
    """
    findings = Findings()
    place = _place(root, config, findings)
    written = None if place is None else place.root.child("store")
    if place is not None and written is not None:
        place = expanded(without_keys(Place(place.file, Node({"store": written}, written.line), findings)), env)
        check_store(place, Folder(root, findings))
        text, named_in = str(place.root.entries["store"].value), place.file
    else:
        text, named_in = env.get(VARIABLE, ""), VARIABLE
        if "://" in text and not _is_url(text):
            findings.add(VARIABLE, "is not the address of a store", _ADVICE)
    findings.raise_any()
    return _at(root, text or DEFAULT, named_in)


def check_store(place: Place, folder: Folder) -> None:
    """Adds what is wrong about `store` of an evaluation whose references are resolved."""
    node = place.root.child("store")
    if node is None or not isinstance(node.value, str):
        return
    if "://" not in node.value:
        folder.inside(node.value, asked_at(place, ("store",)))
    elif not _is_url(node.value):
        place.fault(("store",), "is not the address of a store", _ADVICE)


def _place(root: Path, config: str, findings: Findings) -> Place | None:
    """The evaluation's file; None where it cannot be read, which is said by whoever reads it whole."""
    folder = Folder(root, Findings())
    name = folder.resolve(config, Asked(config, 0, ""))
    found = None if name is None else folder.tree(name)
    return None if found is None else Place(found.file, found.root, findings)


def _is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None and ".." not in text.split("/")


def _at(root: Path, text: str, named_in: str) -> StoreAt:
    if text.startswith("file://"):
        return StoreAt(folder=Path(unquote(text.removeprefix("file://"))), named_in=named_in)
    if "://" in text:
        return StoreAt(url=text, named_in=named_in)
    return StoreAt(folder=root / text, named_in=named_in)
