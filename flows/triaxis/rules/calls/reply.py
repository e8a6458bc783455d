"""Reads a stored answer: OpenAI's chat completion body into text, why it ended, and token counts that do not overlap.

Providers differ in what a count contains, and a price multiplies each of them, so the differences are settled here:

    prompt_tokens       with cached and cache-written ones (OpenAI, LiteLLM), or without them (Anthropic's own wire)
    completion_tokens   with reasoning tokens (OpenAI), or without them (xAI, whose total shows it)
    cached tokens       prompt_tokens_details.cached_tokens, cache_read_input_tokens or prompt_cache_hit_tokens
    cache writes        prompt_tokens_details.cache_creation_tokens or cache_creation_input_tokens
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from triaxis.domain.canonical import JsonValue, read_json
from triaxis.domain.rows import Reply
from triaxis.quantities import Tokens

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_BEYOND = 2**53
"""No model counts so far, and a sum of such counts would leave what files hold."""


def parse_reply(raw: str) -> Reply:
    """What the body says.

    A `content` of null is an empty text, a list of parts is their texts joined. Half of a surrogate pair, which JSON
    can carry and UTF-8 cannot, becomes U+FFFD.

    Raises:
        ValueError: where the body is not a chat completion with a message; the text never quotes the body.
    """
    return reply_of(_body(raw))


def reply_of(body: Mapping[str, JsonValue]) -> Reply:
    """`parse_reply` of a body that is parsed already.

    Raises:
        ValueError: where it is not a chat completion with a message; the text never quotes the body.
    """
    choices = body.get("choices")
    choice = _mapping(choices[0] if isinstance(choices, list) and choices else None)
    message = _mapping(choice.get("message"))
    if not message:
        raise ValueError("the body is not a chat completion: it has no choice with a message")
    text, refusal = _content(message.get("content"))
    return Reply(
        text=text,
        finish_reason=_text(choice.get("finish_reason")),
        usage=tokens_of(body.get("usage")),
        model=_text(body.get("model")),
        refusal=_text(message.get("refusal")) or refusal,
    )


def no_answer(reply: Reply) -> str | None:
    """Why the user got no answer though the call succeeded: refusal, content_filter or truncated; None if there is one.

    Truncated means that the cap left nothing, as when reasoning used it up; an answer cut short is still an answer.
    """
    if reply.refusal:
        return "refusal"
    if reply.finish_reason == "content_filter":
        return "content_filter"
    if reply.finish_reason == "length" and not reply.text.strip():
        return "truncated"
    return None


def tokens_of(usage: JsonValue) -> Tokens:
    """The `usage` object as counts that do not overlap; what is not reported, or is no count, stays None."""
    if not isinstance(usage, dict):
        return Tokens()
    prompt_details = _mapping(usage.get("prompt_tokens_details"))
    completion_details = _mapping(usage.get("completion_tokens_details"))
    cached = _first(prompt_details.get("cached_tokens"), usage, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    written = _first(prompt_details.get("cache_creation_tokens"), usage, "cache_creation_input_tokens")
    reasoning = _count(completion_details.get("reasoning_tokens"))
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    apart = _reasoning_apart(prompt, completion, reasoning, usage.get("total_tokens"))
    return Tokens(
        input=_rest(prompt, (cached or 0) + (written or 0)),
        cached=cached,
        cache_write=written,
        output=completion if apart else _rest(completion, reasoning or 0),
        reasoning=reasoning,
    )


def _rest(whole: int | None, parts: int) -> int | None:
    """The whole without its parts; a whole smaller than its parts was reported without them."""
    return whole if whole is None or parts > whole else whole - parts


def _reasoning_apart(prompt: int | None, completion: int | None, reasoning: int | None, whole: JsonValue) -> bool:
    """Whether the total shows that reasoning tokens were counted beside the completion's."""
    if prompt is None or completion is None or not reasoning:
        return False
    return _count(whole) == prompt + completion + reasoning


def _first(stated: JsonValue, usage: Mapping[str, JsonValue], *names: str) -> int | None:
    """A count as it is stated, else the first that stands under one of the names."""
    count = _count(stated)
    for name in names:
        if count is None:
            count = _count(usage.get(name))
    return count


def _count(value: JsonValue) -> int | None:
    # Of the exact type, since True is an int as well.
    if type(value) is int:
        return value if 0 <= value < _BEYOND else None
    if isinstance(value, float) and value == value // 1:
        return _count(int(value))
    return None


def _content(content: JsonValue) -> tuple[str, str | None]:
    """Text and refusal of a message's content, which is text, null or a list of parts."""
    if not isinstance(content, list):
        return _text(content) or "", None
    parts = [part for part in content if isinstance(part, dict)]
    texts = (_text(part.get("text")) for part in parts)
    refusals = (_text(part.get("refusal")) for part in parts)
    return "".join(text for text in texts if text), next((r for r in refusals if r), None)


def _text(value: JsonValue) -> str | None:
    if not isinstance(value, str):
        return None
    return value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """The object that a parsed value is; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def _body(raw: str) -> Mapping[str, JsonValue]:
    try:
        return _mapping(read_json(raw))
    except ValueError:
        raise ValueError("the body is not JSON") from None


def is_simulated(raw: str) -> bool:
    """Whether a body says that a simulated provider made it, by its `system_fingerprint`."""
    try:
        return _body(raw).get("system_fingerprint") == "simulated"
    except ValueError:
        return False
