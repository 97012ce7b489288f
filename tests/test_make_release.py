"""Releases, made from miniature courses on disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader import GapgradeError
from grader.commands.exits import run_app
from grader.sheet import Rules, load_sheet
from tools import make_release as command
from tools.exercise import load_exercise, requirements, with_required
from tools.release import build_release

SUMS = '''\
"""Sums: Σ."""

from lib.given import ONE


def add(a: float, b: float) -> float:
    """The sum."""
    # START TODO (sums 1): add both numbers – „a“ and „b“.
    # Hint: think of +.

    # the secret way
    return a * ONE + b
    # END TODO


# START SOLUTION ONLY
def cheat() -> str:
    return "secret"
# END SOLUTION ONLY
'''

TEMPLATE = '''\
"""Sums: Σ."""

from lib.given import ONE


def add(a: float, b: float) -> float:
    """The sum."""
    # START TODO (sums 1): add both numbers – „a“ and „b“.
    # Hint: think of +.
    raise NotImplementedError("TODO sums 1")
    # END TODO
'''

PUBLIC_TEST = """\
from gapcheck import probe, run_alone, task


@probe
def add(a: float, b: float) -> float:
    from lib.sums import add

    return add(a, b)


@task("sums", hint="A sum of two numbers.")
def test_two_and_three_are_five() -> None:
    assert add(2, 3) == 5


@task("sums", hint="A hint.", weight=3)
def test_the_seed_is_a_number(fresh_seed: int) -> None:
    assert fresh_seed >= 0


if __name__ == "__main__":
    raise SystemExit(run_alone(__file__))
"""

HIDDEN_TEST = """\
from gapcheck import task


@task("sums", hint="Hidden hint.")
def test_of_nobodys_business() -> None:
    pass
"""

SHEET = """\
title = "Sums & co"
due = 2027-01-16T23:59:00+01:00
exercises = ["sums"]
team_size = 2

[[task]]
id = "1"
title = "Sums"
points = 2.5
tests = "sums"

[[task]]
id = "2"
title = "Why | how"
kind = "written"
points = 1
rubric = ["the rubric is for staff"]

[[task]]
id = "3"
title = "Style"
kind = "style"
points = 1
bonus = true

