"""Makes the cases and the recorded answers of the made-up bank assistant: `python make_rows.py [FOLDER]`.

Nothing here was said by a model or asked by a customer: README.md tells what is drawn from what. The same seed gives
the same rows, on every machine, since only Python's own generator is used and every number is rounded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

SEED = "bank-assistant 1"
TURNS = (1, 1, 2, 1, 3)
"""Cases of one session after the other: 1.6 on average, in every kind."""
WORDS_PER_TOKEN = 0.75
"""The usual rule of thumb for English."""

ACCOUNTS = ("everyday account", "savings account", "joint account", "holiday pot", "business account")
CARDS = ("debit card", "credit card", "virtual card", "spare card")
MERCHANTS = ("Northwind Books", "Harbour Cycles", "Fern and Moss", "Lakeside Hotel", "Orbit Games", "Quay Bakery")
SERVICES = ("a transfer abroad", "a replacement card", "a paper statement", "cash from a machine abroad")
MONTHS = ("March", "April", "May", "June", "July", "August")
ADVICE = (
    "Please keep any receipt, message or letter that you have about this in a safe place.",
    "You do not need to call us, since everything can be done in the app.",
    "We will send you a message whenever the state of your request changes.",
    "If anything on this page looks wrong to you, tell us before you go on.",
    "Our colleagues read each request in the order in which it reached us.",
    "The bank never asks for your full password, on the phone or anywhere else.",
    "You can read the terms that apply here under Help, then Terms, at any time.",
    "It helps us if you describe what happened in your own words and in order.",
    "Other payments from the same account are not held up by this in any way.",
    "Where a shop is involved, it is often quickest to speak with the shop as well.",
    "Some banks abroad take longer to answer than those in this country do.",
    "A colleague may ask you for one more detail if the record is not clear.",
    "What you have told us so far is kept with your request, so you need not repeat it.",
    "Pending payments may still change a little until they have been booked for good.",
    "If you share the account with somebody, that person sees this request as well.",
    "You can add a document to the request as a photo or as a file from your phone.",
)
"""What assistants say beside the point. None of it holds an expected answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of question, and how long an answer to it is."""

    name: str
    route: str
    sessions: int
    ask: Callable[[Random], tuple[str, str, list[str]]]
    """Draws a question, the record that holds its answer, and what must be in an answer, the last of it last."""
    before: tuple[int, float, int, int]
    """Words until everything has been said that was asked for: median, spread of its logarithm, least and most."""
    after: tuple[int, float, int, int]
    """Words that follow it."""
    small: float
    """How often the small model is right. The frontier model is right in `FRONTIER_RIGHT` of every kind."""


FRONTIER_RIGHT = 0.97


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One way to serve, whose answers are recorded."""

    name: str
    model: str
    ttft_ms: tuple[int, float]
    """Median and spread of its logarithm."""
    ms_per_token: float
    cached: bool = False
    cap: int | None = None
    """Most tokens of an answer."""


FRONTIER, SMALL = "bank/frontier", "bank/small"
SETUPS = (
    Setup(name="frontier", model=FRONTIER, ttft_ms=(965, 0.32), ms_per_token=1.55),
    Setup(name="small", model=SMALL, ttft_ms=(260, 0.25), ms_per_token=0.9),
    Setup(name="frontier_cached", model=FRONTIER, ttft_ms=(390, 0.25), ms_per_token=1.55, cached=True),
    Setup(name="small_cached", model=SMALL, ttft_ms=(170, 0.20), ms_per_token=0.9, cached=True),
    Setup(name="frontier_cap300", model=FRONTIER, ttft_ms=(390, 0.25), ms_per_token=1.55, cached=True, cap=300),
    Setup(name="frontier_cap600", model=FRONTIER, ttft_ms=(390, 0.25), ms_per_token=1.55, cached=True, cap=600),
)


def pounds(rng: Random, most: int) -> str:
    """An amount of money."""
    return f"£{rng.randint(3, most)}.{rng.randint(0, 99):02d}"


def day(rng: Random) -> str:
    """A day of some year."""
    return f"{rng.randint(1, 28)} {rng.choice(MONTHS)}"


def balance(rng: Random) -> tuple[str, str, list[str]]:
    """How much is in an account."""
    account, amount = rng.choice(ACCOUNTS), pounds(rng, 950)
    return f"What is the balance of my {account}?", f"{account}: {amount}", [amount]


