"""The clients that people have for files and batches, OpenAI's own and LiteLLM, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import openai
from build_gateway import CHAT

from triaxis.adapters.models.litellm_library import library


def litellm() -> Any:
    """LiteLLM as the product imports it: what it reads from the environment then holds for the whole process."""
    imported = library()
    # Pydantic completes its models when one is first made, with a warning that LiteLLM silences for the test alone in
    # which it is imported: left undone, it would meet a test that makes an error of it.
    imported.ModelResponse()
    return imported


class Client(Protocol):
    """What both clients can do, objects as plain mappings."""

    def upload(self, path: Path) -> Mapping[str, Any]:
        """Uploads an input file."""
        ...

    def file(self, file_id: str) -> Mapping[str, Any]:
        """What is known of a file."""
        ...

    def files(self, purpose: str) -> list[Mapping[str, Any]]:
        """The files of a purpose, newest first."""
        ...

    def content(self, file_id: str) -> bytes:
        """A file's content."""
        ...

    def delete(self, file_id: str) -> Mapping[str, Any]:
        """Deletes a file."""
        ...

    def create(self, file_id: str, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Begins a batch."""
        ...

    def batch(self, batch_id: str) -> Mapping[str, Any]:
        """What is known of a batch."""
        ...

    def batches(self, limit: int, after: str | None = None) -> list[Mapping[str, Any]]:
        """Batches, newest first, from behind one."""
        ...

    def cancel(self, batch_id: str) -> Mapping[str, Any]:
        """Cancels a batch."""
        ...


@dataclass(frozen=True, slots=True)
class OpenAi:
    """OpenAI's client."""

    client: openai.OpenAI

    def upload(self, path: Path) -> Mapping[str, Any]:
        """Uploads an input file."""
        with path.open("rb") as file:
            return self.client.files.create(file=file, purpose="batch").model_dump()

    def file(self, file_id: str) -> Mapping[str, Any]:
        """What is known of a file."""
        return self.client.files.retrieve(file_id).model_dump()

    def files(self, purpose: str) -> list[Mapping[str, Any]]:
        """The files of a purpose, newest first."""
        return [file.model_dump() for file in self.client.files.list(purpose=purpose)]

    def content(self, file_id: str) -> bytes:
        """A file's content."""
        return self.client.files.content(file_id).content

    def delete(self, file_id: str) -> Mapping[str, Any]:
        """Deletes a file."""
        return self.client.files.delete(file_id).model_dump()

    def create(self, file_id: str, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Begins a batch."""
        batch = self.client.batches.create(
            input_file_id=file_id, endpoint=CHAT, completion_window="24h", metadata=dict(metadata)
        )
        return batch.model_dump()

    def batch(self, batch_id: str) -> Mapping[str, Any]:
        """What is known of a batch."""
        return self.client.batches.retrieve(batch_id).model_dump()

    def batches(self, limit: int, after: str | None = None) -> list[Mapping[str, Any]]:
        """Batches, newest first, from behind one."""
        page = self.client.batches.list(limit=limit, after=openai.omit if after is None else after)
        return [batch.model_dump() for batch in page.data]

    def cancel(self, batch_id: str) -> Mapping[str, Any]:
        """Cancels a batch."""
        return self.client.batches.cancel(batch_id).model_dump()


@dataclass(frozen=True, slots=True)
class LiteLlm:
    """LiteLLM's functions, for a provider that is one's own."""

    where: Mapping[str, Any]

    def upload(self, path: Path) -> Mapping[str, Any]:
        """Uploads an input file."""
        with path.open("rb") as file:
            return litellm().create_file(file=file, purpose="batch", **self.where).model_dump()

    def file(self, file_id: str) -> Mapping[str, Any]:
        """What is known of a file."""
        return litellm().file_retrieve(file_id=file_id, **self.where).model_dump()

    def files(self, purpose: str) -> list[Mapping[str, Any]]:
        """The files of a purpose, newest first."""
        return [file.model_dump() for file in litellm().file_list(purpose=purpose, **self.where)]

    def content(self, file_id: str) -> bytes:
        """A file's content."""
        return litellm().file_content(file_id=file_id, **self.where).content

    def delete(self, file_id: str) -> Mapping[str, Any]:
        """Deletes a file."""
        return litellm().file_delete(file_id=file_id, **self.where).model_dump()

    def create(self, file_id: str, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Begins a batch."""
        batch = litellm().create_batch(
            completion_window="24h", endpoint=CHAT, input_file_id=file_id, metadata=dict(metadata), **self.where
        )
        return batch.model_dump()

    def batch(self, batch_id: str) -> Mapping[str, Any]:
        """What is known of a batch."""
        return litellm().retrieve_batch(batch_id=batch_id, **self.where).model_dump()

    def batches(self, limit: int, after: str | None = None) -> list[Mapping[str, Any]]:
        """Batches, newest first, from behind one."""
        return [batch.model_dump() for batch in litellm().list_batches(after=after, limit=limit, **self.where).data]

    def cancel(self, batch_id: str) -> Mapping[str, Any]:
        """Cancels a batch."""
        return litellm().cancel_batch(batch_id=batch_id, **self.where).model_dump()
