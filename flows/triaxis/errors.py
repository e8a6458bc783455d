"""Every error Triaxis raises on purpose.

- TriaxisError
    - InputFaults        faults of the user's files or arguments, all of them (exit 2)
    - OverBudget         the run would pass `limits.max_usd` (exit 2)
    - Busy               another run holds the workspace, or a gateway's state (exit 1)
    - NeedsCalls         stored rows do not tell, and nothing may be called here (exit 2)
    - Incomplete         calls outlasted their retries; finished work is stored (exit 1)
    - Waiting            provider batches are not ready (exit 5)
    - BatchUnknown       a batch may be at its provider, and nobody can find out (exit 1)
    - StoreDamaged       stored evidence does not hold together (exit 1)
        - NotMade        a stage was asked for before the one that it reads from (exit 2)
    - StoreUnreachable   a row store at a URL does not answer, or refuses (exit 1)
    - NotShareable       a row store cannot keep several workers apart, which was asked of it (exit 1)
    - TurnLost           this worker stood still, and another may do by now what it was about to do (exit 1)
    - NotVersioned       DVC could not take in what a run made (exit 1)
    - ServerDied         a managed local server ended by itself (exit 1)
    - CallFailed         one call to a model failed
        - Transient      sending it again may help
        - Terminal       it will not: the answer is that there is no answer
        - Denied         no call to this model can succeed until a person changes something
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from triaxis.quantities import Money, Tokens


class TriaxisError(Exception):
    """The root; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One thing wrong with one input, with where it is and what to do about it."""

    file: str
    """Path as the user wrote it, relative to the workspace; or the option of the command line."""
    line: int = 0
    """1-based line, 0 where the file has none (Parquet, a missing file)."""
    case: str = ""
    """Id of the case, where the fault is in a case that has one."""
    field: str = ""
    """Dotted path of the field, such as `variants.small.params.max_tokens`."""
    problem: str
    advice: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        if self.case:
            place += f" case {self.case!r}"
        if self.field:
            place += f" {self.field}"
        return f"{place}: {self.problem}. {self.advice}"


class InputFaults(TriaxisError):
    """Every fault found in the inputs, in the order of file and line; `notices` are what is odd but legal."""

    exit_code = 2

    def __init__(self, *faults: Fault) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class OverBudget(TriaxisError):
    """The upper estimate of a run passes `limits.max_usd`; nothing was spent."""

    exit_code = 2

    def __init__(self, needed: Money, limit: Money) -> None:
        self.needed, self.limit = needed, limit
        super().__init__(
            f"this run may cost up to ${needed.text()}, over limits.max_usd of ${limit.text()}; nothing was spent. "
            f"Raise limits.max_usd to {needed.text()} or evaluate fewer cases or variants."
        )


class Busy(TriaxisError):
    """Another process holds the workspace's lock, or the gateway's."""

    def __init__(self, holder: str, what: str = "this workspace") -> None:
        self.holder = holder
        super().__init__(f"another run holds {what}: {holder}. Wait for it to end, or stop it.")


class NeedsCalls(TriaxisError):
    """Scoring stored answers by another rubric would ask judges, where nothing may be called."""

    exit_code = 2

    def __init__(self, calls: int) -> None:
        self.calls = calls
        super().__init__(f"it would take {calls:,} judge calls, and nothing is called here")


class Incomplete(TriaxisError):
    """Some calls outlasted their retries. What was answered is stored, and the next run sends only the rest."""

    def __init__(self, stage: str, missing: int, total: int, last_error: str) -> None:
        self.stage, self.missing, self.total, self.last_error = stage, missing, total, last_error
        super().__init__(
            f"{stage}: {missing} of {total} calls have no answer after retries ({last_error}). "
            "What was answered is stored; run again to send only what is missing."
        )


class Waiting(TriaxisError):
    """Provider batches were submitted and are not ready yet."""

    exit_code = 5

    def __init__(self, stage: str, batches: int, rows: int) -> None:
        self.stage, self.batches, self.rows = stage, batches, rows
        super().__init__(
            f"{stage}: {rows} rows in {batches} {'batches' if batches > 1 else 'batch'} are at their provider. "
            "Run again to collect them and go on; `triaxis batches` lists them."
        )


class BatchUnknown(TriaxisError):
    """A submission was cut off, and the provider offers no way to find out whether it has the batch."""

    def __init__(self, name: str, rows: int, stake: Money) -> None:
        self.name, self.rows, self.stake = name, rows, stake
        super().__init__(
            f"the batch {name} of {rows} rows may or may not be at its provider, and up to ${stake.text()} are at "
            f"stake. Look at the provider's own list. If it is there: triaxis batches adopt {name} PROVIDER_ID. If it "
            f"is not, or to pay again: triaxis batches resubmit {name}."
        )


class StoreDamaged(TriaxisError):
    """A stored segment or evidence file does not hold what its name or its neighbours say."""


class NotMade(StoreDamaged):
    """A file that an earlier stage makes is not there yet."""

    exit_code = 2

    def __init__(self, file: str, stage: str) -> None:
        self.file, self.stage = file, stage
        super().__init__(f"{file} is not there; `triaxis {stage}` makes it")


class StoreUnreachable(TriaxisError):
    """A row store at a URL did not answer after retries, or refuses to; the text never holds a key."""

    def __init__(self, url: str, reason: str, advice: str) -> None:
        self.url, self.reason, self.advice = url, reason, advice
        super().__init__(f"the row store {url} cannot be used ({reason}). {advice}")


class NotShareable(TriaxisError):
    """A row store that only one worker at a time may use, asked to keep several apart."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"{why}. So one worker at a time may use it: run the others elsewhere or later, or give all of them a "
            "store that can, such as a bucket of S3 (`store:` in evaluation.yaml)."
        )