def card(rng: Random) -> tuple[str, str, list[str]]:
    """When a card expires."""
    kind, until = rng.choice(CARDS), f"{rng.randint(1, 12):02d}/{rng.randint(27, 32)}"
    return f"When does my {kind} ending in {rng.randint(1000, 9999)} expire?", f"{kind}: expires {until}", [until]


def fees(rng: Random) -> tuple[str, str, list[str]]:
    """What something costs. A few of these speak of a loan, which is simple all the same."""
    service = "a late loan payment" if rng.random() < LOAN_FEES else rng.choice(SERVICES)
    kind, digits, amount = rng.choice(CARDS), rng.randint(1000, 9999), pounds(rng, 25)
    return f"What does {service} cost with my {kind} ending in {digits}?", f"{service}: {amount}", [amount]


def limits(rng: Random) -> tuple[str, str, list[str]]:
    """How much may be drawn."""
    kind, amount, digits = rng.choice(CARDS), f"£{rng.randint(4, 40) * 25}", rng.randint(1000, 9999)
    return f"How much cash may I draw a day with my {kind} ending in {digits}?", f"{kind}: {amount} a day", [amount]


LOAN_FEES, UNSAID_DISPUTES, UNSAID_LENDING = 0.10, 0.015, 0.04
"""Shares of fees that speak of a loan, and of disputes and loans that are not called so: what a keyword gets wrong."""


def dispute(rng: Random) -> tuple[str, str, list[str]]:
    """A payment that a customer does not accept: number, amount, and until when the shop may answer."""
    merchant, amount, number, until = (
        rng.choice(MERCHANTS),
        pounds(rng, 400),
        f"D-{rng.randint(10000, 99999)}",
        day(rng),
    )
    asked = (
        f"{merchant} took {amount} twice." if rng.random() < UNSAID_DISPUTES else f"I dispute {amount} to {merchant}."
    )
    record = f"dispute {number}: {amount} to {merchant}, the shop may answer until {until}"
    return f"{asked} What happens now, and by when?", record, [number, amount, until]


def fraud(rng: Random) -> tuple[str, str, list[str]]:
    """A payment by somebody else: number of the report, and when the new card comes."""
    merchant, number, comes = rng.choice(MERCHANTS), f"F-{rng.randint(10000, 99999)}", day(rng)
    asked = f"There is fraud on my card: a payment to {merchant} that is not mine. What do I do?"
    return asked, f"report {number}: card blocked, the new card comes on {comes}", [number, comes]


def lending(rng: Random) -> tuple[str, str, list[str]]:
    """The rate of two loans joined."""
    amount, rate = f"£{rng.randint(20, 300)},000", f"{rng.randint(3, 7)}.{rng.randint(0, 99):02d}%"
    asked = "borrow {0} more for my house" if rng.random() < UNSAID_LENDING else "add my loan to my mortgage of {0}"
    return f"Which rate would I have if I {asked.format(amount)}?", f"{amount}: {rate}", [rate]


SHORT, LONG = (8, 0.3, 5, 20), (170, 0.25, 80, 200)
CHAT, RAMBLE = (80, 0.5, 10, 200), (230, 0.75, 0, 900)
KINDS = (
    Kind(name="balance", route="simple", sessions=90, ask=balance, before=SHORT, after=CHAT, small=0.965),
    Kind(name="card", route="simple", sessions=90, ask=card, before=SHORT, after=CHAT, small=0.965),
    Kind(name="fees", route="simple", sessions=90, ask=fees, before=SHORT, after=CHAT, small=0.965),
    Kind(name="limits", route="simple", sessions=90, ask=limits, before=SHORT, after=CHAT, small=0.965),
    Kind(
        name="dispute",
        route="complex",
        sessions=200,
        ask=dispute,
        before=(235, 0.30, 120, 430),
        after=RAMBLE,
        small=0.55,
    ),
    Kind(name="fraud", route="complex", sessions=100, ask=fraud, before=LONG, after=RAMBLE, small=0.60),
    Kind(name="lending", route="complex", sessions=140, ask=lending, before=LONG, after=RAMBLE, small=0.50),
)


