"""What the outputs of one imported variant carry and lack, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triaxis.adapters.workspace.response_files import BatchAnswer
from triaxis.domain.responses import ImportedResponse


@dataclass(slots=True)
class Tally:
    """Counts over the outputs of one variant."""

    rows: int = 0
    failed: int = 0
    """With an error."""
    unsent: int = 0
    """Those among them that the provider never got to."""
    unrecorded: int = 0
    """Answered, but with what is not known."""
    timed: int = 0
    """Answered, with latency_ms."""
    first_timed: int = 0
    """Answered, with ttft_ms."""
    tokens_alone: int = 0
    """Without cost_usd, but with tokens, which a price row can price."""
    costless: int = 0
    """Answered, with neither cost_usd nor tokens."""
    longest: int = 0
    """Bytes of the longest answer."""

    def count(self, response: ImportedResponse, batch: BatchAnswer | None) -> None:
        """Takes in one output."""
        reply = None if batch is None else batch.reply
        text = response.response if reply is None else reply.text
        counted = reply.usage.known if reply is not None else _counted(response)
        failed = response.error is not None
        self.rows += 1
        self.failed += failed
        self.unsent += batch is not None and batch.unsent
        self.unrecorded += not failed and text is None
        self.timed += not failed and response.latency_ms is not None
        self.first_timed += not failed and response.ttft_ms is not None
        self.tokens_alone += response.cost_usd is None and counted
        self.costless += response.cost_usd is None and not counted and not failed
        self.longest = max(self.longest, len((text or "").encode()))

    def notices(self, variant: str) -> Iterator[str]:
        """What is odd but legal, one sentence each."""
        answered = self.rows - self.failed
        if self.unsent:
            yield f"{variant}: the provider never got to {self.unsent} of {self.rows} rows; they count as failed."
        if self.unrecorded:
            head = f"{variant}: {self.unrecorded} of {answered} answers have neither `response` nor `error`"
            yield f"{head}: what was said is not known, so that no dimension can score them."
        for measure, name, timed in (("full", "latency_ms", self.timed), ("ttft", "ttft_ms", self.first_timed)):
            if 0 < timed < answered:
                yield f"{variant}: latency.{measure} is over the {timed} of {answered} answers that carry {name}."
        if self.costless:
            head = f"{variant}: {self.costless} of {answered} answers carry neither cost_usd nor tokens"
            yield f"{head}, so that its cost is absent."


def _counted(response: ImportedResponse) -> bool:
    return response.prompt_tokens is not None and response.completion_tokens is not None
