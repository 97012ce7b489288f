"""A notebook from its source to its points: what is handed out, and whole submissions behind the wall."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from grader import GapgradeError
from grader.grade import with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.reports.files import write_reports
from grader.result import Result, TaskResult
from grader.rules.run_all import rule_on_run_all
from grader.run_all import Run
from grader.sheet import load_sheet
from grader.wall import Wall
from grader.wall.nested import NestedWall
from tests.classes import COURSE
from tests.handed_notebooks import ANSWER, Change, cell, code, filled, hand_in, released
from tools.checks.findings import Report
from tools.checks.release import check_files
from tools.checks.subject import load_subject
from tools.make_release import make_release
from tools.notebook import read_source, release_notebook


@pytest.fixture(scope="module")
def divergence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature course with the release of its notebook."""
    return lay(tmp_path_factory.mktemp("notebook") / "course")


def lay(folder: Path, more: str = "") -> Path:
    shutil.copytree(COURSE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    sheet = folder / "sheets/divergence/sheet.toml"
    sheet.write_text(sheet.read_text() + more)
    make_release(load_sheet("divergence", folder))
    return folder


def grade(course: Path, wall: Wall, *places: Path) -> list[Result]:
    sheet = load_sheet("divergence", course)
    return with_bench(sheet, wall, lambda bench: [bench.grade(Handin(take_in(one), seed=7)) for one in places])


def task(result: Result, name: str) -> TaskResult:
    return next(one for one in result.tasks if one.id == name)


def scores(result: Result) -> list[Decimal]:
    return [one.score for one in result.tasks]


def told(result: Result, rule: str) -> str:
    """A rule's message and evidence."""
    found = [one for one in result.rules if one.id == rule]
    return "\n".join([one.message for one in found] + [f"{e.file}: {e.text}" for one in found for e in one.evidence])


def test_what_is_handed_out_is_a_clean_notebook_without_code_in_gaps_or_answers(divergence: Path) -> None:
    data = (divergence / "student/divergence/divergence.ipynb").read_text()
    nbformat.validate(nbformat.reads(data, as_version=4))
    notebook = json.loads(data)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    roles = {one["id"]: one["metadata"]["gapgrade"]["role"] for one in notebook["cells"]}
    assert {"names": "names", "imports": "locked", "kl-loss": "gap", "q-1": "answer"}.items() <= roles.items()
    assert cell(notebook, "imports")["metadata"]["editable"] is False
    assert "editable" not in cell(notebook, "kl-loss")["metadata"]
    assert "".join(cell(notebook, "q-1")["source"]) == "TODO: your answer here"
    assert 'raise NotImplementedError("TODO divergence 1")' in "".join(cell(notebook, "kl-loss")["source"])
    assert not any(one.get("outputs") or one.get("execution_count") for one in notebook["cells"])
    assert not any(secret in data for secret in ("0.5 *", "1 / 128", "diverge from itself"))
    report = Report()
    sheet = load_sheet("divergence", divergence)
    check_files(sheet, [load_subject("divergence", divergence)], report, lambda _: None)
    assert not report.findings


@pytest.mark.parametrize(
    ("name", "leak"),
    [
        ("intro", "Both laws are then the standard normal one, and a law does not diverge from itself."),
        ("q-1", "Both are equal."),
        ("train", "each = mean.square() + logvar.exp() - logvar - 1"),
    ],
)
def test_a_model_answer_or_solution_in_a_released_notebook_is_found(tmp_path: Path, name: str, leak: str) -> None:
    course = lay(tmp_path / "course")
    source = course / "solutions/divergence/divergence.nb.py"
    text = source.read_text()
    comment = f"# {leak}" if name != "train" else leak.replace("each", "losses")
    at = text.index("\n", text.index(f'id="{name}"')) + 1
    source.write_text(text[:at] + f"{comment}\n" + text[at:])
    report = Report()
    check_files(load_sheet("divergence", course), [load_subject("divergence", course)], report, lambda _: None)
    stale = [one for one in report.findings if "is not what make_release makes" in one.what]
    leaks = [one.what for one in report.findings if one not in stale]
    assert leaks == [] if name == "q-1" else all("holds a part of" in one for one in leaks) and leaks


def test_what_nbgrader_marks_as_an_answer_is_one_and_what_otter_puts_in_raw_cells_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "work.ipynb"
    graded = {"nbgrader": {"grade": True, "solution": True, "grade_id": "part b", "points": 2}}
    code_ = new_code_cell("x = 1", metadata={"nbgrader": {"grade": False, "locked": True, "grade_id": "part_a"}})
    both = [code_, new_markdown_cell("Secret.", metadata=graded)]
    file.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=both)))
    given, answer = json.loads(release_notebook(read_source(file, "work.ipynb"), "work.ipynb"))["cells"]
    assert (given["id"], answer["id"], "".join(answer["source"])) == ("part_a", "part-b", "TODO: your answer here")
    cells = [nbformat.v4.new_raw_cell("# BEGIN SOLUTION"), new_markdown_cell("Secret.")]
    file.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    with pytest.raises(GapgradeError, match="cell 1 is otter's raw cell '# BEGIN SOLUTION'; give answers the tag"):
        read_source(file, "work.ipynb")