class TurnLost(TriaxisError):
    """A claim ran out, or could not be renewed, before what it was for was done."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"this worker's claim {name!r} ran out: it stood still, or the row store did not answer in time, and "
            "another worker may have taken over. Nothing more is sent. Run again: what is paid for is not bought again."
        )


class ServerDied(TriaxisError):
    """A managed local server did not start, or ended by itself and was started again before."""

    def __init__(self, model: str, code: int, last_words: str) -> None:
        self.model, self.code, self.last_words = model, code, last_words
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        said = f"; it said: {last_words}" if last_words else ""
        super().__init__(
            f"the server of local/{model} ended by itself ({how}{said}). "
            "Signal 9 often means that the machine ran out of memory. What was answered is stored; run again."
        )


class NotVersioned(TriaxisError):
    """DVC could not take in what a run made. The evidence stands; only its version is not recorded."""


class CallFailed(TriaxisError):
    """A call to a model that brought no usable answer; the text never holds a key, a prompt or an answer."""

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        usage: Tokens | None = None,
        raw: str = "",
        billed: bool = True,
    ) -> None:
        self.reason = reason
        """A short stable word: rate_limit, timeout, reset, truncated, malformed, server, content_filter, ..."""
        self.status = status
        """The HTTP status, where there was one."""
        self.usage = usage
        """What the provider said it billed for the failure, where it said so."""
        self.raw = raw
        """The body as received, for a Terminal outcome that is stored as the row's answer."""
        self.billed = billed
        """Whether the provider may have billed it: False only where it surely did not (refused connection, 429)."""
        super().__init__(reason if status is None else f"{reason} (HTTP {status})")


class Transient(CallFailed):
    """The same request may succeed later."""

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        usage: Tokens | None = None,
        retry_after_s: float | None = None,
        billed: bool = True,
    ) -> None:
        super().__init__(reason, status=status, usage=usage, billed=billed)
        self.retry_after_s = retry_after_s
        """What the provider asked for in Retry-After."""


class Terminal(CallFailed):
    """The same request will fail again: refused, filtered or malformed."""


class Denied(CallFailed):
    """No call to this model can succeed until a person changes something: a key, a name, a quota. It stops the run."""

    def __init__(self, reason: str, advice: str, *, status: int | None = None) -> None:
        super().__init__(reason, status=status, billed=False)
        self.advice = advice
        """What to change, with what the provider said; keys are taken out of it."""

    def __str__(self) -> str:
        return f"{super().__str__()}: {self.advice}"
