"""gate, accept and compare by the real commands, on a workspace in git and DVC whose answers are all imported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from build_desk import CASES, answers, responses, rewritten, some_cases, write_desk
from build_imports import lines
from build_workspace import write_workspace
from junit_reading import read_junit
from provider_process import RunningProvider
from workspace_run import Done, Project, made_once, versioned

from triaxis.wiring import wire

SLO = "rubrics/desk/slo.yaml"
FUTURE = "2099-01-31"
OPEN = ("baseline.precision.resolution", "precision.resolution")


@pytest.fixture(scope="session")
def decided(made: Path, provider: RunningProvider, home: Path) -> Project:
    """Evaluated and committed; to be copied, not changed."""

    def make(root: Path) -> None:
        project = Project(root=write_desk(root), provider=provider, home=home)
        versioned(project)
        assert project.run()["verdicts"] == {"capped": "promote", "small": "hold"}
        commit(project, "evaluate")

    return Project(root=made_once(made / "desk", make), provider=provider, home=home)


@pytest.fixture
def desk(decided: Project, tmp_path: Path) -> Project:
    return decided.copied(tmp_path / "desk")


def commit(project: Project, message: str) -> None:
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("add", "-A"), ("commit", "-qm", message)):
        done = project.command(*git, *words)
        assert done.code == 0, done.out + done.err


def card(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "reports/scorecard.json").read_text())


def accept(project: Project, variant: str, *words: str) -> Done:
    return project.triaxis("accept", variant, "--by", "Ann Lee", "--because", "agreed", *words)


def test_other_objectives_judge_stored_evidence_and_change_nothing(desk: Project) -> None:
    """The verdict is that of a run under them; until then nothing is written and nobody is called."""
    text = (desk.root / SLO).read_text()
    (desk.root / "loose.yaml").write_text(text.replace("min: 0.90", "min: 0.50").replace("min: 0.80", "min: 0.50"))
    before, billed = desk.reports(), len(desk.provider.bills())
    strict = desk.triaxis("gate", "big", "--json").json
    assert strict["verdict"] == "hold"
    said = desk.triaxis("gate", "small", "capped", "--slo", "loose.yaml", "--json")
    assert said.json["stored"] == {"id": card(desk)["id"], "verdicts": {"small": "hold", "capped": "promote"}}
    assert [(c["kind"], c["what"]) for c in said.json["slo_changes"]] == [
        ("loosened", "precision.resolution"),
        ("loosened", "precision.resolution[kind=policy]"),
    ]
    assert (desk.reports(), len(desk.provider.bills())) == (before, billed)
    shutil.copy(desk.root / "loose.yaml", desk.root / SLO)
    assert desk.run()["id"] == said.json["id"]
    verdicts = {v["variant"]: v["verdict"] for v in said.json["variants"]}
    assert verdicts == {name: card(desk)["variants"][name]["verdict"] for name in ("small", "capped")}


def test_a_verdict_under_other_objectives_is_the_exit_code(desk: Project) -> None:
    text = (desk.root / SLO).read_text()
    (desk.root / "loose.yaml").write_text(text.replace("2500", "9000").replace("0.015", "0.5"))
    assert desk.triaxis("gate", "big").code == 3
    done = desk.triaxis("gate", "big", "--slo", "loose.yaml")
    assert done.code == 0
    assert "by the stored objectives (scorecard " in done.out
    assert "  loosened  latency.full.p95: target from 2,500 ms to 9,000 ms" in done.out.splitlines()
    assert "the objectives are the same" in desk.triaxis("gate", "big", "--slo", SLO).out


def test_faults_of_other_objectives_are_told_with_their_lines(desk: Project) -> None:
    text = (desk.root / SLO).read_text()
    (desk.root / "bad.yaml").write_text(text.replace("resolution, min: 0.90", "reso, min: 0.90").replace("policy", "x"))
    done = desk.triaxis("gate", "small", "--slo", "bad.yaml")
    assert (done.code, done.out) == (2, "")
    assert "bad.yaml:9 precision.0.dimension: the rubric has no dimension 'reso'" in done.err
    assert "bad.yaml:10 precision.1.where.kind: no case has kind 'x'" in done.err
    assert desk.triaxis("gate", "small", "--slo", "none.yaml").code == 2


def test_evidence_of_another_scorecard_judges_nothing(desk: Project) -> None:
    rewritten(desk.root, SLO, ("0.90", "0.91"))
    desk.succeed("prepare")
    done = desk.triaxis("gate", "small", "--slo", SLO)
    assert (done.code, done.out) == (2, "")
    assert f"the evidence here is not that of scorecard {card(desk)['id']} (slo_sha256)" in done.err


def test_other_answers_to_the_same_inputs_are_other_evidence(desk: Project) -> None:
    """The inputs are the scorecard's, and its rows are not: one answer was imported anew, and not decided on."""
    file = "datasets/desk/small.jsonl"
    rewritten(desk.root, file, ('"response": "no"', '"response": "yes"'))
    before = card(desk)
    for stage in ("prepare", "generate", "judge"):
        desk.succeed(stage)
    done = desk.triaxis("gate", "small", "--slo", SLO)
    assert (done.code, done.out) == (2, ""), done.err
    assert f"the evidence here is not that of scorecard {before['id']} (evidence_sha256)" in done.err
    assert "`dvc checkout`" in done.err
    assert desk.triaxis("gate", "small").code == 3  # the stored verdict needs no evidence
    (desk.root / "reports/evidence/judgments.parquet").unlink()
    assert desk.triaxis("gate", "small", "--slo", SLO).code == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gate", "nosuch", "--slo", "bad.yaml"), ("no variant 'nosuch'", "bad.yaml:9 precision.0.dimension: ")),
        (("gate", "../../x", "çapped"), ("no variant '../../x'", "no variant 'çapped'")),
        (("gate", "a" * 500), (f"no variant '{'a' * 60}'",)),
        (("gate", "small", "--slo", "."), ("--slo: 'desk' is a folder, not a file",)),
        (("gate", "small", "--slo", "/"), ("is a folder, not a file",)),
        (("gate", "small", "--format", "junit", "--output", "no/such.xml"), ("'no/such.xml' cannot be written",)),
        (("compare", "none.yaml", "gone.yaml"), ("no file 'none.yaml'", "no file 'gone.yaml'")),
        (("compare", "../../x", "b" * 500), ("'../../x' is no variant", f"'{'b' * 60}' is no variant")),
        (("reprice", "--prices", "none.yaml", "--scorecard", "../x"), ("no file 'none.yaml'", "begin with '../x'")),
        (("reprice", "--prices", "/"), ("is a folder, not a file",)),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_unkind_words_are_told_of_all_at_once(desk: Project, words: tuple[str, ...], says: tuple[str, ...]) -> None:
    """One fault a line, no traceback, and nothing written."""
    text = (desk.root / SLO).read_text()
    (desk.root / "bad.yaml").write_text(text.replace("resolution, min: 0.90", "reso, min: 0.90"))
    before = desk.reports()
    done = desk.triaxis(*words)
    assert (done.code, done.out) == (2, "")
    assert all(text in done.err for text in says), done.err
    assert "Traceback" not in done.err
    assert max(map(len, done.err.splitlines())) < 400
    assert desk.reports() == before