[rules.pushes]
limit = 3
deduct = 1
at_most = 2
"""

FILES = {
    "solutions/given/exercise.toml": 'title = "Given"\nrequirements = ["tqdm>=4"]\n',
    "solutions/given/lib/__init__.py": '"""The library of this sheet."""\n',
    "solutions/given/lib/given.py": '"""Given."""\n\nONE = 1\n',
    "solutions/given/lib/answers.py": '"""Answers."""\n# SOLUTION ONLY FILE\n',
    "solutions/sums/exercise.toml": 'title = "Sums"\nrequires = ["given"]\nrequirements = ["tqdm>=4.67"]\n',
    "solutions/sums/lib/__init__.py": '"""The library of this sheet."""\n',
    "solutions/sums/lib/sums.py": SUMS,
    "solutions/sums/answers.toml": 'x = ""\n',
    "solutions/sums/mistakes/sums.toml": "",
    "solutions/sums/reference/plot.png": "png",
    "solutions/sums/reference/unused.png": "png",
    "solutions/sums/__pycache__/x.pyc": "",
    "solutions/sums/results_1/x.txt": "",
    "tests_public/sums/test_sums.py": PUBLIC_TEST,
    "tests_hidden/sums/test_sums_hidden.py": HIDDEN_TEST,
    "sheets/mini/sheet.toml": SHEET,
    "sheets/mini/sheet.md": "# {{ sheet.title }}\n\n{{ task_table }}\n\n![](figures/plot.png)\n",
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        write(tmp_path / "course" / path, text)
    return tmp_path / "course"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


def tree(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit status of the command."""
    monkeypatch.setattr(sys, "argv", ["make_release", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        run_app(command.app)
    return int(stopped.value.code or 0)


def refusal(course: Path) -> str:
    with pytest.raises(GapgradeError) as refused:
        build_release(load_sheet("mini", course))
    assert "\n" not in str(refused.value)
    return str(refused.value)


SCRIPTS = ("annotations", "classrooms", "count_pushes", "report", "results", "summary")


def test_a_release_holds_the_stripped_exercises_and_nothing_of_the_solution(course: Path) -> None:
    release = build_release(load_sheet("mini", course))
    assert release.files["lib/sums.py"].decode() == TEMPLATE
    assert release.gaps == 1
    gapcheck = {path for path in release.files if path.startswith("gapcheck/")}
    assert {"gapcheck/__init__.py", "gapcheck/plugin.py"} <= gapcheck
    assert set(release.files) - gapcheck == {
        *(f".github/scripts/{name}.py" for name in SCRIPTS),
        *(".gapgrade/sheet.json", ".gitattributes", ".github/workflows/autograding.yml"),
        *(".gitignore", "README.md", "answers.toml", "conftest.py", "feedback.md", "figures/plot.png"),
        *("lib/__init__.py", "lib/given.py", "lib/sums.py", "requirements.txt", "runtests.bat", "runtests.sh"),
        *("setup.cfg", "tests/__init__.py", "tests/test_sums.py"),
    }
    everything = b"".join(release.files.values())
    for secret in (b"the secret way", b"cheat", b"nobodys", b"Hidden hint", b"rubric is", b"STUDENT:"):
        assert secret not in everything


def test_the_readme_tells_the_sheet_its_tasks_and_its_rules(course: Path) -> None:
    readme = build_release(load_sheet("mini", course)).files["README.md"].decode()
    assert readme.startswith("# Sums & co\n")
    assert "| 1 Sums | 2.5 | code |" in readme
    assert "| 2 Why \\| how | 1 | written |" in readme
    assert "| 3 Style | +1 | style |" in readme
    assert "python -m tests.test_sums" in readme
    assert "16 January 2027, 23:59 (UTC+01:00)" in readme
    assert "3 pushes are free on `main`; each further one costs 1 point, at most 2 points in all." in readme
    assert "You pass with 1.75 of 3.5 points (50 %)" in readme


def test_the_readme_tells_what_each_rule_costs(course: Path) -> None:
    rules = Rules.model_validate(
        {
            "pushes": {"limit": 1, "deduct": 2},
            "comments": {"deduct": "0.25", "at_most": 1},
            "late": {"per_day": "0.1", "at_most_days": 1},
            "submission_pdf": {"deduct": 1},
            "run_all": {"deduct": 0},
        }
    )
    sheet = load_sheet("mini", course).model_copy(update={"rules": rules})
    readme = build_release(sheet).files["README.md"].decode()
    assert "1 push is free on `main`; each further one costs 2 points." in readme
    assert "one without it is noted and costs 0.25 points, at most 1 point in all." in readme
    assert "for each day begun; after 1 day it counts nothing." in readme
    assert "on its first page; one that does not, or is missing, costs 1 point." in readme
    assert "A notebook runs from its first cell to its last." in readme


def test_what_the_release_needs_is_one_line_a_package(course: Path) -> None:
    lines = build_release(load_sheet("mini", course)).files["requirements.txt"].decode().splitlines()
    assert "tqdm>=4,>=4.67" in lines
    assert {"numpy", "pycodestyle", "pytest", "safetensors", "scipy", "torch", "tqdm"} == {
        line.partition("=")[0].rstrip("<>~!") for line in lines
    }


def test_the_same_course_gives_the_same_bytes(course: Path) -> None:
    first = build_release(load_sheet("mini", course)).files
    assert list(first.items()) == list(build_release(load_sheet("mini", course)).files.items())
    assert first["runtests.bat"].count(b"\r\n") == first["runtests.bat"].count(b"\n") > 3
    assert b"\r" not in first["runtests.sh"]


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("solutions/sums/lib/sums.py", SUMS.replace("# END TODO", "# End todo"), "solutions/sums/lib/sums.py:13: "),
        (
            "solutions/sums/lib/given.py",
            "ONE = 2\n",
            "lib/given.py comes from exercise 'given' and from exercise 'sums'",
        ),
        ("solutions/sums/README.md", "mine", "README.md comes from"),
        ("solutions/sums/lib/left.py", "x = 1  # SOLUTION ONLY\n", "lib/left.py of the release still"),
        ("solutions/sums/notes.txt", "START SOLUTION ONLY\n", "notes.txt of the release still says SOLUTION ONLY"),
        (
            "solutions/sums/exercise.toml",
            'title = ""\nrequire = []\n',
            "exercise.toml:2: unknown key 'require'; did you mean",
        ),
        (
            "solutions/sums/exercise.toml",
            'title = ""\nrequires = "given"\n',
            ":2: 'requires' must be a list of strings",
        ),
        ("solutions/sums/exercise.toml", 'title = ""\nrequires = ["givn"]\n', "did you mean 'given'?"),
        (
            "solutions/sums/exercise.toml",
            'title = ""\nshare_process = 1\n',
            ":2: 'share_process' must be true or false",
        ),
        (
            "solutions/given/exercise.toml",
            'title = ""\nrequires = ["sums"]\n',
            "sums -> given -> sums require each other",
        ),
        ("solutions/given/exercise.toml", 'title = ""\nrequirements = ["torch==1.0"]\n', "agree on one version"),
        ("solutions/given/exercise.toml", 'title = ""\nrequirements = ["-r x.txt"]\n', "'-r x.txt' is not of the form"),
        ("sheets/mini/sheet.md", "# T\n\n{{ titel }}\n", "sheets/mini/sheet.md:3: 'titel' is undefined"),
        ("sheets/mini/sheet.md", "# T\n{% if %}\n", "sheets/mini/sheet.md:2: "),
        ("sheets/mini/sheet.md", "\n![](figures/none.png)\n", "sheets/mini/sheet.md:2: no reference/none.png"),
    ],
)
def test_a_course_that_cannot_be_released_is_refused_with_the_place(
    course: Path, path: str, text: str, words: str
) -> None:
    write(course / path, text)
    assert words in refusal(course)


