"""Workflows: linted, pinned, without secrets where student code runs; the student's one is run as a runner would."""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.fake_github import Host, serve
from tests.fake_github.host import TOKEN

ROOT = Path(__file__).parents[1]
STUDENTS = ROOT / "tools" / "release_files" / ".github" / "workflows" / "autograding.yml"
OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = [*OURS, STUDENTS]
BIN = Path(sys.executable).parent
PINNED = re.compile(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n")
Step = dict[str, Any]


def load(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(file)
    return loaded


def steps(file: Path) -> Iterator[Step]:
    return chain.from_iterable(job["steps"] for job in load(file)["jobs"].values())


def test_every_workflow_is_one_that_github_reads() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not (BIN / "zizmor").exists(), reason="zizmor has no build for this system")
def test_zizmor_finds_no_injection_and_nothing_unpinned() -> None:
    command = [BIN / "zizmor", "--offline", "--no-progress", *WORKFLOWS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_and_untrusted_text_comes_through_the_environment(file: Path) -> None:
    text = file.read_text()
    assert len(re.findall(r"\buses:", text)) == len(PINNED.findall(text))
    for step in steps(file):
        assert "${{" not in step.get("run", "")
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    jobs = load(file)["jobs"].values()
    assert all("timeout-minutes" in job and "permissions" in {**load(file), **job} for job in jobs)


def test_no_job_that_runs_student_code_has_a_secret() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "grade.yml")["jobs"]
    with_secret = {name for name, job in jobs.items() if "${{ secrets." in json.dumps(job)}
    assert with_secret == {"collect", "publish"}
    for name in with_secret:
        commands = " ".join(step.get("run", "") for step in jobs[name]["steps"])
        assert "grader batch" not in commands
        assert "grader grade" not in commands
        for step in jobs[name][
            "steps"
        ]:  # nothing of a job with student code comes where the code is that has the token
            used, given = str(step.get("uses", "")), step.get("with", {})
            assert "cache" not in given
            assert not used.startswith("actions/download-artifact@") or given["path"] in ("collected/", "graded/")
    assert jobs["grade"]["permissions"] == {"contents": "read"}
    assert "env" not in load(ROOT / ".github" / "workflows" / "ci.yml")


def test_the_students_workflow_has_the_names_that_score_readers_look_for() -> None:
    workflow = load(STUDENTS)
    assert workflow["name"] == "Autograding Tests"
    assert list(workflow["jobs"]) == ["run-autograding-tests"]
    assert workflow["permissions"] == {"contents": "read"}
    commands = [step["run"] for step in steps(STUDENTS) if "GITHUB_TOKEN" in json.dumps(step.get("env", {}))]
    assert commands == ["python .github/scripts/count_pushes.py results/pushes.json"]
    assert "${{ secrets" not in STUDENTS.read_text()


def test_the_scripts_of_our_workflows_are_sound_shell() -> None:
    for script in ("sandbox.sh", "update_templates.sh"):
        subprocess.run(["sh", "-n", ROOT / ".github" / "scripts" / script], check=True)


@pytest.mark.parametrize(
    ("now", "sheet"),
    [
        ("2027-01-18T22:59:00+00:00", ""),  # the last second of its last late day
        ("2027-01-18T22:59:01+00:00", "late"),
        ("2027-01-19T22:59:00+00:00", "late"),
        ("2027-01-19T22:59:01+00:00", ""),
    ],
)
def test_a_sheet_is_graded_in_the_night_after_its_last_late_day_and_in_no_other(
    now: str, sheet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = "due = 2027-01-16T23:59:00+01:00\n"
    for name, text in (("late", f"{due}[rules.late]\nat_most_days = 2\n"), ("strict", due), ("practice", "")):
        tmp_path.joinpath("sheets", name).mkdir(parents=True)
        tmp_path.joinpath("sheets", name, "sheet.toml").write_text(text)
    monkeypatch.syspath_prepend(str(ROOT / ".github" / "scripts"))
    found = importlib.import_module("due").over_since(tmp_path / "sheets", datetime.fromisoformat(now))
    assert "".join(found) == sheet


def test_template_repositories_get_one_commit_for_each_change_and_none_without(tmp_path: Path) -> None:
    course, owner = tmp_path / "course", tmp_path / "host" / "owner"
    names = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **dict.fromkeys(names, "a@b")}
    told = {"TEMPLATE_OWNER": "owner", "TEMPLATE_TOKEN": "t", "GITHUB_ACTOR": "ada", "TAG": "v1"}

    def git(*words: str, folder: Path = course) -> str:
        done = subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    def update() -> str:
        done = subprocess.run(
            [ROOT / ".github" / "scripts" / "update_templates.sh"],
            cwd=course, env={**environment, **told, "GITHUB_SERVER_URL": f"file://{tmp_path}/host"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"

    course.joinpath("student", "vae").mkdir(parents=True)
    course.joinpath("student", "vae", "a.py").write_text("1")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "one")
    assert "does not appear to be a git repository" in update()
    owner.mkdir(parents=True)
    git("init", "-q", "--bare", "-b", "main", "vae", folder=owner)
    assert [update(), update()] == ["vae: v1\n", "vae: nothing changed\n"]
    course.joinpath("student", "vae", "a.py").write_text("2")
    git("commit", "-qam", "two")
    assert update() == "vae: v1\n"
    assert git("show", "main:a.py", folder=owner / "vae") == "2"
    assert git("rev-list", "--count", "main", folder=owner / "vae") == "2\n"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with serve(tmp_path / "host") as running:
        yield running


class Run:
    """What a run of the workflow left: each step's status, the log, the summary, the outputs, Classroom 50's file."""

    def __init__(self, folder: Path, files: Path, host: Host) -> None:
        files.mkdir()
        self.statuses: dict[str, int] = {}
        self.log = ""
        environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(files),
            "OMP_NUM_THREADS": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": host.api_url,
            "GITHUB_SERVER_URL": host.url,
            "GITHUB_REPOSITORY": "course/class-sums-ada",
            "GITHUB_ACTOR": "ada",
            "GITHUB_SHA": "1234567" + 33 * "0",
            "GITHUB_RUN_ID": "42",
            "RUNNER_TEMP": str(files),
            **{name: str(files / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")},
        }
        expressions = {"github.token": TOKEN, "vars.CLASSROOM": "class", "vars.ASSIGNMENT": "sums"}
        failed = False
        for step in steps(STUDENTS):
            if (
                "run" not in step
                or "pip install" in step["run"]
                or (failed and "!cancelled()" not in step.get("if", ""))
            ):
                continue
            given = {name: _filled_in(value, expressions) for name, value in step.get("env", {}).items()}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=folder, env={**environment, **given}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.statuses[step["name"]] = done.returncode
            self.log += done.stdout + done.stderr
            failed = failed or done.returncode != 0
        self.summary = (files / "GITHUB_STEP_SUMMARY").read_text()
        self.outputs = dict(line.split("=", 1) for line in (files / "GITHUB_OUTPUT").read_text().splitlines())
        self.result = json.loads((folder / "results" / "result.json").read_text())

    def obeyed(self) -> list[str]:
        """The commands that the runner obeys: those outside of stop-commands."""
        commands, token = [], None
        for line in self.log.splitlines():
            if token is None and line.startswith("::stop-commands::"):
                token = line.removeprefix("::stop-commands::")
            elif line == f"::{token}::":
                token = None
            elif token is None and line.startswith("::"):
                commands.append(line)
        return commands


def _filled_in(value: str, expressions: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: expressions[match[1]], value)


def test_a_good_submission_gets_its_points_its_pushes_and_no_error(
    submit: Callable[..., Path], host: Host, tmp_path: Path
) -> None:
    repository = host.create("course/class-sums-ada")
    for day in (1, 2, 3):
        repository.push(f"2027-01-0{day}T00:00:00Z", {"a.py": f"{day}"})
    repository.push("2027-01-03T00:00:00Z", {"a.py": ""}, branch="dev")
    repository.push("2027-01-04T00:00:00Z", {"a.py": "4"}, actor="github-classroom[bot]")
    run = Run(
        submit(add="# The sum.\nreturn a + b", noise="# Draws.\nreturn torch.randn(n) * scale"), tmp_path / "f", host
    )
    assert set(run.statuses.values()) == {0}, run.log
    assert "Pushes to `main`: 2 so far, 3 are free." in run.summary
    assert "gaps are still open" not in run.summary
    assert "| 1 Adding | 3 of 3 |" in run.summary
    assert run.obeyed() == [
        "::notice title=Autograding complete::Points 4/3",
        '::notice title=Autograding report::{"totalPoints":4,"maxPoints":3}',
        "::notice title=Pushes to main::2 so far, 3 are free",
    ]
    old = json.loads(base64.b64decode(run.outputs["result"]))
    assert (old["status"], [test["score"] for test in old["tests"]]) == ("pass", [3, 1])
    assert (run.result["owner"], run.result["score"], run.result["max-score"]) == ("ada", 400, 400)
    assert TOKEN not in run.log


@pytest.mark.parametrize(
    ("count", "rule", "said"),
    [
        (4, {}, "4 so far"),
        (3, {"limit": 3, "deduct": "1"}, "3 so far, 3 are free"),
        (4, {"limit": 3, "deduct": "1"}, "4 so far, 3 are free: that costs 1 point"),
        (9, {"limit": 1, "deduct": "0.5", "at_most": "2.5"}, "9 so far, 1 is free: that costs 2.5 points"),
    ],
)
def test_what_pushes_cost_is_said(count: int, rule: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(STUDENTS.parents[1] / "scripts"))
    results = importlib.import_module("results")
    for complete, more in ((True, ""), (False, "; GitHub's log is not complete")):
        pushes = {"branch": "main", "count": count, "complete": complete}
        assert results.Results("", [], [], [], pushes, rule, []).pushes_in_words == said + more


def test_an_optional_task_that_nobody_began_is_no_failure(
    submit: Callable[..., Path], host: Host, tmp_path: Path
) -> None:
    folder = submit(noise="# Draws.\nreturn torch.randn(n) * scale")
    sheet = folder / ".gapgrade" / "sheet.json"
    content = json.loads(sheet.read_text())
    content["tasks"][0]["bonus"] = True
    sheet.write_text(json.dumps(content))
    run = Run(folder, tmp_path / "f", host)
    assert set(run.statuses.values()) == {0}, run.log
    assert not [line for line in run.obeyed() if line.startswith("::error")]
    assert "1 more belongs to optional tasks with open gaps." in run.summary
    assert "| 1 Adding (bonus) | 0 of 3 |" in run.summary


def test_a_bad_and_hostile_submission_is_red_and_commands_nothing(
    submit: Callable[..., Path], host: Host, tmp_path: Path
) -> None:
    forged = "::notice title=Autograding complete::Points 99/3"
    folder = submit(add=f'print("{forged}")\nraise ValueError("<b>x</b> @all [a](http://x)\\n::set-env::")')
    (folder / "mess.py").write_text("x=1\n")
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", 'raise NotImplementedError("TODO sums 9")']}
    (folder / "work.ipynb").write_text(json.dumps({"cells": [cell]}))
    run = Run(folder, tmp_path / "f", host)
    assert [name for name, status in run.statuses.items() if status] == ["Run the public tests", "Check the style"]
    assert forged not in run.obeyed()
    kinds = [line.split(" ")[0] for line in run.obeyed()]
    assert kinds == ["::error", "::warning", "::notice", "::notice"]
    assert run.obeyed()[0].startswith("::error file=tests/test_adding.py,title=a sum is symmetric::ValueError")
    assert run.obeyed()[1].startswith("::warning file=mess.py,line=1,col=2,title=style::E225")
    assert "Points 0/3" in run.obeyed()[2]
    assert "2 gaps are still open: sums 2, sums 9." in run.summary
    assert "so far" not in run.summary  # the log of a repository that is not there cannot be read
    for part in ("<b>", "@all", "](http"):
        assert part not in run.summary
