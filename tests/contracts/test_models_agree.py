"""Our wire and LiteLLM send the same request to the same place, and read the same from the answer."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from build_calls import a_body, a_request, a_vector_body, an_embedding_request
from recording_server import recording_server, saying

from triaxis.adapters.models.litellm_models import EMBEDDING, WIRED, open_litellm, resolve
from triaxis.adapters.models.openai_address import PLAIN, plain_address
from triaxis.adapters.models.openai_wire import open_wire
from triaxis.adapters.system_clock import SystemClock
from triaxis.domain.canonical import JsonValue
from triaxis.domain.variant import Limits, Target
from triaxis.errors import Denied, Terminal
from triaxis.rules.calls.embedding import embedded, vector_of
from triaxis.rules.calls.reply import parse_reply

KEY = "sk-made-up-and-searched-for"
VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "hosted_vllm": "HOSTED_VLLM_API_KEY",
    "together_ai": "TOGETHERAI_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "groq": "GROQ_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "xai": "XAI_API_KEY",
    "fireworks_ai": "FIREWORKS_AI_API_KEY",
    "litellm_proxy": "LITELLM_PROXY_API_KEY",
}
PARAMS: dict[str, dict[str, JsonValue]] = {
    "none": {},
    "usual": {"temperature": 0, "max_tokens": 60, "stop": ["\n\n", "Q:"], "seed": 7},
    "sampling": {"temperature": 0.7, "top_p": 0.9},
    "the server's own": {"top_k": 5, "min_p": 0.1, "cache_prompt": False},
}
MORE: dict[str, dict[str, JsonValue]] = {
    "shape": {"response_format": {"type": "json_object"}},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "penalties": {"presence_penalty": 0.1, "frequency_penalty": 0.2, "logit_bias": {"50256": -100}},
    # `user` is not here: LiteLLM drops it for models it does not know, and we send what the variant says.
    "cap": {"max_completion_tokens": 60, "n": 1},
}
FULL = json.dumps(
    json.loads(a_body("Über 5 €"))
    | {
        "service_tier": "default",
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 8},
        },
    }
)


def _model(provider: str, name: str = "small") -> str:
    return f"{provider}/{name}"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, KEY)


def test_every_wired_provider_is_tested() -> None:
    assert VARIABLES.keys() == WIRED
    assert PLAIN.items() <= VARIABLES.items()


async def both(target: Target, params: dict[str, JsonValue], *, plain: bool) -> tuple[object, object]:
    """What the server heard and what was read, from LiteLLM and from us."""
    request = a_request("Wie viel? 中文 \u2028", model=target.model, **params)
    seen: list[object] = []
    async with recording_server(saying(FULL)) as server:
        target = Target(model=target.model, api_base=server.api_base)
        address = plain_address(target, VARIABLES_SET) if plain else resolve(target)
        assert address is not None
        clock = SystemClock()
        for opened in (
            open_litellm(target, limits=Limits(), clock=clock),
            open_wire(address, limits=Limits(), clock=clock),
        ):
            async with opened as model:
                received = await model.complete(request)
            reply = parse_reply(received.raw)
            (heard,) = server.heard
            server.heard.clear()
            seen.append((asdict(heard), reply.text, reply.finish_reason, reply.usage, reply.refusal))
    return seen[0], seen[1]


VARIABLES_SET = dict.fromkeys(VARIABLES.values(), KEY)


@pytest.mark.parametrize("provider", sorted(PLAIN))
@pytest.mark.parametrize("params", [*PARAMS.values(), *MORE.values()], ids=[*PARAMS, *MORE])
async def test_a_server_of_the_users_own_without_litellm(provider: str, params: dict[str, JsonValue]) -> None:
    theirs, ours = await both(Target(model=_model(provider)), params, plain=True)
    assert ours == theirs


@pytest.mark.parametrize("provider", sorted(WIRED))
@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
async def test_a_provider_that_litellm_resolves(provider: str, params: dict[str, JsonValue]) -> None:
    theirs, ours = await both(Target(model=_model(provider)), params, plain=False)
    assert ours == theirs


@pytest.mark.parametrize("name", ["o3-mini", "gpt-5", "gpt-5-mini"])
async def test_models_whose_parameters_litellm_rewrites(name: str) -> None:
    target = Target(model=_model("openai", name), api_base="http://127.0.0.1:9/v1")
    assert plain_address(target, VARIABLES_SET) is None
    theirs, ours = await both(target, {"max_tokens": 60}, plain=False)
    assert ours == theirs
    assert "max_completion_tokens" in str(ours)


async def test_a_parameter_that_the_model_does_not_have_stops_the_run() -> None:
    request = a_request(model="openai/gpt-5", stop=["x"])
    target = Target(model=request.model, api_base="http://127.0.0.1:9/v1")
    address = resolve(target)
    assert address is not None
    clock = SystemClock()
    for opened in (
        open_litellm(target, limits=Limits(), clock=clock),
        open_wire(address, limits=Limits(), clock=clock),
    ):
        async with opened as model:
            with pytest.raises(Denied, match="change the variant's params"):
                await model.complete(request)


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("openai/gpt-4o-mini", "https://api.openai.com/v1/chat/completions"),
        ("gpt-4o-mini", "https://api.openai.com/v1/chat/completions"),
        ("mistral/mistral-small-latest", "https://api.mistral.ai/v1/chat/completions"),
        ("groq/llama-3.1-8b-instant", "https://api.groq.com/openai/v1/chat/completions"),
        ("together_ai/a/b", "https://api.together.ai/v1/chat/completions"),
        ("xai/grok-4", "https://api.x.ai/v1/chat/completions"),
    ],
)
def test_a_vendors_own_address_is_known(model: str, url: str) -> None:
    address = resolve(Target(model=model))
    assert address is not None
    assert (address.url, address.key) == (url, KEY)
    assert KEY not in repr(address)


@pytest.mark.parametrize("model", ["gemini/gemini-2.5-flash", "bedrock/amazon.nova-lite-v1:0", "ollama/llama3"])
def test_other_wires_are_left_to_litellm(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    assert resolve(Target(model=model)) is None


async def test_a_content_filter_is_read_the_same() -> None:
    """Both hand the body over; that there is no answer in it is decided once, by its reader."""
    body = a_body("", finish="content_filter")
    async with recording_server(saying(body)) as server:
        target = Target(model="openai/small", api_base=server.api_base)
        address = plain_address(target, {})
        assert address is not None
        clock = SystemClock()
        reasons: list[str | None] = []
        for opened in (
            open_litellm(target, limits=Limits(), clock=clock),
            open_wire(address, limits=Limits(), clock=clock),
        ):
            async with opened as model:
                try:
                    reasons.append(parse_reply((await model.complete(a_request())).raw).finish_reason)
                except Terminal as error:
                    reasons.append(error.reason)
    assert reasons == ["content_filter", "content_filter"]


EMBEDDED = a_vector_body(0.1, -0.25, 3e-3)
DIMENSIONS: list[dict[str, JsonValue]] = [{}, {"dimensions": 3}]


@pytest.mark.parametrize(
    ("provider", "plain"), [*((name, False) for name in sorted(EMBEDDING)), *((name, True) for name in sorted(PLAIN))]
)
@pytest.mark.parametrize("params", DIMENSIONS, ids=["none", "dimensions"])
async def test_embeddings_are_asked_for_and_read_the_same(
    provider: str, params: dict[str, JsonValue], *, plain: bool
) -> None:
    request = an_embedding_request("Wie viel? 中文", model=_model(provider, "text-embedding-3-small"), params=params)
    seen: list[object] = []
    async with recording_server(saying(EMBEDDED)) as server:
        target = Target(model=request.model, api_base=server.api_base, kind="embedding")
        address = plain_address(target, VARIABLES_SET) if plain else resolve(target)
        assert address is not None
        clock = SystemClock()
        for opened in (
            open_litellm(target, limits=Limits(), clock=clock),
            open_wire(address, limits=Limits(), clock=clock),
        ):
            async with opened as model:
                raw = (await model.complete(request)).raw
            (heard,) = server.heard
            server.heard.clear()
            seen.append((asdict(heard), vector_of(raw).tolist(), embedded(raw)))
    assert seen[0] == seen[1]
    assert "/v1/embeddings" in str(seen[0])


@pytest.mark.parametrize(
    ("provider", "asked", "sent"),
    [
        ("voyage", {"dimensions": 3}, {"output_dimension": 3}),
        ("jina_ai", {"dimensions": 3}, {"dimensions": 3}),
        ("mistral", {}, {}),
    ],
)
async def test_other_providers_embed_through_litellm(
    provider: str, asked: dict[str, JsonValue], sent: dict[str, JsonValue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the provider's own words, and read into the same vector."""
    monkeypatch.setenv("VOYAGE_API_KEY", KEY)
    monkeypatch.setenv("JINA_AI_API_KEY", KEY)
    request = an_embedding_request(model=_model(provider, "embed"), params=asked)
    async with recording_server(saying(EMBEDDED)) as server:
        target = Target(model=request.model, api_base=server.api_base, kind="embedding")
        assert resolve(target) is None
        async with open_litellm(target, limits=Limits(), clock=SystemClock()) as model:
            raw = (await model.complete(request)).raw
    (heard,) = server.heard
    assert heard.body == {"model": "embed", "input": ["hello"], **sent}
    assert vector_of(raw).tolist() == pytest.approx([0.1, -0.25, 3e-3])
    assert embedded(raw).usage.input == 5


async def test_embeddings_that_a_provider_does_not_make_stop_the_run() -> None:
    request = an_embedding_request(model=_model("mistral", "embed"), params={"dimensions": 3})
    target = Target(model=request.model, api_base="http://127.0.0.1:9/v1", kind="embedding")
    async with open_litellm(target, limits=Limits(), clock=SystemClock()) as model:
        with pytest.raises(Denied, match="change the variant's params"):
            await model.complete(request)


def test_a_vendors_own_embeddings_stand_beside_its_chats() -> None:
    address = resolve(Target(model="openai/text-embedding-3-small", kind="embedding"))
    assert address is not None
    assert address.url_of("embedding") == "https://api.openai.com/v1/embeddings"