def test_the_answers_of_two_exercises_become_one_file(course: Path) -> None:
    write(course / "solutions/given/answers.toml", '# One.\n[given.q1]\na = ""')
    write(course / "solutions/sums/answers.toml", '\n# Two.\n[sums]\nx = ""\n\n')
    joined = build_release(load_sheet("mini", course)).files["answers.toml"].decode()
    assert joined == '# One.\n[given.q1]\na = ""\n\n# Two.\n[sums]\nx = ""\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sums]\ny = 1\n", "given/answers.toml and solutions/sums/answers.toml both have the table [sums]; rename"),
        ('y = ""\n', "solutions/given/answers.toml: 'y' stands outside all tables; name one above it"),
        ("[given\n", "solutions/given/answers.toml: "),
    ],
)
def test_answers_that_do_not_go_together_are_refused_by_their_files(course: Path, text: str, words: str) -> None:
    write(course / "solutions/given/answers.toml", text)
    write(course / "solutions/sums/answers.toml", '[sums]\nx = ""\n')
    assert words in refusal(course)


def test_a_file_that_is_not_utf8_is_refused_with_its_line(course: Path) -> None:
    (course / "solutions/sums/lib/sums.py").write_bytes(b"x = 1\ny = '\xfc'\n")
    assert "solutions/sums/lib/sums.py:2: the file is not UTF-8" in refusal(course)


def test_required_exercises_come_first_and_once(course: Path) -> None:
    assert [exercise.name for exercise in with_required(["sums", "given"], course)] == ["given", "sums"]


def test_spellings_of_one_package_are_one_line(course: Path) -> None:
    exercise = load_exercise("given", course)
    assert requirements([exercise], ["TQDM>=4", "a_b==1", "A-b==1"]) == ["a-b==1", "tqdm>=4"]


def test_making_and_checking_a_release(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "mini", "--course", course) == 0
    out, err = capsys.readouterr()
    assert "mini" in out
    assert "1 gap " in out
    assert err == ""
    release = course / "student" / "mini"
    assert os.access(release / "runtests.sh", os.X_OK)
    assert run(monkeypatch, "--all", "--check", "--course", course) == 0

    capsys.readouterr()
    write(course / "solutions/given/lib/given.py", '"""Given."""\n\nONE = 1.0\n')
    before = tree(release)
    assert run(monkeypatch, "mini", "--check", "--course", course) == 2
    out, err = capsys.readouterr()
    assert "-ONE = 1\n+ONE = 1.0\n" in out
    assert err.startswith("error: out of date: mini; run python -m tools.make_release mini")
    assert err.count("\n") == 1
    assert tree(release) == before


