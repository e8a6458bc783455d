"""What a workspace's own code raised, as a reason."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_REASON_CHARS = 280


class Caught:
    """Keeps what another's code raised as a reason, so that one bad case does not end the run.

    Memory addresses are left out of it: the same failure must make the same evidence.
    """

    def __init__(self) -> None:
        self.why = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception | SystemExit):
            return False
        self.why = _ADDRESS.sub("", f"raised {type(error).__name__}: {error}")[:_REASON_CHARS]
        return True