def test_a_notebook_marked_for_nbgrader_or_otter_is_a_source_too(tmp_path: Path) -> None:
    cells = [
        new_code_cell("def one():\n    ### BEGIN SOLUTION\n    # why\n    return 1\n    ### END SOLUTION"),
        new_code_cell("two = 2  # SOLUTION", outputs=[new_output("stream", text="2")], execution_count=3),
        new_markdown_cell("Because.", id="q-1", metadata={"tags": ["answer"]}),
    ]
    file = tmp_path / "work.ipynb"
    file.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    notebook = json.loads(release_notebook(read_source(file, "work.ipynb"), "work.ipynb"))
    sources = ["".join(one["source"]) for one in notebook["cells"]]
    assert not any(one.get("outputs") or one.get("execution_count") for one in notebook["cells"])
    assert "return 1" not in sources[0]
    assert "raise NotImplementedError" in sources[0]
    assert sources[1].splitlines()[1] == "two = ..."
    assert (notebook["cells"][2]["id"], sources[2]) == ("q-1", "TODO: your answer here")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('# %% id="a"\n# START TODO (x 1): a\nx = 1\n', "work.nb.py:2: START TODO is never closed"),
        ('# %% [markdown] tags=["answer"]\n# Yes.\n', "is an answer without an id"),
        ('# %% id="a"\nx = 1\n\n# %% id="a"\ny = 1\n', "another cell has this id"),
        ('# %% id="a b"\nx = 1\n', "an id has up to 64 letters"),
        ('# %% id="a"\n# START TODO (x 1): a\nx = 1\n# %% id="b"\n# END TODO\n', "work.nb.py:4: a cell"),
    ],
)
def test_a_source_that_cannot_be_released_names_its_place(text: str, sentence: str) -> None:
    with pytest.raises(GapgradeError, match=r"work\.nb\.py") as error:
        release_notebook(text, "work.nb.py")
    assert sentence in str(error.value)


def test_the_solution_gets_every_point_in_every_mode_and_the_template_none(
    divergence: Path, any_wall: Wall, tmp_path: Path
) -> None:
    good = hand_in(divergence, tmp_path / "good", filled(divergence))
    empty = hand_in(divergence, tmp_path / "empty", released(divergence))
    right, untouched = grade(divergence, any_wall, good, empty)
    assert scores(right) == [3, 1, 0]
    assert (right.pending, task(right, "3").state, task(right, "3").answer) == (2, "pending", ANSWER)
    assert not told(right, "cells")
    assert scores(untouched) == [0, 0, 0]
    assert task(untouched, "3").state == "refused"
    assert "Not answered" in task(untouched, "3").note
    assert {test.message for test in task(untouched, "1").tests if test.visibility == "public"} == {
        "NotImplementedError: TODO divergence 1"
    }
    write_reports(right, tmp_path / "out")
    assert (tmp_path / "out/answers/q-1.md").read_text() == f"{ANSWER}\n"


