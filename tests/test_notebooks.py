"""Notebooks as texts and as modules: what is code in them, which cells run, and what a broken one says."""

from __future__ import annotations

import importlib
import json
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gapcheck import notebooks
from gapcheck.cells import Cell, NotebookError, as_python, as_text, read_ipynb, read_percent
from grader.cells import in_cells, split_place
from grader.notebooks import read_notebook
from grader.reports.github import command
from grader.result import Evidence
from grader.submitted import as_handed_in, handed_notebooks, python_files

PERCENT = """# ---
# jupyter: {}
# ---

# %% [markdown] id="intro"
# # START of it

# %% id="setup"
from __future__ import annotations
# %matplotlib inline
RATE = 0.5

# %% id="model"
def rate(x: Undefined) -> float:
    return RATE * scale


class Model:
    raise NotImplementedError("TODO demo 1")

# %% id="factor"
scale = 1 / 0

# %% tags=["training"] id="train"
losses = [Model()]

# %% id="after"
after = "it ran"
"""


def ipynb(*cells: dict[str, Any], **more: Any) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more})


def code(source: str, name: str = "a", **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "id": name, "metadata": metadata, "source": source}


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "demo.nb.py").write_text(PERCENT)
    monkeypatch.chdir(tmp_path)
    notebooks.install()
    yield importlib.import_module("notebook")
    for name in [name for name in sys.modules if name.partition(".")[0] in ("notebook", "notebooks")]:
        del sys.modules[name]


def test_both_forms_of_a_notebook_hold_the_same_code() -> None:
    cells = read_percent(PERCENT)
    assert [(cell.id, cell.kind) for cell in cells][:2] == [("intro", "markdown"), ("setup", "code")]
    assert {cell.id: cell.tags for cell in cells}["train"] == ("training",)
    text, starts = as_text(cells)
    again = read_ipynb(ipynb(*(code(one.source, one.id, tags=one.tags) for one in cells if one.kind == "code")), "n")
    assert as_text(again) == (text, starts)
    assert as_text(read_percent(text)) == (text, starts)
    assert text.splitlines()[starts[1][0] - 1] == "def rate(x: Undefined) -> float:"


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass  # %matplotlib inline\nx = 1"),
        ("if x:\n    !pip install y", "if x:\n    pass  # !pip install y"),
        ("files = !ls\nx", "pass  # files = !ls\nx"),
        ("torch.randn?", "pass  # torch.randn?"),
        ("%%time\nx = 1", "pass  # %%time\nx = 1"),
        ("%%bash\nrm -rf /", "# %%bash\n# rm -rf /"),
        ("x = (7\n% 2)", "x = (7\n% 2)"),
        ("text = '''\n!no\n'''", "text = '''\n!no\n'''"),
    ],
)
def test_what_only_ipython_can_read_is_no_code(source: str, python: str) -> None:
    assert as_python(source) == python


def test_no_line_in_a_cell_opens_another_cell() -> None:
    text, _ = as_text([Cell("a", "code", 'x = 1\n# %% tags=["training"]\ny = 2')])
    (only,) = read_percent(text)
    assert only.source.endswith("y = 2")


def test_cells_behind_a_broken_one_still_run(notebook: ModuleType) -> None:
    assert notebook.after == "it ran"
    assert importlib.import_module("notebooks.demo").after == "it ran"


def test_a_name_that_a_broken_cell_should_have_made_names_the_cell(notebook: ModuleType) -> None:
    with pytest.raises(ImportError, match=r'scale is not there: cell "factor" of demo.ipynb raised ZeroDivisionError'):
        notebook.scale  # noqa: B018
    with pytest.raises(ImportError, match=r'cell "factor" of demo.ipynb raised ZeroDivisionError'):
        notebook.rate(1)
    with pytest.raises(ImportError, match=r'cell "train" of demo.ipynb is not run here .it has the tag training'):
        exec("from notebook import losses")
    with pytest.raises(NotImplementedError, match=r"^TODO demo 1$"):
        exec("from notebook import Model")
    assert not hasattr(notebook, "nothing")


def test_a_traceback_shows_the_cell_and_its_line(notebook: ModuleType) -> None:
    try:
        notebook.rate(1)
    except ImportError as error:
        shown = "".join(traceback.format_exception(error))
    assert 'File "demo.ipynb, cell "model"", line 2, in rate\n    return RATE * scale' in shown


