"""The input file of a batch: where its rows are, what each asks, and everything that is wrong with it.

A file may be larger than memory allows, so that what is kept of it is where each row begins.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from triaxis.adapters.gateway.records import Endpoint, LineFault
from triaxis.domain.canonical import JsonValue

MOST_LINE_BYTES = 64 * 2**20
"""Of one row, which is read whole."""
MOST_FAULTS = 1_000
"""So many are told one by one."""
_KEYS = frozenset({"custom_id", "method", "url", "body"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """What one row asks."""

    custom_id: str
    body: Mapping[str, JsonValue]

    def sent(self) -> bytes:
        """The body as it is sent: ASCII, so that no half of a surrogate pair can break it."""
        return json.dumps(self.body, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file without faults, by their order in it."""

    path: Path
    offsets: array[int]

    def __len__(self) -> int:
        return len(self.offsets)

    def read(self, index: int) -> InputRow:
        """The row of that index."""
        with self.path.open("rb") as file:
            file.seek(self.offsets[index])
            fields = json.loads(file.readline())
        return InputRow(custom_id=fields["custom_id"], body=fields["body"])


@dataclass(slots=True)
class Examined:
    """What a look at a whole file finds."""

    rows: Rows
    faults: list[LineFault] = field(default_factory=list[LineFault])
    untold: int = 0
    """Faults beyond those that are told one by one."""
    models: set[str] = field(default_factory=set[str])
    seen: set[str] = field(default_factory=set[str])

    @property
    def model(self) -> str | None:
        """The model that all rows name."""
        return next(iter(self.models)) if len(self.models) == 1 else None

    def add(self, code: str, message: str, *, line: int | None = None, param: str | None = None) -> None:
        """Notes a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(LineFault(code=code, message=message, line=line, param=param))
        else:
            self.untold += 1

    def told(self) -> tuple[LineFault, ...]:
        """Every fault, or the first ones and how many more there are."""
        if not self.untold:
            return tuple(self.faults)
        more = LineFault(code="more_errors", message=f"There are {self.untold} more errors.")
        return (*self.faults, more)


def examine(path: Path, endpoint: Endpoint) -> Examined:
    """Reads the whole file, once; blank lines are no rows. Blocks: about a second for 100 MB."""
    found = Examined(Rows(path, array("Q")))
    with path.open("rb") as file:
        for number, (offset, line) in enumerate(_lines(file), 1):
            if line is None:
                found.add("line_too_long", f"The line is longer than {MOST_LINE_BYTES} bytes.", line=number)
            elif line.strip():
                found.rows.offsets.append(offset)
                _examine_line(line, number, endpoint, found)
    if not found.rows.offsets and not found.faults:
        found.add("empty_file", "The input file has no rows.")
    return found


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Every line with its offset; None for one that is too long to be read."""
    offset = 0
    while line := file.readline(MOST_LINE_BYTES):
        begin, whole = offset, line
        offset += len(line)
        long = len(line) == MOST_LINE_BYTES
        while len(line) == MOST_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MOST_LINE_BYTES)
            offset += len(line)
        yield begin, None if long else whole


def _examine_line(line: bytes, number: int, endpoint: Endpoint, found: Examined) -> None:
    try:
        value: object = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        found.add("invalid_json_line", "The line is not JSON.", line=number)
        return
    if not isinstance(value, dict):
        found.add("invalid_json_line", "The line is no JSON object.", line=number)
        return
    fields = cast("dict[str, Any]", value)
    _examine_id(fields.get("custom_id"), number, found)
    if fields.get("method") != "POST":
        found.add("invalid_method", "The method has to be POST.", line=number, param="method")
    if fields.get("url") != endpoint:
        found.add("mismatched_url", f"The url has to be the batch's endpoint, {endpoint}.", line=number, param="url")
    _examine_body(fields.get("body"), number, found)
    for unknown in sorted(fields.keys() - _KEYS):
        found.add("unknown_parameter", "A row has no such key.", line=number, param=unknown[:64])


def _examine_id(custom_id: object, number: int, found: Examined) -> None:
    if not isinstance(custom_id, str) or not custom_id:
        message = "Every row needs a custom_id of its own, a text."
        found.add("missing_required_parameter", message, line=number, param="custom_id")
    elif custom_id in found.seen:
        found.add("duplicate_custom_id", "An earlier row has this custom_id.", line=number, param="custom_id")
    else:
        found.seen.add(custom_id)


def _examine_body(body: object, number: int, found: Examined) -> None:
    if not isinstance(body, dict):
        found.add("missing_required_parameter", "The body has to be a JSON object.", line=number, param="body")
        return
    fields = cast("dict[str, Any]", body)
    model = fields.get("model")
    if isinstance(model, str) and model:
        found.models.add(model)
    else:
        message = "The body has to name a model."
        found.add("missing_required_parameter", message, line=number, param="body.model")
    if fields.get("stream"):
        found.add("invalid_parameter", "A row of a batch cannot be streamed.", line=number, param="body.stream")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
