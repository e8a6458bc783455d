"""The child process that serves one local model; it lives exactly as long as its standard input is open.

Run as `python -m triaxis.adapters.local.server --weights PATH --name NAME`. It loads the weights into llama.cpp's own
OpenAI-compatible HTTP server, on a port that the system picks, prints one line of JSON with the address, and waits.
The end of standard input ends it at once, so that a parent killed with -9 leaves nothing behind.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Protocol

JOINED = (
    "{% for message in messages %}{% if not loop.first %}{{ '\\n\\n' }}{% endif %}{{ message['content'] }}{% endfor %}"
)
"""The contents of the messages, a blank line apart, and nothing else: few-shot prompts reach the model as written."""

CACHE_MIB = 512
"""Memory for the prefixes of other prompts: restored, rather than read again, when their variant is next."""


class Server(Protocol):
    """llama.cpp's server, as far as it is used here; its requests are answered by threads of its own."""

    listening_address: str


def main(argv: Sequence[str] | None = None) -> None:
    """Serves until standard input ends."""
    options = _parser().parse_args(argv)
    # The announcement alone goes to standard output; whatever the library prints goes to standard error.
    announcement = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    server = _serve(options)
    with os.fdopen(announcement, "w", encoding="utf-8") as out:
        out.write(json.dumps({"address": server.listening_address}) + "\n")
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # Not sys.exit: a request in flight must not keep the process, and nothing here needs an orderly end.
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="triaxis.adapters.local.server", description="Serves one local model.")
    parser.add_argument("--weights", required=True, help="path of a GGUF file")
    parser.add_argument("--name", required=True, help="the model's name in answers; its path would tell on the machine")
    parser.add_argument("--context", type=int, default=4096, help="tokens of prompt and answer together")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--slots", type=int, default=1, help="requests decoded side by side")
    parser.add_argument("--own-template", action="store_true", help="use the chat template inside the weights")
    parser.add_argument("--embeds", action="store_true", help="make embeddings: the mean over a text's tokens")
    guess = "after so many tokens that the prompt has too, guess so many more as it has them, and check them together"
    parser.add_argument("--ngram", type=int, nargs=2, help=guess)
    return parser


def _serve(options: argparse.Namespace) -> Server:
    # Untyped, hence by name: the wheel carries no type information, and this is the one place that imports it.
    from importlib import import_module

    library = import_module("xllamacpp")
    params = library.CommonParams()
    params.model.path = options.weights
    params.model_alias = {options.name}
    params.n_ctx = options.context * options.slots  # shared out among the slots
    params.n_parallel = options.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.n_gpu_layers = 0
    params.cache_ram_mib = CACHE_MIB
    params.swa_full = True  # without it, models with a sliding window never reuse a short prefix
    params.ui = False
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_threads_http = 64  # each open connection holds one, even when idle
    params.verbosity = 1
    if options.embeds:
        params.embedding = True
        params.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        params.n_batch = params.n_ubatch = options.context  # a text is read in one piece, or refused
    if options.ngram:
        params.speculative.ngram_simple.size_n, params.speculative.ngram_simple.size_m = options.ngram
        params.speculative.types = [library.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    if not options.own_template:
        params.chat_template = JOINED
    return library.Server(params)


if __name__ == "__main__":
    main()
