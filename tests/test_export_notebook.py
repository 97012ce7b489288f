"""`export-notebook`: what a submission's notebooks hold, as a page that runs and loads nothing."""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from grader.intake import Submission, take_in
from grader.notebook_page import missing_pdf, notebook_page
from grader.printing import print_pdf
from grader.reader import load_notebooks
from grader.rendering import _picture
from grader.sheet import SubmissionPdf, load_sheet
from grader.wall.nested import NestedWall
from tests.chromium import find_browser
from tests.classes import make_course
from tests.handed_notebooks import cell, filled, hand_in
from tools.make_release import make_release

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> [here](javascript:alert(1)) ![p](http://evil.example/p)"
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_course(tmp_path_factory.mktemp("export") / "course")
    make_release(load_sheet("divergence", folder))
    return folder


def page_of(course: Path, wall: NestedWall, submission: Submission) -> str:
    sheet = load_sheet("divergence", course)
    return notebook_page(sheet, submission, load_notebooks(sheet), wall)


def output(kind: str, **data: Any) -> dict[str, Any]:
    return {"output_type": kind, "metadata": {}, **data}


def with_profile(kind: str) -> str:
    """A pixel whose file holds what a browser would parse beside the pixels."""
    stream = io.BytesIO()
    Image.new("RGB", (1, 1), "red").save(stream, kind, icc_profile=b"a colour profile")
    return base64.b64encode(stream.getvalue()).decode()


def pixels(picture: str) -> bytes:
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        return image.convert("RGBA").tobytes()


def test_answers_stand_beside_the_rubric_and_nothing_of_a_notebook_becomes_markup(
    course: Path, nested: NestedWall, tmp_path: Path
) -> None:
    notebook = filled(course, answer=f"**Since** both are equal: $\\mu^2$.\n\n{HOSTILE} $\\href{{x}}{{y}} {{$")
    cell(notebook, "kl-loss")["outputs"] = [
        output("display_data", data={"image/png": PIXEL, "text/html": HOSTILE}),
        output("display_data", data={"image/png": "PHN2Zz4=", "image/svg+xml": "<svg onload='alert(1)'/>"}),
        output("stream", text=[HOSTILE]),
        output("error", traceback=["\x1b[31mZeroDivisionError\x1b[0m"]),
    ]
    page = page_of(course, nested, take_in(hand_in(course, tmp_path / "team", notebook)))
    answer, rubric = re.search(r'<section class="answer">(.*?)<aside>(.*?)</aside>', page, re.DOTALL).groups()  # type: ignore[union-attr]
    assert "<strong>Since</strong> both are equal: <math" in answer
    assert "<msup><mi>μ</mi><mn>2</mn></msup>" in unescape(answer)
    assert "$\\href{x}{y} {$" in answer
    assert "Says that both laws are the same." in rubric
    assert "a law does not diverge from itself" in rubric
    (shown,) = re.findall(r'<img alt="a picture of this cell" src="data:image/png;base64,([^"]*)">', page)
    assert page.count("<img") == 1
    assert shown != PIXEL  # drawn anew: a browser meets no byte of the student's file
    assert pixels(shown) == pixels(PIXEL)
    assert "default-src 'none'" in page
    assert "ZeroDivisionError" in page
    assert not re.search(r"<script|<svg|<a |<[^>]*\bon\w+=|\x1b", page)


def test_a_picture_in_an_answer_is_shown_and_one_that_is_not_there_hides_nothing(
    course: Path, nested: NestedWall, tmp_path: Path
) -> None:
    notebook = filled(course, answer="As ![the sketch](attachment:a.png) and ![](attachment:gone.png) show: equal.")
    attached = {"a.png": {"image/png": PIXEL}, "b.svg": {"image/svg+xml": HOSTILE}, "c": 3}
    cell(notebook, "q-1")["attachments"] = attached
    page = page_of(course, nested, take_in(hand_in(course, tmp_path / "team", notebook)))
    (answer,) = re.findall(r'<section class="answer">(.*?)<aside>', page, re.DOTALL)
    assert "<p>As <em>[picture: the sketch]</em> and <em>[picture]</em> show: equal.</p>" in answer
    assert answer.count('src="data:image/png;base64,') == page.count("<img") == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_leaves_its_colour_profile_behind(kind: str) -> None:
    drawn = base64.b64decode(_picture(with_profile(kind), kind, 10_000))
    assert drawn.startswith(b"\x89PNG")
    assert b"iCCP" not in drawn


def test_a_notebook_that_is_missing_or_broken_is_named(course: Path, nested: NestedWall) -> None:
    assert "divergence.ipynb is missing." in page_of(course, nested, Submission("team", {"a.py": b""}))
    assert "divergence.ipynb is no JSON" in page_of(course, nested, Submission("team", {"divergence.ipynb": b"?"}))


def test_a_pdf_that_the_sheet_asks_for_is_missed(course: Path) -> None:
    sheet = load_sheet("divergence", course)
    asking = sheet.model_copy(update={"rules": sheet.rules.model_copy(update={"submission_pdf": SubmissionPdf()})})
    assert not missing_pdf(sheet, Submission("team", {}))
    assert missing_pdf(asking, Submission("team", {})) == "submission.pdf"
    assert not missing_pdf(asking, Submission("team", {"submission.pdf": b""}))


def test_the_page_becomes_a_pdf_or_a_sentence_says_why_not(
    course: Path, nested: NestedWall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_browser()
    page = tmp_path / "team.html"
    page.write_text(page_of(course, nested, take_in(hand_in(course, tmp_path / "team", filled(course)))))
    assert not print_pdf(page, tmp_path / "team.pdf")
    assert "Because both laws are the same one." in PdfReader(tmp_path / "team.pdf").pages[0].extract_text()
    monkeypatch.setenv("PATH", "")
    assert "no Chromium or Chrome is installed" in print_pdf(page, tmp_path / "none.pdf")
    assert not (tmp_path / "none.pdf").exists()