def test_a_step_summary_that_cannot_be_written_is_told(desk: Project) -> None:
    gone = {"GITHUB_STEP_SUMMARY": str(desk.root / "no/summary.md")}
    done = desk.triaxis("gate", "small", "--format", "github", env=gone)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("GITHUB_STEP_SUMMARY: ") or "\nGITHUB_STEP_SUMMARY: " in done.err


def test_reports_for_ci(desk: Project) -> None:
    done = desk.triaxis("gate", "small", "capped", "--format", "junit", "--output", "gate.xml")
    assert (done.code, done.out.splitlines()[0]) == (3, "small: hold")
    root = read_junit((desk.root / "gate.xml").read_text())
    assert [suite.attrib["name"] for suite in root] == ["desk.small", "desk.capped"]
    summary = desk.root / "summary.md"
    summary.write_text("before\n")
    github = desk.triaxis("gate", "small", "--format", "github", env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert github.code == 3
    assert github.out.startswith("::error title=small hold::small: hold. ")
    markdown = desk.triaxis("gate", "small", "--format", "markdown")
    assert summary.read_text() == f"before\n{markdown.out}"
    assert markdown.out.startswith("<!-- triaxis-gate desk -->\n### small: hold\n")
    assert desk.triaxis("gate", "small", "--format", "json").json == desk.triaxis("gate", "small", "--json").json


def test_a_variant_that_is_held_is_not_accepted(desk: Project) -> None:
    before = desk.reports()
    done = accept(desk, "small")
    assert (done.code, done.out) == (3, "")
    assert all(name in done.err for name in OPEN)
    bad = accept(desk, "small", "--waive", "precision.resolutoin", "--until", "2020-01-01")
    assert (bad.code, bad.err.count("--until: "), bad.err.count("--waive: ")) == (2, 1, 1)
    assert desk.reports() == before


def test_a_waiver_stands_beside_the_verdict_and_changes_nothing(desk: Project) -> None:
    """And a second decision leaves the first in its place."""
    blocked = [line.split(":")[0].strip() for line in accept(desk, "small").err.splitlines()[1:-1]]
    waive = [word for name in blocked for word in ("--waive", name)]
    done = accept(desk, "small", *waive, "--until", FUTURE, "--json")
    assert (done.code, done.json["verdict"]) == (0, "hold")
    gate = desk.triaxis("gate", "small", "--json")
    assert (gate.code, gate.json["verdict"]) == (3, "hold")
    assert [w["objective"] for w in gate.json["waivers"]] == sorted(blocked)
    accept(desk, "capped")
    record = json.loads((desk.root / done.json["decision"]).read_text())
    assert [(d["variant"], len(d["waivers"])) for d in record["decisions"]] == [("small", len(blocked)), ("capped", 0)]
    assert record["decisions"][0]["rejected"][1]["reasons"] == [
        f"It can ship as well; its composite is {composite(desk, 'capped')}, that of small {composite(desk, 'small')}."
    ]
    assert desk.run()["stages"] == []


def composite(project: Project, variant: str) -> str:
    return f"{card(project)['variants'][variant]['axes']['composite']:.3f}"


def test_targets_loosened_since_the_last_promotion_are_loud(desk: Project) -> None:
    accepted = card(desk)["id"]
    assert accept(desk, "capped").code == 0
    rewritten(desk.root, SLO, ("max_ms: 2500", "max_ms: 9000"))
    warning = (
        f"WARNING: latency.full.p95 was loosened since scorecard {accepted} was accepted: "
        "target from 2,500 ms to 9,000 ms."
    )
    for words in (("run",), ("gate", "capped"), ("show",)):
        assert warning in desk.triaxis(*words).err.splitlines()
    assert desk.triaxis("gate", "capped", "--json").json["loosened"][0]["what"] == "latency.full.p95"


def test_looks_are_counted_alike_everywhere(desk: Project, tmp_path: Path) -> None:
    """By a run and by a repro, in a fresh clone, and after going back; nothing runs again where nothing changed."""
    first = card(desk)
    assert first["looks"] == {"datasets": 1, "variants": 2}
    cases = desk.root / "datasets/desk/cases.jsonl"
    before = cases.read_text()
    cases.write_text(lines(some_cases(CASES, c003="no")))
    clone = desk.copied(tmp_path / "clone")
    ran = desk.run()
    assert card(desk)["looks"] == {"datasets": 2, "variants": 2}
    repro = clone.command("dvc", "repro")
    assert repro.code == 0, repro.out + repro.err
    assert clone.reports() == desk.reports()
    assert (desk.run()["stages"], clone.run()["stages"]) == ([], [])
    commit(desk, "another look")
    fresh = desk.cloned(tmp_path / "fresh")
    assert fresh.run()["id"] == ran["id"]
    cases.write_text(before)
    assert desk.run()["id"] == first["id"]
    assert card(desk) == first


def test_compare_finds_the_one_change_that_turned_a_verdict(desk: Project) -> None:
    """Objectives, answers and cases change between two scorecards; only the answers turn `small`."""
    old = card(desk)["id"]
    rewritten(desk.root, SLO, ("max_ms: 2500", "max_ms: 9000"))
    responses(desk.root, "small", answers("small", wrong_every=60))
    (desk.root / "datasets/desk/cases.jsonl").write_text(lines(some_cases(CASES, c003="no")))
    new = desk.run()
    assert new["verdicts"]["small"] == "promote"
    found = desk.triaxis("compare", old[:6], new["id"], "--json").json
    assert found["cases"] == {"common": CASES - 1, "added": [], "removed": [], "altered": ["c003"]}
    assert [(c["cause"], c["what"]) for c in found["changes"]] == [("objectives", "latency.full.p95")]
    pairs = {pair["before"]: pair for pair in found["pairs"]}
    assert pairs["small"]["verdicts"] == ["hold", "promote"]
    assert pairs["small"]["causes"] == ["answers"]
    assert pairs["small"]["differences"]["precision.resolution"]["verdict"] == "better"
    assert (pairs["capped"]["alike"], pairs["capped"]["differences"]) == (True, {})
    text = desk.triaxis("compare", f"{old}:small", "small").out
    assert "So this alone is enough to take small from hold to promote: the other variants, answers" in text


def test_compare_scores_old_answers_by_a_new_rubric(desk: Project) -> None:
    """Where no judge is needed; `small` says "Yes" where another rubric wants "yes"."""
    old = card(desk)["id"]
    rewritten(desk.root, "rubrics/desk/rubric.yaml", ("casefold", "none"))
    assert desk.run()["verdicts"]["capped"] != "promote"
    found = desk.triaxis("compare", old, card(desk)["id"], "--json").json
    pairs = {pair["before"]: pair for pair in found["pairs"]}
    assert pairs["capped"]["causes"] == ["rubric"]
    assert found["changes"] == [{"cause": "rubric", "what": "resolution.normalize", "words": "casefold to none"}]


def test_compare_names_judges_that_would_be_called(desk: Project) -> None:
    old = card(desk)["id"]
    rewritten(
        desk.root,
        "rubrics/desk/rubric.yaml",
        ("{evaluator: exact, normalize: casefold}", "{evaluator: exact, normalize: none}"),
    )
    with (desk.root / "rubrics/desk/rubric.yaml").open("a") as rubric:
        rubric.write(
            "  tone: {evaluator: judge, prompt: tone.md, judges: [j]}\njudges: {j: {model: openai/judge-cheap, "
        )
        rubric.write('api_base: "${PROVIDER_ADDRESS}", endpoint: bench}}\n')
    (desk.root / "rubrics/desk/tone.md").write_text(
        '[[answer {"reason": "so", "score": 1}]]\n{{ answer }} {{ input }}\n'
    )
    rewritten(desk.root, "evaluation.yaml", ("baseline: big", "prices: prices.yaml\nbaseline: big"))
    row = "{input_cost_per_token: 1.0e-6, output_cost_per_token: 2.0e-6, max_output_tokens: 100}"
    (desk.root / "prices.yaml").write_text(f"schema_version: 1\nmodels: {{openai/judge-cheap: {row}}}\n")
    # Evidence of a run that was judged is not at hand where the first is asked to be scored by its rubric.
    responses(desk.root, "capped", [{**row, "response": f"{row['response']}."} for row in answers("capped")])
    assert desk.run()["verdicts"]["capped"] == "hold"
    attempts = {a["cause"]: a for a in desk.triaxis("compare", old, card(desk)["id"], "--json").json["attempts"]}
    assert "judge calls, and nothing is called here" in attempts["rubric"]["why_not"]
    assert attempts["rubric"]["verdicts"] == {}
    assert attempts["answers"]["verdicts"]["capped"] == "hold"


def test_compare_of_two_variants_says_what_they_have_differently(desk: Project) -> None:
    done = desk.triaxis("compare", "big", "small")
    assert done.code == 0
    assert f"scorecard {card(desk)['id']}, {CASES} cases" in done.out
    assert '  variants: levers: [] to ["tiering"]' in done.out.splitlines()
    assert "big, then small: hold, then hold" in done.out


def test_compare_names_evidence_that_is_not_here_any_more(desk: Project) -> None:
    old = card(desk)["id"]
    responses(desk.root, "small", answers("small", wrong_every=60))
    desk.run()
    shutil.rmtree(desk.root / ".dvc/cache")
    done = desk.triaxis("compare", old, card(desk)["id"])
    assert (done.code, done.out) == (2, "")
    assert "reports/evidence/generations.parquet: this version of it (md5 " in done.err
    assert "`dvc fetch --all-commits` brings what a remote has" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("smal", "big"), "'smal' is no variant of the current scorecard and no archived scorecard"),
        (("big", "big"), "'big' and 'big' are the same"),
        (("ffff", "big"), "'ffff' is no variant"),
    ],
)
def test_compare_wants_two_things_that_there_are(decided: Project, words: tuple[str, str], says: str) -> None:
    done = decided.triaxis("compare", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_compare_of_two_files_of_objectives(desk: Project) -> None:
    text = (desk.root / SLO).read_text()
    (desk.root / "new.yaml").write_text(text.replace("0.90", "0.95"))
    done = desk.triaxis("compare", SLO, "new.yaml")
    assert (done.code, done.out) == (0, "  tightened  precision.resolution: target from 0.900 to 0.950\n")
    assert desk.triaxis("compare", SLO, "new.yaml", "--json").json["slo_changes"][0]["kind"] == "tightened"
    assert desk.triaxis("compare", SLO, SLO).out == "the objectives are the same\n"


def test_a_holdout_confirms_what_was_chosen_on_the_rest(desk: Project) -> None:
    split = "{path: datasets/desk/cases.jsonl, split: {holdout: 0.3, use: %s}}"
    text = (desk.root / "evaluation.yaml").read_text()
    rest = text.replace("dataset: datasets/desk/cases.jsonl", f"dataset: {split % 'rest'}")
    held = text.replace("dataset: datasets/desk/cases.jsonl", f"dataset: {split % 'holdout'}\nreports: reports/holdout")
    (desk.root / "evaluation.yaml").write_text(rest)
    confirm = "\n".join(line for line in held.splitlines() if not line.startswith("  small"))
    (desk.root / "confirm.yaml").write_text(confirm.replace("name: desk", "name: desk-holdout") + "\n")
    desk.run()
    assert desk.triaxis("run", "-c", "confirm.yaml").code == 0
    looks, other = card(desk)["looks"], json.loads((desk.root / "reports/holdout/scorecard.json").read_text())["looks"]
    assert looks["split"]["cases"] + other["split"]["cases"] == CASES
    assert (looks["datasets"], other["datasets"], other["variants"]) == (2, 1, 1)
    assert "confirm the chosen one on the holdout of 30.0%" in desk.triaxis("gate", "capped").out
    assert "This is the holdout of 30.0%, and confirms one candidate." in desk.triaxis("gate", "-c", "confirm.yaml").out


def test_deciding_needs_no_dvc(tmp_path: Path, provider: RunningProvider, home: Path) -> None:
    """Only the evidence of past scorecards does, and says so."""
    project = Project(root=write_desk(tmp_path / "plain"), provider=provider, home=home)
    old = project.run()["id"]
    assert accept(project, "capped").code == 0
    assert project.triaxis("compare", "big", "small").code == 0
    responses(project.root, "small", answers("small", wrong_every=60))
    project.run()
    done = project.triaxis("compare", old, "small")
    assert done.code == 2
    assert "Without DVC only the current evidence is kept" in done.err


def test_check_says_what_the_design_can_decide(tmp_path: Path) -> None:
    expecting = {"precision": [{"dimension": "resolution", "min": 0.5, "expected": 0.9}]}
    said = wire(write_workspace(tmp_path, slo=expecting), "evaluation.yaml").check()
    assert [line for line in said if line.startswith("precision.resolution: at the expected 0.9, 12 cases pass with")]