def test_a_mistake_is_recognised_and_a_broken_gap_costs_its_own_task(
    divergence: Path, nested: NestedWall, tmp_path: Path
) -> None:
    wrong = "# no factor\nreturn (mean**2 + logvar.exp() - logvar - 1).sum()"
    folder = hand_in(divergence, tmp_path / "wrong", filled(divergence, kl=wrong, scale="scale = (1"))
    (result,) = grade(divergence, nested, folder)
    assert scores(result) == [Decimal("1.5"), 0, 0]
    assert "no-half" in {test.mistake for test in task(result, "1").tests}
    assert 'divergence.ipynb, cell "scale": TODO divergence 2: line 3 of cell "scale"' in told(result, "syntax")


def test_a_notebook_comes_as_a_folder_an_archive_or_alone_under_another_name(
    divergence: Path, nested: NestedWall, tmp_path: Path
) -> None:
    folder = hand_in(divergence, tmp_path / "folder", filled(divergence))
    alone = tmp_path / "Divergence (1).ipynb"
    alone.write_bytes((folder / "divergence.ipynb").read_bytes())
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(alone, "team/divergence_team-7.ipynb")
    results = grade(divergence, nested, folder, alone, archive)
    assert [result.score for result in results] == [4, 4, 4]
    assert "Divergence (1).ipynb was read as divergence.ipynb" in told(results[1], "cells")


def shuffle(notebook: dict[str, Any]) -> None:
    random.Random(1).shuffle(notebook["cells"])


def tamper(notebook: dict[str, Any]) -> None:
    cell(notebook, "kl-loss")["metadata"] = {"tags": ["check", "training"]}
    cell(notebook, "imports")["source"] = "torch = None"
    cell(notebook, "check-kl")["source"] = "scale = 0"
    cell(notebook, "q-1")["cell_type"] = "code"
    notebook["cells"].append(code("def kl_loss(mean, logvar):\n    return 0"))
    notebook["metadata"]["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}


def colab(notebook: dict[str, Any]) -> None:
    notebook["nbformat_minor"] = 0
    for one in notebook["cells"]:
        one["metadata"] = {"id": one.pop("id")}


def magic(notebook: dict[str, Any]) -> None:
    own = cell(notebook, "kl-loss")
    own["source"] = "%%time\n" + own["source"]
    notebook["cells"].insert(0, code("!rm -rf /submission\n%reset -f"))


def outputs(notebook: dict[str, Any]) -> None:
    script = {"output_type": "display_data", "metadata": {}, "data": {"text/html": ["<script>alert(1)</script>"] * 99}}
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["outputs"] = [script] * 99


@pytest.mark.parametrize("change", [shuffle, tamper, colab, magic, outputs])
def test_what_is_not_in_the_gaps_does_not_change_the_points(
    divergence: Path, nested: NestedWall, tmp_path: Path, change: Change
) -> None:
    notebook = filled(divergence)
    change(notebook)
    (result,) = grade(divergence, nested, hand_in(divergence, tmp_path / "team", notebook))
    assert scores(result) == [3, 1, 0]
    assert task(result, "3").answer == ANSWER
    assert bool(told(result, "cells")) == (change not in (colab, outputs))


def test_tampering_is_named(divergence: Path, nested: NestedWall, tmp_path: Path) -> None:
    notebook = filled(divergence)
    tamper(notebook)
    (result,) = grade(divergence, nested, hand_in(divergence, tmp_path / "team", notebook))
    notes = told(result, "cells")
    assert 'cell "kl-loss" was tagged check, training' in notes
    assert 'cell "q-1" was turned from markdown into code' in notes
    assert "was added; it is not run for grading" in notes
    assert "-torch = None" not in result.edits["divergence.ipynb"]
    assert "+torch = None" in result.edits["divergence.ipynb"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"print('hello')", "divergence.ipynb is no JSON"),
        (b" " * 50 * 2**20, "larger than 20 MiB"),
        (b'{"nbformat": 4, "cells": [' + b'{"cell_type": "code", "source": "1"},' * 9_999, "is no JSON"),
        (json.dumps({"nbformat": 4, "cells": [code("1")] * 10_000}).encode(), "more than 2,000 cells"),
    ],
)
def test_a_notebook_that_cannot_be_read_is_refused_with_its_reason(
    divergence: Path, nested: NestedWall, tmp_path: Path, data: bytes, reason: str
) -> None:
    (result,) = grade(divergence, nested, hand_in(divergence, tmp_path / "team", data))
    assert scores(result) == [0, 0, 0]
    assert {one.state for one in result.tasks} == {"refused"}
    assert all(reason in one.note for one in result.tasks)
    assert "is missing" not in told(result, "files")


