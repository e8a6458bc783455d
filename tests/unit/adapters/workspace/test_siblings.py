from __future__ import annotations

from pathlib import Path

import pytest
from build_workspace import write_workspace
from malformed import read

from triaxis.errors import InputFaults


def test_two_evaluations_may_not_share_a_reports_folder(tmp_path: Path) -> None:
    write_workspace(tmp_path)
    (tmp_path / "second.yaml").write_text((tmp_path / "evaluation.yaml").read_text())
    with pytest.raises(InputFaults) as caught:
        read(tmp_path)
    fault = caught.value.faults[0]
    assert (fault.file, fault.field) == ("evaluation.yaml", "reports")
    assert "second.yaml writes into the same" in fault.problem


def test_an_evaluation_with_a_folder_of_its_own_is_no_fault(tmp_path: Path) -> None:
    write_workspace(tmp_path)
    (tmp_path / "second.yaml").write_text((tmp_path / "evaluation.yaml").read_text() + "reports: reports/second\n")
    (tmp_path / "other.yaml").write_text("steps: [1]\n")
    (tmp_path / "broken.yaml").write_text("a: [\n")
    assert read(tmp_path).reports == "reports"
