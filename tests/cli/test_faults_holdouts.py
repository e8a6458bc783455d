"""Two evaluations over one dataset: what one holds out, the other may not look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_workspace import PATHS, write_workspace
from malformed import faults_of, read

DATASET = "datasets/tiny/cases.jsonl"


def split(settings: str) -> str:
    return f"dataset: {{path: {DATASET}, split: {{{settings}}}}}"


def two_evaluations(root: Path, here: str, there: str) -> Path:
    """The valid workspace, whose dataset is `here`, beside confirm.yaml, whose dataset is `there`."""
    write_workspace(root)
    file = root / PATHS["evaluation"]
    text = file.read_text()
    assert f"dataset: {DATASET}\n" in text
    file.write_text(text.replace(f"dataset: {DATASET}", here))
    confirm = text.replace(f"dataset: {DATASET}", there)
    (root / "confirm.yaml").write_text(f"{confirm}\nreports: reports/confirm\n")
    return root


def of_holdouts(root: Path) -> list[str]:
    return [notice for notice in read(root).notices if "looks at all of" in notice]


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("holdout", "holdout: 0.8, use: holdout"),
        ("seed", "holdout: 0.5, use: holdout, seed: 7"),
        ("by", "holdout: 0.5, use: holdout, by: [route]"),
    ],
)
def test_a_file_that_holds_out_otherwise_voids_the_confirmation(tmp_path: Path, key: str, other: str) -> None:
    (fault,) = faults_of(two_evaluations(tmp_path, split("holdout: 0.5, use: rest"), split(other)))
    assert (fault.file, fault.line, fault.field) == ("evaluation.yaml", 3, f"dataset.split.{key}")
    assert (
        "cases that confirm.yaml (line 3) holds out are looked at here, so that they confirm nothing" in fault.problem
    )
    assert "here {holdout: 0.5, by: [], seed: 1}, there {holdout: " in fault.advice


def test_the_other_file_is_told_as_well(tmp_path: Path) -> None:
    here, there = split("holdout: 0.5, use: holdout"), split("holdout: 0.5, use: rest, seed: 7")
    (fault,) = faults_of(two_evaluations(tmp_path, here, there))
    assert fault.problem.startswith("confirm.yaml (line 3) looks at ")
    assert "cases that are held out here" in fault.problem


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("holdout: 0.5, use: rest", "holdout: 0.5, use: holdout"),
        # What is held out of the same hashes is less, and none of it is looked at.
        ("holdout: 0.5, use: rest", "holdout: 0.3, use: holdout"),
        ("holdout: 0.5, use: rest", "holdout: 0.5, use: rest, seed: 7"),
        # It is unsound, as a check of the other file says.
        ("holdout: 0.5, use: rest", "holdout: 0.5, use: both"),
    ],
)
def test_sides_that_do_not_meet_are_sound(tmp_path: Path, here: str, there: str) -> None:
    assert not of_holdouts(two_evaluations(tmp_path, split(here), split(there)))


def test_another_dataset_is_another_matter(tmp_path: Path) -> None:
    there = split("holdout: 0.5, use: holdout, seed: 7").replace(DATASET, "datasets/tiny/other.jsonl")
    assert not of_holdouts(two_evaluations(tmp_path, split("holdout: 0.5, use: rest"), there))


@pytest.mark.parametrize("path", [DATASET, f"./{DATASET}"])
def test_a_file_that_looks_at_everything_is_noted(tmp_path: Path, path: str) -> None:
    whole = f"dataset: {path}"
    (notice,) = of_holdouts(two_evaluations(tmp_path, split("holdout: 0.5, use: holdout"), whole))
    assert notice.startswith(f"confirm.yaml looks at all of {DATASET}, what evaluation.yaml holds out among it")


def test_so_is_this_one(tmp_path: Path) -> None:
    there = split("holdout: 0.5, use: holdout")
    (notice,) = of_holdouts(two_evaluations(tmp_path, f"dataset: {DATASET}", there))
    assert notice.startswith(f"evaluation.yaml looks at all of {DATASET}, what confirm.yaml holds out among it")