def test_a_notebook_under_another_name_that_cannot_be_read_and_one_that_is_too_long_say_so(
    divergence: Path, nested: NestedWall, tmp_path: Path
) -> None:
    broken = tmp_path / "divergence_7.ipynb"
    broken.write_bytes(b"?")
    long = hand_in(divergence, tmp_path / "long", filled(divergence, kl="x = 1\n" * 300_000))
    first, second = grade(divergence, nested, broken, long)
    assert "divergence.ipynb is no JSON" in task(first, "1").note
    assert "divergence.ipynb is larger than 256 KiB; it was not read" in told(second, "files")


def test_two_copies_of_a_notebook_are_named_and_none_is_chosen(
    divergence: Path, nested: NestedWall, tmp_path: Path
) -> None:
    folder = hand_in(divergence, tmp_path / "team", filled(divergence))
    handed = folder / "divergence.ipynb"
    (folder / "divergence (1).ipynb").write_bytes(handed.read_bytes())
    handed.rename(folder / "divergence (2).ipynb")
    (result,) = grade(divergence, nested, folder)
    assert {one.state for one in result.tasks} == {"refused"}
    both = "divergence (1).ipynb and divergence (2).ipynb could be it; hand in one of them, named divergence.ipynb"
    assert all(both in one.note for one in result.tasks)


RUN = "\n[notebooks]\nepochs = 2\nrun_all_seconds = 4\n\n[rules.run_all]\ndeduct = 0.5\n"


def training_notices_the_cap(notebook: dict[str, Any]) -> None:
    notebook["cells"].append(code("%matplotlib inline\nhere = !echo yes\nassert (len(losses), here) == (2, ['yes'])"))


def raises(notebook: dict[str, Any]) -> None:
    notebook["cells"].insert(4, code("1 / 0"))


def raises_what_cannot_be_told(notebook: dict[str, Any]) -> None:
    source = "class Sly(Exception):\n    def __str__(self):\n        raise KeyboardInterrupt\nraise Sly"
    notebook["cells"].append(code(source))


