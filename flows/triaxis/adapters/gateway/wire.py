"""What clients send, checked; every fault of a request is told at once."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Literal, Protocol, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from triaxis.adapters.gateway.records import WINDOW, Batch, Endpoint
from triaxis.adapters.gateway.refusals import Refusal
from triaxis.domain.canonical import JsonValue

P = TypeVar("P", bound="Page")


class Item(Protocol):
    """Something that is listed."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    def to_openai(self) -> dict[str, JsonValue]:
        """It in OpenAI's shape."""
        ...


def _window(text: str) -> str:
    if WINDOW.fullmatch(text) is None:
        raise ValueError("should be such as 24h, 90m or 30s")
    return text


class _Wire(BaseModel):
    """A part of a request: undeclared keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ExpiresAfter(_Wire):
    """When a file goes by itself."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=3_600, le=2_592_000)]


class NewBatch(_Wire):
    """The body of a request for a batch."""

    input_file_id: str
    endpoint: Endpoint
    completion_window: Annotated[str, AfterValidator(_window)]
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
        ]
        | None
    ) = None
    output_expires_after: ExpiresAfter | None = None

    def batch(self, batch_id: str, created_ns: int) -> Batch:
        """The batch that it asks for."""
        expires = self.output_expires_after
        return Batch(
            id=batch_id,
            input_file_id=self.input_file_id,
            endpoint=self.endpoint,
            completion_window=self.completion_window,
            metadata=self.metadata,
            created_ns=created_ns,
            output_expires_s=None if expires is None else expires.seconds,
        )


class Upload(_Wire):
    """The fields of an upload beside its file."""

    purpose: Literal["batch"]
    expires_after: ExpiresAfter | None = None


class Page(BaseModel):
    """Which part of a list is asked for."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    after: str | None = None
    """The id of the last item that the client has."""
    limit: Annotated[int, Field(ge=1, le=100)] = 20

    def of(self, items: Iterable[Item]) -> dict[str, JsonValue]:
        """OpenAI's list of that part.

        Raises:
            Refusal: where the client's last item is none of them.
        """
        left = list(items)
        if self.after is not None:
            at = next((i for i, item in enumerate(left) if item.id == self.after), None)
            if at is None:
                raise Refusal(HTTPStatus.BAD_REQUEST, "The list has no item with that id.", param="after")
            left = left[at + 1 :]
        part = left[: self.limit]
        return {
            "object": "list",
            "data": [item.to_openai() for item in part],
            "first_id": part[0].id if part else None,
            "last_id": part[-1].id if part else None,
            "has_more": len(left) > self.limit,
        }


class FilePage(Page):
    """Which part of the list of files."""

    limit: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    order: Literal["asc", "desc"] = "desc"
    purpose: str | None = None


async def new_batch(http: web.Request) -> NewBatch:
    """The body of a request for a batch.

    Raises:
        Refusal: with everything that is wrong with it.
    """
    with _refusing():
        return NewBatch.model_validate_json(await http.read())


def upload(fields: Mapping[str, str]) -> Upload:
    """The fields of a form; those of a nested one are named `outer[inner]`.

    Raises:
        Refusal: with everything that is wrong with them.
    """
    tree: dict[str, str | dict[str, str]] = {}
    for name, text in fields.items():
        outer, nested, inner = name.partition("[")
        inside = tree.setdefault(outer, {}) if nested else None
        if isinstance(inside, dict):
            inside[inner.removesuffix("]")] = text
        else:
            tree[name] = text
    with _refusing():
        return Upload.model_validate_strings(tree)


def page(kind: type[P], http: web.Request) -> P:
    """The part of a list that the query asks for.

    Raises:
        Refusal: with everything that is wrong with it.
    """
    with _refusing():
        return kind.model_validate_strings(dict(http.query))


@contextmanager
def _refusing() -> Generator[None]:
    try:
        yield
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        places = [".".join(map(str, fault["loc"])) for fault in faults]
        told = [
            f"{place}: {fault['msg']}" if place else fault["msg"] for place, fault in zip(places, faults, strict=True)
        ]
        raise Refusal(HTTPStatus.BAD_REQUEST, "; ".join(told), param=places[0] or None) from None
