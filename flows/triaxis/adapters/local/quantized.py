"""Weights quantised anew, by the functions that the wheel of the local server exports; no compiler is needed.

Run as `python -m triaxis.adapters.local.quantized local/smollm2-135m q8_0 q4_0`: the layers' matrices are dequantised,
and quantised as asked; the table of tokens and what is not quantised stay as they are. `smollm2-135m-q8_0.gguf` and its
`.sha256` come of it in the folder of a workspace's own weights, and a variant names them `local/smollm2-135m-q8_0`.
What exists already is left alone.

Going up from 4 bits brings nothing back that 4 bits lost: it trades size for arithmetic that may be faster.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from collections.abc import Callable, Collection, Sequence
from ctypes import POINTER, Structure, c_bool, c_char_p, c_int, c_int64, c_size_t, c_void_p
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from triaxis.adapters.digests import file_sha256
from triaxis.adapters.local.joined_weights import joined
from triaxis.adapters.local.weights import Weights, find, folder_of

TYPES = {"q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8}
"""ggml's numbers of the types that need no importance matrix; each packs 32 weights of a row together."""
_LAYERS = "blk."


def main(argv: Sequence[str] | None = None) -> None:
    """Makes what is asked for and missing."""
    parser = argparse.ArgumentParser(
        prog="triaxis.adapters.local.quantized", description="Quantises local weights anew."
    )
    parser.add_argument("model", help="such as local/smollm2-135m")
    parser.add_argument("types", nargs="+", choices=sorted(TYPES))
    options = parser.parse_args(argv)
    weights = find(options.model.removeprefix("local/"))
    if weights is None:
        sys.exit(f"The weights of {options.model} are not on this machine; `triaxis check` says what brings them.")
    weights = joined(weights)
    for kind in options.types:
        sys.stdout.write(f"{quantize(weights, kind, folder_of(None))}\n")


def how_to_make(model: str, known: Collection[str]) -> str | None:
    """What makes a model that is not there of one that is; None where its name is not that of weights made here."""
    of, _, kind = model.rpartition("-")
    if kind not in TYPES or of not in known:
        return None
    return f"It is made of {of}: python -m triaxis.adapters.local.quantized {of} {kind}"


def quantize(weights: Weights, kind: str, folder: Path) -> Path:
    """The weights as that type, in the folder; made where they are missing."""
    made = folder / f"{weights.name}-{kind}.gguf"
    pin = made.with_name(f"{made.name}.sha256")
    if not (made.is_file() and pin.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = made.with_name(f"{made.name}.unfinished")
        _rewrite(weights.path, unfinished, TYPES[kind])
        unfinished.replace(made)
        pin.write_text(f"{file_sha256(made)}  {made.name}\n", encoding="utf-8")
    return made


class _InitParams(Structure):
    """gguf_init_params: whether to leave the tensors' data in the file, and where to put what describes them."""

    _fields_: ClassVar = [("no_alloc", c_bool), ("ctx", POINTER(c_void_p))]


@dataclass(frozen=True, slots=True)
class _Library:
    """ggml and gguf inside the wheel's one shared library."""

    loaded: ctypes.CDLL

    def __call__(self, name: str, result: Any, *types: Any) -> Callable[..., Any]:
        """A function of that C name, with its types."""
        function = self.loaded[name]
        function.restype, function.argtypes = result, types
        return function


def _library() -> _Library:
    spec = find_spec("xllamacpp")
    places = None if spec is None else spec.submodule_search_locations
    path = next((path for place in places or () for path in Path(place).glob("xllamacpp*.so")), None)
    if path is None:
        sys.exit("The server of local models is not installed; install it: pip install 'triaxis[local]'.")
    return _Library(ctypes.CDLL(str(path)))


def _rewrite(source: Path, target: Path, kind: int) -> None:
    """Writes a GGUF file anew with its quantised layers as another type."""
    c, described = _library(), c_void_p()
    params = _InitParams(no_alloc=True, ctx=ctypes.pointer(described))
    given = c("gguf_init_from_file", c_void_p, c_char_p, _InitParams)(str(source).encode(), params)
    made = c("gguf_init_empty", c_void_p)()
    c("gguf_set_kv", None, c_void_p, c_void_p)(made, given)
    c("gguf_set_val_u32", None, c_void_p, c_char_p, c_int)(made, b"general.file_type", kind)
    data = np.memmap(source, dtype=np.uint8, mode="r", offset=c("gguf_get_data_offset", c_size_t, c_void_p)(given))
    held = list[NDArray[np.uint8]]()  # the library keeps addresses only
    for index in range(c("gguf_get_n_tensors", c_int64, c_void_p)(given)):
        held.append(_tensor(c, (given, index), data, kind))
        name = c("gguf_get_tensor_name", c_char_p, c_void_p, c_int64)(given, index)
        tensor = c("ggml_get_tensor", c_void_p, c_void_p, c_char_p)(described, name)
        c("gguf_add_tensor", None, c_void_p, c_void_p)(made, tensor)
        if _changes(c, given, index):
            c("gguf_set_tensor_type", None, c_void_p, c_char_p, c_int)(made, name, kind)
        c("gguf_set_tensor_data", None, c_void_p, c_char_p, c_void_p)(made, name, held[-1].ctypes.data)
    if not c("gguf_write_to_file", c_bool, c_void_p, c_char_p, c_bool)(made, str(target).encode(), c_bool()):
        sys.exit(f"{target} could not be written.")


def _changes(c: _Library, given: int, index: int) -> bool:
    name = c("gguf_get_tensor_name", c_char_p, c_void_p, c_int64)(given, index).decode()
    return name.startswith(_LAYERS) and _type_name(c, given, index).startswith("q")


def _type_name(c: _Library, given: int, index: int) -> str:
    number = c("gguf_get_tensor_type", c_int, c_void_p, c_int64)(given, index)
    return c("ggml_type_name", c_char_p, c_int)(number).decode()


def _tensor(c: _Library, at: tuple[int, int], data: NDArray[np.uint8], kind: int) -> NDArray[np.uint8]:
    """One tensor's bytes, as they are or quantised anew."""
    given, index = at
    start = c("gguf_get_tensor_offset", c_size_t, c_void_p, c_int64)(given, index)
    size = c("gguf_get_tensor_size", c_size_t, c_void_p, c_int64)(given, index)
    packed = np.ascontiguousarray(data[start : start + size])
    if not _changes(c, given, index):
        return packed
    row, rows, *_ = c("gguf_get_tensor_ne", POINTER(c_int64), c_void_p, c_int64)(given, index)[:2]
    values = np.empty(row * rows, dtype=np.float32)
    dequantize = c(f"dequantize_row_{_type_name(c, given, index)}", None, c_void_p, c_void_p, c_int64)
    dequantize(packed.ctypes.data, values.ctypes.data, len(values))
    out = np.empty(rows * c("ggml_row_size", c_size_t, c_int, c_int64)(kind, row), dtype=np.uint8)
    chunk = c("ggml_quantize_chunk", c_size_t, c_int, c_void_p, c_void_p, c_int64, c_int64, c_int64, c_void_p)
    written = chunk(kind, values.ctypes.data, out.ctypes.data, 0, rows, row, None)
    assert written == len(out)
    return out


if __name__ == "__main__":
    main()