def hangs(notebook: dict[str, Any]) -> None:
    notebook["cells"].append(code("while True:\n    pass"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (training_notices_the_cap, "All 6 cells ran, from the first to the last."),
        (raises, 'cell "at place 5": ZeroDivisionError: division by zero'),
        (raises_what_cannot_be_told, 'cell "at place 10": an exception that cannot be printed'),
        (hangs, 'cell "at place 10": it was still running after 4 s in all'),
    ],
)
def test_a_notebook_is_run_from_its_first_cell_to_the_one_that_fails(
    nested: NestedWall, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    course = lay(tmp_path / "course", RUN)
    notebook = filled(course)
    change(notebook)
    (result,) = grade(course, nested, hand_in(course, tmp_path / "team", notebook))
    assert message in told(result, "run_all")
    assert result.score == (4 if "All" in message else Decimal("3.5"))


def test_large_files_beside_a_notebook_do_not_keep_it_from_running(nested: NestedWall, tmp_path: Path) -> None:
    course = lay(tmp_path / "course", RUN)
    sheet = course / "sheets/divergence/sheet.toml"
    sheet.write_text(sheet.read_text().replace("probe_seconds = 5", "probe_seconds = 5\ndisk_mb = 1"))
    folder = hand_in(course, tmp_path / "team", filled(course))
    for name in "abc":
        (folder / f"{name}.csv").write_text("1,2,3\n" * 150_000)
    (result,) = grade(course, nested, folder)
    assert "cells ran, from the first to the last" in told(result, "run_all")


def test_where_edits_are_kept_the_notebook_runs_as_it_was_handed_in(nested: NestedWall, tmp_path: Path) -> None:
    course = lay(tmp_path / "course", '\n[rules.gaps]\nmode = "keep"\n')
    notebook = filled(course, kl="return half * (mean**2 + logvar.exp() - logvar - 1).sum()")
    notebook["cells"].insert(4, code("!ls\nhalf = 0.5"))
    folder = hand_in(course, tmp_path / "team", notebook)
    (folder / "divergence.ipynb").rename(folder / "divergence_7.ipynb")
    alone = tmp_path / "mine.ipynb"
    shutil.copy(folder / "divergence_7.ipynb", alone)
    beside = hand_in(course, tmp_path / "beside", notebook)
    shutil.rmtree(beside / ".gapgrade")
    (beside / "scratch.ipynb").write_text(json.dumps(released(course)))
    (beside / "divergence.nb.py").write_text("scale = 0\n")
    assert [scores(result) for result in grade(course, nested, folder, alone, beside)] == [[3, 1, 0]] * 3


STYLE = '\n[[task]]\nid = "4"\npoints = 1\nkind = "style"\n\n[rules.comments]\ndeduct = 0.5\n'


def test_findings_on_style_and_comments_name_the_cell_and_its_line(nested: NestedWall, tmp_path: Path) -> None:
    course = lay(tmp_path / "course", STYLE)
    tidy = hand_in(course, tmp_path / "tidy", filled(course, scale="# why\nimport math\nscale = 1 / 128;"))
    bare = hand_in(course, tmp_path / "bare", filled(course, kl="x=mean\nreturn x.sum()"))
    good, bad = grade(course, nested, tidy, bare)
    assert scores(good)[3] == 1
    assert 'divergence.ipynb, cell "kl-loss":5: E225' in task(bad, "4").note
    assert 'divergence.ipynb, cell "kl-loss": TODO divergence 1 holds no comment of your own' in told(bad, "comments")


def test_a_run_that_the_notebook_cannot_help_costs_nothing(tmp_path: Path) -> None:
    sheet = load_sheet("divergence", lay(tmp_path / "course", RUN))
    (ours,) = rule_on_run_all(sheet, [Run("a.ipynb", 3), Run("b.ipynb", problem="No module named IPython", ours=True)])
    assert (ours.deduction, ours.message) == (0, "b.ipynb could not be run as a whole; nothing is deducted.")
    (theirs,) = rule_on_run_all(sheet, [Run("a.ipynb", 3, cell="x", problem="boom"), Run("b.ipynb", ours=True)])
    assert theirs.deduction == Decimal("0.5")
    assert not [*rule_on_run_all(sheet, [])]


def test_cells_with_checks_import_gapcheck_where_all_cells_are_run(nested: NestedWall, tmp_path: Path) -> None:
    course = lay(tmp_path / "course", RUN.replace("run_all_seconds = 4", "run_all_seconds = 60"))
    notebook = filled(course)
    notebook["cells"].append(code("from gapcheck import assert_close\n\nassert_close(1.0, 1.0)"))
    (result,) = grade(course, nested, hand_in(course, tmp_path / "team", notebook))
    assert "All 6 cells ran, from the first to the last." in told(result, "run_all")