def test_of_several_notebooks_each_is_imported_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two-b"):
        (tmp_path / f"{name}.ipynb").write_text(ipynb(code(f"name = {name!r}")))
    monkeypatch.chdir(tmp_path)
    notebooks.install()
    assert importlib.import_module("notebooks.two_b").name == "two-b"
    with pytest.raises(ImportError, match="import one of one, two_b by its name"):
        importlib.import_module("notebook")
    for name in ("notebooks", "notebooks.two_b"):
        del sys.modules[name]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no json", "work.ipynb is no JSON"),
        (b"\xff\xfe", "work.ipynb is no JSON"),
        (b'{"cells": ' + b"[" * 100_000, "work.ipynb is no JSON"),
        (b"[]", "has no nbformat or no list of cells"),
        (b'{"nbformat": 3, "worksheets": [{"cells": []}]}', "has nbformat 3, and 4 is needed"),
        (b'{"nbformat": 4}', "has no nbformat or no list of cells"),
        (ipynb(nbformat=3).encode(), "has nbformat 3, and 4 is needed"),
        (ipynb(*[code("1")] * 10_000).encode(), "more than 2,000 cells"),
        (ipynb(code("1"), {"cell_type": "widget"}).encode(), "cell 2 of work.ipynb is neither code nor markdown"),
        (ipynb(code("1") | {"source": 7}).encode(), "cell 1 of work.ipynb has a source that is no text"),
    ],
)
def test_a_notebook_that_cannot_be_read_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(NotebookError, match=reason):
        read_ipynb(data, "work.ipynb")
    (finding,) = read_notebook(ipynb(code("1")), data, "work.ipynb")["findings"]
    assert reason in finding["message"]


GIVEN = [
    code("import math", "imports"),
    code("# START TODO (demo 1): x\nraise NotImplementedError\n# END TODO", "gap"),
    {"cell_type": "markdown", "id": "text", "metadata": {}, "source": "Read this."},
    {"cell_type": "markdown", "id": "q", "metadata": {"tags": ["answer"]}, "source": "TODO: your answer here"},
    code("print(x)", "show", tags=["check"]),
]
MINE = code("# START TODO (demo 1): x\nx = 1\n# END TODO", "gap")


def read(*cells: dict[str, Any]) -> dict[str, Any]:
    return read_notebook(ipynb(*GIVEN), ipynb(*cells).encode(), "work.ipynb")


@pytest.mark.parametrize(
    ("cells", "notes"),
    [
        ([GIVEN[0], MINE, *GIVEN[2:]], []),
        ([MINE, GIVEN[0], *GIVEN[2:]], ['cell "imports" was moved to place 2']),
        ([GIVEN[0], MINE, *GIVEN[2:4]], ['cell "show" is gone']),
        ([GIVEN[0], MINE, code("x"), *GIVEN[2:]], ["the code cell at place 3 was added; it is not run"]),
        ([GIVEN[0], MINE, GIVEN[0], *GIVEN[2:]], ['place 3 is a copy of cell "imports"']),
        ([GIVEN[0], MINE, MINE | {"source": GIVEN[1]["source"]}, *GIVEN[2:]], ['a copy of cell "gap"; the first one']),
        (
            [GIVEN[0], MINE | {"metadata": {"tags": ["check"]}}, *GIVEN[2:]],
            ['cell "gap" was tagged check'],
        ),
        (
            [GIVEN[0], MINE, *GIVEN[2:4], code(f"x = '{'y' * 1_000}'", "show")],
            ['cell "show" has a line of more than 980 characters'],
        ),
        ([GIVEN[0], MINE | {"cell_type": "raw"}, *GIVEN[2:]], ['cell "gap" was turned from code into raw']),
        ([GIVEN[0], MINE, GIVEN[2] | {"source": "No."}, *GIVEN[3:]], ['the text of cell "text" was edited']),
        ([one | {"id": f"n{i}"} for i, one in enumerate([GIVEN[0], MINE, *GIVEN[2:]])], []),
    ],
)
def test_whatever_becomes_of_the_cells_the_gap_is_found_and_the_change_is_named(
    cells: list[dict[str, Any]], notes: list[str]
) -> None:
    found = read(*cells)
    assert "# START TODO (demo 1): x\nx = 1\n# END TODO" in found["text"]
    assert found["text"].count("START TODO") == 1
    assert read_percent(found["text"])[0].source == "import math"
    assert len(found["findings"]) == len(notes)
    assert all(note in one["message"] for note, one in zip(notes, found["findings"], strict=True))
    assert found["text"].index('tags=["check"]') > found["text"].index("x = 1")