def drawn(rng: Random, shape: tuple[int, float, int, int]) -> int:
    """Words, log-normal between a least and a most."""
    median, spread, least, most = shape
    return min(max(round(median * rng.lognormvariate(0, spread)), least), most)


def advice(rng: Random, words: int) -> list[str]:
    """Whole sentences beside the point, so many words of them or a few more."""
    said: list[str] = []
    while len(said) < words:
        said += rng.choice(ADVICE).split()
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question, with the record that answers it."""

    id: str
    kind: Kind
    session: str
    asked: str
    record: str
    facts: list[str]
    """What must be in an answer."""

    def to_json(self) -> str:
        """As a line of cases.jsonl."""
        value = {
            "id": self.id,
            "input": self.asked,
            "context": self.record,
            "expected": self.facts if self.facts[1:] else self.facts[0],
            "slice": {"kind": self.kind.name},
            "session": self.session,
            "route": self.kind.route,
        }
        return json.dumps(value, ensure_ascii=False)


def cases() -> Iterator[Case]:
    """Every case, session by session."""
    for kind in KINDS:
        turns = [session for session in range(kind.sessions) for _ in range(TURNS[session % len(TURNS)])]
        for number, session in enumerate(turns):
            case = f"{kind.name}-{number:03d}"
            asked, record, facts = kind.ask(Random(f"{SEED} {case}"))
            named = f"{kind.name}-s{session:03d}"
            yield Case(id=case, kind=kind, session=named, asked=asked, record=record, facts=facts)


def wrong(fact: str, rng: Random) -> str:
    """Another fact of the same form: every digit is another one."""
    return "".join(str((int(c) + rng.randint(1, 9)) % 10) if c.isdigit() else c for c in fact)


def answer(case: Case, model: str) -> list[str]:
    """The words of a model's whole answer: the same for every setup of the model."""
    kind = case.kind
    hard = Random(f"{SEED} {case.id} hard").random()
    rng = Random(f"{SEED} {case.id} {model}")
    *first, last = case.facts
    right = hard < (FRONTIER_RIGHT if model == FRONTIER else kind.small)
    opening = f"Thank you. This is about {' and '.join(first)}.".split() if first else []
    closing = f"So the answer is {last if right else wrong(last, rng)}.".split()
    before, after = drawn(rng, kind.before), drawn(rng, kind.after)
    return [*opening, *advice(rng, before - len(opening) - len(closing)), *closing, *advice(rng, after)]


def row(case: Case, setup: Setup) -> dict[str, str | int]:
    """One recorded answer."""
    words = answer(case, setup.model)
    most = len(words) if setup.cap is None else round(setup.cap * WORDS_PER_TOKEN)
    cut = len(words) > most
    tokens = round(min(len(words), most) / WORDS_PER_TOKEN)
    prompt = PROMPT_TOKENS + Random(f"{SEED} {case.id} prompt").randint(0, 1400)
    rng = Random(f"{SEED} {case.id} {setup.name} times")
    median, spread = setup.ttft_ms
    first = median * rng.lognormvariate(0, spread)
    speed = setup.ms_per_token * rng.lognormvariate(0, 0.08)
    hit = setup.cached and Random(f"{SEED} {case.id} cache").random() < CACHE_HITS
    return {
        "id": case.id,
        "setup": setup.name,
        "model": setup.model,
        "response": " ".join(words[:most]),
        "finish_reason": "length" if cut else "stop",
        "ttft_ms": round(first),
        "latency_ms": round(first + tokens * speed),
        "prompt_tokens": prompt,
        "cached_tokens": POLICY_TOKENS if hit else 0,
        "completion_tokens": tokens,
    }


PROMPT_TOKENS, POLICY_TOKENS, CACHE_HITS = 12_910, 5_000, 0.94
"""Tokens of the shortest prompt, of its beginning that is always the same, and how often a cache still has that."""


def write(folder: Path) -> None:
    """Both files."""
    made = list(cases())
    (folder / "cases.jsonl").write_text("".join(f"{case.to_json()}\n" for case in made), encoding="utf-8")
    table = pa.Table.from_pylist([row(case, setup) for setup in SETUPS for case in made])
    with pq.ParquetWriter(folder / "responses.parquet", table.schema, compression="zstd", compression_level=19) as file:
        file.write_table(table)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
