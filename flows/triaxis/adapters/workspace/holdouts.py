"""What one evaluation holds out of a dataset to confirm a choice, no other evaluation may look at to choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from triaxis.adapters.workspace.findings import Place
from triaxis.adapters.workspace.read_evaluation import split_of
from triaxis.adapters.workspace.siblings import others, same_path
from triaxis.adapters.workspace.tree import Node
from triaxis.adapters.workspace.wire_evaluation import WireSplit
from triaxis.domain.case import Case
from triaxis.domain.looks import Split
from triaxis.rules.gating.looks import side_of

_PATH = ("dataset", "split")
_DRAWN_BY = ("holdout", "by", "seed")
"""Keys of a split that say which cases are held out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutCheck:
    """One evaluation against its siblings over the same dataset.

    Where two files part it differently, some cases that one holds out are looked at by the other, and confirm nothing:
    a fault in both files, since whoever relies on it would ship on evidence that is none. A file that looks at the
    whole dataset may do so after the confirmation, or for another purpose: it is only noted.
    """

    place: Place
    """Of the evaluation."""
    root: Path
    config: str
    dataset: str
    """The path of the dataset."""
    split: Split | None
    """The side of it that is looked at; all of it where it is None."""
    cases: Sequence[Case]
    """All of them."""

    def run(self) -> None:
        """Adds what is found to the place's findings."""
        for name, tree in others(self.root, self.config):
            dataset = tree.child("dataset")
            if dataset is None or not same_path(_path_of(dataset), self.dataset):
                continue
            node = dataset.child("split")
            if node is None:
                self._note_whole(self.split, who=name, holds=self.config)
            elif (other := _split(node)) is not None:
                self._compare(name, node.line, other)

    def _compare(self, name: str, line: int, other: Split) -> None:
        if self.split is None:
            self._note_whole(other, who=self.config, holds=name)
        elif self.split.use != other.use:
            self._check_apart(self.split, other, f"{name} (line {line})")

    def _check_apart(self, mine: Split, other: Split, name: str) -> None:
        here, there = ({case.id for case in side_of(self.cases, split)} for split in (mine, other))
        both, held = len(here & there), len(here if mine.use == "holdout" else there)
        if not both:
            return
        if mine.use == "holdout":
            problem = f"{name} looks at {both:,} of the {held:,} cases that are held out here"
        else:
            problem = f"{both:,} of the {held:,} cases that {name} holds out are looked at here"
        key = next((key for key in _DRAWN_BY if getattr(mine, key) != getattr(other, key)), _DRAWN_BY[0])
        advice = f"Give both files one `holdout`, `by` and `seed`; here {_said(mine)}, there {_said(other)}."
        self.place.fault((*_PATH, key), f"{problem}, so that they confirm nothing", advice)

    def _note_whole(self, split: Split | None, *, who: str, holds: str) -> None:
        if split is not None and split.use == "holdout":
            self.place.findings.note(
                f"{who} looks at all of {self.dataset}, what {holds} holds out among it: that confirms no choice "
                f"which was made on {who}."
            )


def _path_of(dataset: Node) -> str:
    node = dataset.child("path") or dataset
    return node.value if isinstance(node.value, str) else ""


def _split(node: Node) -> Split | None:
    """The split that another file asks for; None where it is unsound, which that file's own check tells."""
    try:
        return split_of(WireSplit.model_validate(node.plain()))
    except ValidationError:
        return None


def _said(split: Split) -> str:
    return f"{{holdout: {split.holdout:g}, by: [{', '.join(split.by)}], seed: {split.seed}}}"