def test_an_answer_is_what_its_cell_says_and_nothing_where_it_is_as_it_was() -> None:
    def answered(**changes: Any) -> str:
        answers: dict[str, str] = read(*GIVEN[:3], GIVEN[3] | changes)["answers"]
        return answers["q"]

    assert not answered()
    assert not answered(source=["  \n"])
    assert answered(source=["Yes.\n", "No."]) == "Yes.\nNo."
    assert answered(cell_type="code", source="Yes.") == "Yes."
    assert not read(*GIVEN[:3])["answers"]["q"]


def test_an_answer_in_a_cell_that_lost_its_name_is_found_by_its_place() -> None:
    lost = {"cell_type": "markdown", "metadata": {}, "source": "Yes."}
    assert read(*GIVEN[:3], lost, GIVEN[4])["answers"]["q"] == "Yes."
    assert read(*GIVEN[:3], lost, code("x"), GIVEN[4])["answers"]["q"] == "Yes."
    assert not read(*GIVEN[:3], lost, lost, GIVEN[4])["answers"]["q"]  # which of them?
    assert not read(lost, *GIVEN[:3], GIVEN[4])["answers"]["q"]
    assert not read(*GIVEN[:3], code("Yes", "y"), GIVEN[4])["answers"]["q"]
    other = [{**GIVEN[2], "id": "more", "source": "Go on."}, {**GIVEN[3], "id": "r"}]
    nameless = [{key: one[key] for key in ("cell_type", "source")} for one in (GIVEN[2], lost, *other)]
    found = read_notebook(ipynb(*GIVEN[2:4], *other), ipynb(*nameless).encode(), "work.ipynb")
    assert found["answers"] == {"q": "Yes.", "r": ""}  # two cells begin with the same text


@pytest.mark.parametrize(
    ("handed", "found"),
    [
        ("vae.ipynb vae-cond.ipynb", "vae.ipynb vae-cond.ipynb"),
        ("Vae_7.ipynb x/vae-cond.ipynb", "Vae_7.ipynb x/vae-cond.ipynb"),
        ("vae-cond (1).ipynb", "- vae-cond (1).ipynb"),
        ("vae-cond.ipynb vae-cond (1).ipynb", "- vae-cond.ipynb"),
        ("vae-cond.ipynb mine.ipynb", "mine.ipynb vae-cond.ipynb"),
        ("vae (1).ipynb vae (2).ipynb", "- -"),
        ("vae (1).ipynb vae (2).ipynb vae-cond.ipynb mine.ipynb", "- vae-cond.ipynb"),
        ("mine.ipynb", "- -"),
    ],
)
def test_a_renamed_notebook_is_only_taken_for_one_that_it_can_be(handed: str, found: str) -> None:
    names = re.findall(r"\S.*?\.ipynb", handed)
    told = handed_notebooks(["vae.ipynb", "vae-cond.ipynb"], names)
    assert " ".join(told.get(path, "-") for path in ("vae.ipynb", "vae-cond.ipynb")) == found


def test_however_many_files_lie_beside_them_those_of_the_release_are_read() -> None:
    others = {f"a/{number}.py": b"#" * 200_000 for number in range(30)}
    found = python_files(["lib/model.py"], {**others, "lib/model.py": b"x = 1\n", "tests/test_x.py": b"", "a.txt": b""})
    assert found["lib/model.py"] == b"x = 1\n"
    assert 3 < len(found) < 30


def test_where_edits_are_kept_code_is_placed_before_what_is_large() -> None:
    files = {"a.csv": b"1" * 600, "b.csv": b"1" * 300, "lib/x.py": b"x" * 500, "y (1).ipynb": b"{}", "z.pdf": b"%"}
    assert set(as_handed_in(["y.ipynb"], files, 1_000)) == {"lib/x.py", "b.csv", "y.ipynb"}


def test_a_message_names_the_line_in_its_cell() -> None:
    starts = [(2, "a"), (12, "b")]
    assert in_cells("first at line 13", starts) == 'first at line 2 of cell "b"'
    assert in_cells("first at line 13", []) == "first at line 13"


def test_an_annotation_points_to_the_notebook_and_names_the_cell() -> None:
    place = Evidence(text="E225", file='work.ipynb, cell "a, b"', line=3)
    assert split_place(place.file) == ("work.ipynb", "a, b")
    line = command("notice", "E225 missing blank", title="style", place=place)
    assert line == '::notice file=work.ipynb,title=style::cell "a, b", line 3: E225 missing blank'
    assert split_place("lib/model.py") == ("lib/model.py", "")
