"""Times a whole live evaluation from the shell to the scorecard, against a simulated provider.

    python benchmarks/live.py [--cases 2000] [--concurrency 64] [--runs 3] [--no-dvc] [--cold] [--peers]

2,000 cases x 2 models, one that answers in 20 ms and one in 60, at most 64 calls in flight, probe off, in a fresh
workspace under git and DVC. Beside it, in the same run, a bare aiohttp loop makes the same calls and keeps nothing, so
that the ratio of the two says what an evaluation costs above its calls on whatever machine this is. `--peers` installs
promptfoo from npm into a temporary folder and lets it do the same work.

The provider is simulated: no time, answer or price printed here says anything about a real model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import aiohttp
from made_up import TRIAXIS, Provider, Timed, case, machine, provider, show, timed, version_workspace, write_workspace

from triaxis.pipelines.prefect_server import prefect_server

TARGET_S = 25.0
DELAYS_MS = {"fast": 20.0, "slow": 60.0}


def main() -> int:
    """Runs it all; exit code 1 where a run fails, makes other calls than asked for, or misses the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--runs", type=int, default=1, help="how often to run it; each in a fresh workspace")
    parser.add_argument("--no-dvc", action="store_true", help="leave git and DVC out of the workspace")
    parser.add_argument("--cold", action="store_true", help="give Prefect an empty home, as on a machine's first run")
    parser.add_argument("--peers", action="store_true", help="install promptfoo and run it on the same work")
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        print(asyncio.run(bare(given.bare, given.cases, given.concurrency)))
        return 0
    print(f"simulated provider: {DELAYS_MS} ms; {given.cases:,} cases x 2 models, concurrency {given.concurrency}")
    print(machine())
    with tempfile.TemporaryDirectory() as scratch, provider(**DELAYS_MS) as server:
        return compare(Path(scratch), server, given)


def compare(scratch: Path, server: Provider, given: argparse.Namespace) -> int:
    """Runs the bare loop, then us, then the peers, and prints the ratios."""
    loop_s, loop = bare_loop(server, given.cases, given.concurrency)
    runs = [one_run(scratch / f"run-{number}", server, given) for number in range(given.runs)]
    took = median(run.wall_s for run in runs)
    calling = median(run.calling_s() for run in runs)
    print(f"\nbare aiohttp loop, same calls: {loop_s:.2f} s (its process {loop.wall_s:.2f} s, CPU {loop.cpu_s:.2f} s)")
    print(f"triaxis run, whole process: {took:.2f} s, {took / loop_s:.1f} times the bare loop")
    print(f"  of which the calls, until they are evidence: {calling:.2f} s, {calling / loop_s:.1f} times the bare loop")
    if given.peers:
        peer = promptfoo(scratch / "promptfoo", server, given.cases, given.concurrency)
        print(f"promptfoo, whole process: {peer.wall_s:.2f} s (CPU {peer.cpu_s:.2f} s, exit {peer.code}),", end=" ")
        print(f"{peer.wall_s / loop_s:.1f} times the bare loop; {peer.wall_s / took:.1f} times triaxis")
    met = took < TARGET_S and not any(run.code for run in runs)
    print(f"under {TARGET_S:.0f} s: {'yes' if met else 'NO'}; {machine()}")
    return 0 if met else 1


def one_run(root: Path, server: Provider, given: argparse.Namespace) -> Timed:
    """A fresh workspace, then `triaxis run`, then once more with nothing left to do."""
    write_workspace(root, cases=given.cases, api_base=server.api_base, concurrency=given.concurrency)
    if not given.no_dvc:
        version_workspace(root)
    home = str(root.parent / ("prefect-cold" if given.cold else "prefect"))
    if not (given.cold or Path(home).exists()):
        warm(home)
    before = server.heard()
    run = timed([TRIAXIS, "run"], root, PREFECT_HOME=home)
    after = server.heard()
    show("triaxis run, nothing stored", run)
    calls = after.calls - before.calls
    print(f"  {calls} calls heard; the simulated provider itself used {after.cpu_s - before.cpu_s:.2f} s of CPU")
    if calls != 2 * given.cases:
        raise SystemExit(f"{2 * given.cases} calls were asked for, and the provider heard {calls}")
    again = timed([TRIAXIS, "run"], root, PREFECT_HOME=home)
    print(f"  again, nothing to do: {again.wall_s:.2f} s, CPU {again.cpu_s:.2f} s, exit {again.code}")
    return run


def warm(home: str) -> None:
    """Starts Prefect's temporary server once and ends it, so that its database is there, as after a first run."""

    async def start() -> None:
        async with prefect_server() as ready:
            await ready

    os.environ["PREFECT_HOME"] = home
    asyncio.run(start())


def bare_loop(server: Provider, cases: int, concurrency: int) -> tuple[float, Timed]:
    """The same calls by aiohttp alone: seconds of the loop, and what its process took."""
    arguments = ["--bare", server.api_base, "--cases", str(cases), "--concurrency", str(concurrency)]
    run = timed([sys.executable, __file__, *arguments], Path.cwd())
    return float(run.said), run


async def bare(api_base: str, cases: int, concurrency: int) -> float:
    """Posts every question to both models from a pool of workers, reads the answers, and keeps nothing."""
    queue = bodies(cases)
    started = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            for body in queue:
                async with session.post(f"{api_base}/chat/completions", json=body) as response:
                    assert (await response.json())["choices"]

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return time.perf_counter() - started


def bodies(cases: int) -> Iterator[dict[str, object]]:
    """The calls, both models by turns."""
    for number in range(cases):
        said = case(number)
        text = f"Context: {said['context']}\n\nQuestion: {said['input']}\n"
        for model in DELAYS_MS:
            messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": text}]
            yield {"model": model, "messages": messages, "temperature": 0, "max_tokens": 64}


def promptfoo(folder: Path, server: Provider, cases: int, concurrency: int) -> Timed:
    """Installs promptfoo (not timed) and lets it ask and check the same."""
    folder.mkdir()
    subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), "promptfoo"], check=True)
    (folder / "config.json").write_text(json.dumps(promptfoo_config(server, cases)))
    command = [str(folder / "node_modules/.bin/promptfoo"), "eval", "-c", "config.json", "--no-cache", "-j"]
    before = server.heard().calls
    run = timed(
        [*command, str(concurrency), "--no-progress-bar", "--no-table", "--no-share", "-o", "out.json"],
        folder,
        PROMPTFOO_CONFIG_DIR=str(folder / "home"),
        PROMPTFOO_DISABLE_TELEMETRY="1",
        PROMPTFOO_DISABLE_UPDATE="1",
        # Exit code 100 for cases that fail would say nothing here.
        PROMPTFOO_FAILED_TEST_EXIT_CODE="0",
    )
    print(f"\npromptfoo made {server.heard().calls - before} calls")
    return run


def promptfoo_config(server: Provider, cases: int) -> dict[str, object]:
    """The same questions and checks, as promptfoo writes them."""
    config = {"apiBaseUrl": server.api_base, "temperature": 0, "max_tokens": 64}
    return {
        "prompts": ["Context: {{context}}\n\nQuestion: {{input}}"],
        "providers": [{"id": f"openai:chat:{model}", "config": config} for model in DELAYS_MS],
        "tests": [
            {
                "vars": {"input": said["input"], "context": said["context"]},
                "assert": [{"type": kind, "value": said["expected"]} for kind in ("equals", "icontains")],
            }
            for said in map(case, range(cases))
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
