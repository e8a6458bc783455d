"""The calls of a batch's whole life, as LiteLLM makes them; in a process of its own, since it leaves its clients open.

python litellm_batch_calls.py PROVIDER API_BASE FILE NAME [MODEL]
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from triaxis.adapters.models.litellm_library import library

SILENT = {"batch_ignore_default_logging": True}


async def main(provider: str, api_base: str, file: Path, name: str, *model: str) -> None:
    """Stores, creates, retrieves, reads and cancels."""
    litellm = library()
    said = {"custom_llm_provider": provider, "api_base": api_base, "api_key": os.environ["KEY"], "max_retries": 0}
    of = {"model": model[0]} if model else {}
    with await asyncio.to_thread(file.open, "rb") as lines:
        stored = await litellm.acreate_file(file=(f"{name}.jsonl", lines), purpose="batch", **said)
    batch = await litellm.acreate_batch(
        completion_window="24h",
        endpoint="/v1/chat/completions",
        input_file_id=stored.id,
        metadata={"triaxis": name},
        **said,
        **of,
    )
    await litellm.aretrieve_batch(batch_id=batch.id, litellm_metadata=SILENT, **said, **of)
    await litellm.afile_content(file_id="file-2", **said)
    if provider != "mistral":
        await litellm.acancel_batch(batch_id=batch.id, **said)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:]))
