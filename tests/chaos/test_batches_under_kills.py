"""`triaxis generate` in provider batches, killed at random moments: the books agree with the provider's ledger."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from batch_mixes import HANG_S, MODELS, Mix, a_mix
from batch_trials import Stock, tried
from chaos_workspace import LIMITS, Workspace
from kill_moments import Moment, moments, sights, when

DEFECTIVE = (sys.executable, str(Path(__file__).with_name("defective.py")))
SEEDS = {"metadata": 80, "file_name": 50, "none": 40}
"""Seeds by how a batch whose id was never heard is found again."""
QUICK = {"metadata": 5, "file_name": 7, "none": 3}
"""The seeds of every day; the others belong to the long runs."""


def seeded() -> list[object]:
    """Every seed of every kind."""
    return [
        pytest.param(find, seed, marks=() if seed == QUICK[find] else pytest.mark.chaos)
        for find, count in SEEDS.items()
        for seed in range(count)
    ]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return Stock(folder=tmp_path_factory.mktemp("stock"))


@pytest.mark.parametrize(("find", "seed"), seeded())
def test_a_killed_buyer_of_batches_pays_once_and_its_books_agree(
    find: str, seed: int, tmp_path: Path, stock: Stock
) -> None:
    rng = random.Random(f"batches {find} {seed}")
    mix, pays_again = a_mix(rng, find=find, seed=f"{find} {seed}"), rng.random() < 0.2
    sys.stdout.write(f"{mix}\n")

    def drawn(workspace: Workspace, ledger: Path, length_s: float) -> Sequence[Moment]:
        return moments(rng, workspace, ledger, length_s)

    found, buyer = tried(tmp_path, mix, stock, drawn, pays_again=pays_again)
    sys.stdout.write(f"{buyer.told()}\n")
    assert found == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One thing that goes wrong, and nothing else."""

    find: str = "metadata"
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the provider."""
    sight: str = ""
    """Seen for the first time, the run is killed."""

    @property
    def mix(self) -> Mix:
        """As seeds draw it."""
        vendor = "anthropic" if self.find == "none" else "openai"
        limits = {**LIMITS, "batch_rows": 14, "total_timeout_s": 3.0 if vendor == "anthropic" else 0.8}
        said = {"find": self.find, "hang-s": str(HANG_S), "polls": "1", "at-most": "1", "seed": "1", **self.options}
        options = [word for name, value in said.items() for word in (f"--{name}", value)]
        return Mix(models=MODELS[vendor][:1], limits=limits, delivery={"transport": "batch"}, options=options)

    def moments(self, workspace: Workspace, ledger: Path, length_s: float) -> Sequence[Moment]:
        """One kill, or none."""
        del length_s
        return [when(sights(workspace, ledger)[self.sight], 1)] if self.sight else []


UNHEARD = Scene(options={"calls": "create.hang=1"}, sight="accepted")
"""The provider has a batch, and the run is killed before it can hear of it."""
SCENES: Mapping[str, Scene] = {
    "unheard, found by metadata": UNHEARD,
    "unheard, found by its file": replace(UNHEARD, find="file_name"),
    "unheard, and not to be found": replace(UNHEARD, find="none"),
    "lost, and not to be found": Scene(find="none", options={"calls": "create.lost=1"}),
    "never accepted": Scene(options={"calls": "upload.hang=1"}, sight="intended"),
    "killed before the intention": Scene(sight="named"),
    "killed on the way": Scene(options={"polls": "4"}, sight="submitted"),
    "killed with results": Scene(options={"calls": "content.truncated=0.5"}, sight="fetched"),
    "killed while sealing": Scene(sight="paid"),
    "killed when all is sealed": Scene(sight="sealed"),
    "killed at the end": Scene(sight="closed"),
    "lines twice": Scene(options={"rows": "twice=0.2"}),
    "error lines": Scene(options={"rows": "busy=0.1,broken=0.1"}),
    "lines that are not there": Scene(options={"rows": "missing=0.1"}),
    "expired": Scene(options={"batches": "expired=0.4"}),
}
QUICK_SCENES = ("unheard, found by metadata", "lines twice")
"""Those of every day; the others belong to the long runs, as most defects do."""


@pytest.mark.parametrize(
    "scene", [pytest.param(scene, marks=() if scene in QUICK_SCENES else pytest.mark.chaos) for scene in SCENES]
)
def test_one_thing_that_goes_wrong_is_set_right(scene: str, tmp_path: Path, stock: Stock) -> None:
    found, buyer = tried(tmp_path, SCENES[scene].mix, stock, SCENES[scene].moments)
    assert found == []
    assert buyer.kills == bool(SCENES[scene].sight)
    assert bool(buyer.stops) == ("not to be found" in scene)


def long(defect: str, scene: str) -> object:
    """A defect of the long runs."""
    return pytest.param(defect, scene, marks=pytest.mark.chaos)


@pytest.mark.parametrize(
    ("defect", "scene"),
    [
        ("sealed_twice", "lines twice"),
        long("never_looks", "unheard, found by metadata"),
        long("never_looks", "unheard, and not to be found"),
        long("never_looks", "lost, and not to be found"),
        long("late_intention", "unheard, found by metadata"),
        long("forgotten", "killed on the way"),
        long("dropped_failures", "error lines"),
        long("unread_is_free", "lines that are not there"),
        long("unmarked", "lines twice"),
        long("uncleared", "killed before the intention"),
    ],
)
def test_the_audit_notices_a_broken_promise(defect: str, scene: str, tmp_path: Path, stock: Stock) -> None:
    found, _ = tried(tmp_path, SCENES[scene].mix, stock, SCENES[scene].moments, program=(*DEFECTIVE, defect))
    sys.stdout.write(f"{found[:3]}\n")
    assert found