def test_a_check_sees_files_too_many_and_modes(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "mini", "--course", course)
    release = course / "student" / "mini"
    write(release / "lib" / "__pycache__" / "x.pyc", "left by a run")
    assert run(monkeypatch, "mini", "--check", "--course", course) == 0
    write(release / "more.txt", "more\n")
    (release / "runtests.sh").chmod(0o644)
    capsys.readouterr()
    assert run(monkeypatch, "mini", "--check", "--course", course) == 2
    out = capsys.readouterr().out
    assert "--- a/more.txt\n+++ /dev/null" in out
    assert "runtests.sh: should be executable" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mini", "--all"], "give the name of one sheet, or --all"),
        (["minni"], "did you mean mini?"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(
    course: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    assert run(monkeypatch, *arguments, "--course", course) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert err.count("\n") == 1
    assert out == ""


def test_an_error_leaves_the_old_release_untouched(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "mini", "--course", course)
    before = tree(course / "student")
    write(course / "solutions/sums/lib/sums.py", SUMS.replace("# END TODO", ""))
    assert run(monkeypatch, "mini", "--course", course) == 2
    assert tree(course / "student") == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("method", ["write_bytes", "rename"])
@pytest.mark.parametrize("calls", [1, 2])
def test_an_interrupted_run_leaves_the_old_release_byte_for_byte_and_nothing_else(
    course: Path, monkeypatch: pytest.MonkeyPatch, method: str, calls: int, error: BaseException
) -> None:
    run(monkeypatch, "mini", "--course", course)
    before = tree(course / "student")
    write(course / "solutions/given/lib/given.py", '"""Given."""\n\nONE = 1.0\n')
    left, real = calls, getattr(Path, method)

    def fail(path: Path, *arguments: object) -> object:
        nonlocal left
        left -= 1
        if left == 0:
            raise error
        return real(path, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Path, method, fail)
        with pytest.raises((GapgradeError, KeyboardInterrupt)):
            command.make_release(load_sheet("mini", course))
    assert tree(course / "student") == before
    assert [path.name for path in (course / "student").iterdir()] == ["mini"]


def test_a_run_cleans_up_after_one_that_was_killed(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "mini", "--course", course)
    student = course / "student"
    before = tree(student)
    write(student / ".mini.new" / "half.py", "")
    (student / "mini").rename(student / ".mini.old")
    assert run(monkeypatch, "mini", "--course", course) == 0
    assert tree(student) == before


@pytest.mark.parametrize("found", ["thesis.tex", ".git/HEAD"])
def test_a_folder_that_is_no_release_is_not_replaced(
    course: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: str
) -> None:
    write(tmp_path / "out" / "mini" / found, "years of work")
    assert run(monkeypatch, "mini", "--course", course, "--out", tmp_path / "out") == 2
    assert tree(tmp_path / "out") == {f"mini/{found}": b"years of work"}


def test_a_release_runs_alone(course: Path, tmp_path: Path) -> None:
    """Without Gapgrade: its packages are shadowed by modules that refuse to be imported."""
    release = command.make_release(load_sheet("mini", course), tmp_path / "release")
    for package in ("grader", "tools"):
        write(tmp_path / "shadow" / f"{package}.py", "raise ImportError('a release needs no Gapgrade')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "shadow"), "OMP_NUM_THREADS": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=release, env=environment, capture_output=True, text=True, check=False)

    untouched = call(sys.executable, "-m", "pytest", "--junitxml=results/tests.xml")
    assert untouched.returncode == 1
    assert "NotImplementedError: TODO sums 1" in untouched.stdout
    assert "def test_" not in untouched.stdout, "a failure shows the lines that matter, not whole functions"
    assert re.search("-+ Hint -+\nA sum of two numbers", untouched.stdout)
    assert "1 failed, 1 passed" in untouched.stdout
    report = call(sys.executable, ".github/scripts/report.py", "results")
    assert report.returncode == 0
    assert "::notice title=Autograding complete::Points 1.87/2.5\n" in report.stdout
    assert "- two and three are five: " in report.stdout

    shutil.copy(course / "solutions/sums/lib/sums.py", release / "lib/sums.py")
    alone = call(sys.executable, "-m", "tests.test_sums")
    assert alone.returncode == 0, alone.stdout + alone.stderr
    everything = call("./runtests.sh", "--junitxml=results/tests.xml")
    assert "2 passed" in everything.stdout
    write(release / "results/style.txt", "")
    summary = tmp_path / "summary.md"
    environment["GITHUB_STEP_SUMMARY"] = str(summary)
    report = call(sys.executable, ".github/scripts/report.py", "results")
    notice = report.stdout.splitlines()[1].removeprefix("::notice title=Autograding report::")
    assert json.loads(notice) == {"totalPoints": 3.5, "maxPoints": 2.5}
    assert "| 1 Sums | 2.5 of 2.5 |" in summary.read_text()
