"""Asks after a batch of Azure once, then lets everything run that LiteLLM left for later; in a process of its own.

python batch_look.py API_BASE BATCH
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any

from build_batch_apis import opener_of


async def main(api_base: str, batch: str) -> None:
    """Looks, and waits for LiteLLM's logging to be done."""
    async with opener_of("azure")(api_base) as api:
        await api.report(batch)
        # What is logged is handed to the worker by a task of its own.
        await asyncio.sleep(0)
        worker: Any = importlib.import_module("litellm.litellm_core_utils.logging_worker").GLOBAL_LOGGING_WORKER
        await worker.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
