"""Pictures beside the solution's: right code draws the same, wrong code draws or says why not; no points change."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grader.grade import with_bench
from grader.handin import Handin
from grader.intake import take_in
from grader.pictures import FILE, MAX_SIDE, PictureError, gallery_of
from grader.reader import load_templates
from grader.reports.html import html
from grader.reports.views import student_view
from grader.result import Picture, Result
from grader.sheet import load_sheet
from grader.wall.nested import NestedWall
from tests.chromium import Chromium, find_browser
from tests.test_dashboard import PHONE, show
from tests.test_reports import make_result
from tools.checks.findings import Report
from tools.checks.pictures import check_pictures

ROOT = Path(__file__).parent.parent
DRAWING = '''
import numpy as np

from gapcheck import assert_array, probe


@probe
def noise(n: int) -> object:
    from lib.noise import noise

    return noise(n).numpy()


def picture_of_noise() -> object:
    """Noise, as grey squares"""
    values = assert_array(noise(64), (64,), what="the noise").reshape(8, 8, 1)
    return np.repeat((values.clip(-2, 2) * 63 + 127).astype(np.uint8), 3, axis=2)
'''


@pytest.fixture
def illustrated(course: Path, tmp_path: Path) -> Path:
    """The miniature course with a picture."""
    folder = tmp_path / "illustrated"
    shutil.copytree(course, folder)
    (folder / "tests_hidden" / "sums" / FILE).write_text(DRAWING)
    return folder


def grade(course: Path, wall: NestedWall, submission: Path, *, pictures: bool = True) -> Result:
    handin = Handin(take_in(submission), seed=3)
    return with_bench(load_sheet("sums", course), wall, lambda bench: bench.grade(handin), pictures=pictures)


def pixels(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def test_right_code_draws_what_the_solution_draws(
    illustrated: Path, nested: NestedWall, submit: Callable[..., Path]
) -> None:
    (picture,) = grade(illustrated, nested, submit(noise="# drawn\nreturn torch.randn(n)")).pictures
    assert (picture.title, picture.problem) == ("Noise, as grey squares", "")
    assert pixels(picture.own).shape == (8, 8, 3)
    assert (pixels(picture.own) == pixels(picture.reference)).all()


@pytest.mark.parametrize(
    ("noise", "problem"),
    [
        ("", "NotImplementedError: TODO sums 2"),
        ("return torch.randn(3)", "the noise"),
        ("return [1, 2]", "AttributeError"),
        ("import os\nos._exit(3)", "ended"),
        ("return torch.full((n,), float('nan'))", "NaN"),
        ("return torch.ones(n)", ""),
    ],
)
def test_wrong_code_draws_something_or_says_why_not_and_its_points_are_the_same(
    illustrated: Path, nested: NestedWall, submit: Callable[..., Path], noise: str, problem: str
) -> None:
    submission = submit(add="# added\nreturn a + b", noise=noise)
    result = grade(illustrated, nested, submission)
    (picture,) = result.pictures
    assert problem in picture.problem
    assert bool(picture.own) == (not problem)
    plain = grade(illustrated, nested, submission, pictures=False)
    assert plain.pictures == ()
    assert (result.score, result.tasks) == (plain.score, plain.tasks)


def test_pictures_that_the_solution_cannot_draw_are_a_defect_of_the_tests(
    illustrated: Path, nested: NestedWall
) -> None:
    file = illustrated / "tests_hidden" / "sums" / FILE
    file.write_text(
        DRAWING.replace("np.repeat(", f"np.zeros(({MAX_SIDE + 1}, 1, 3), np.uint8) if True else np.repeat(")
    )
    sheet = load_sheet("sums", illustrated)
    with pytest.raises(PictureError, match=r"picture_of_noise cannot be drawn of the solution: it is no picture"):
        gallery_of(sheet, nested, load_templates(sheet))
    report = Report()
    check_pictures(sheet, nested, report)
    assert [finding.file for finding in report.findings] == [f"tests_hidden/sums/{FILE}"]


@pytest.mark.parametrize("name", ["generative-models", "probability-and-autoencoders"])
def test_the_pictures_of_the_sheets_can_be_drawn_and_are_small(nested: NestedWall, name: str) -> None:
    sheet = load_sheet(name, ROOT)
    templates = load_templates(sheet)
    gallery = gallery_of(sheet, nested, templates)
    assert len(gallery.references) >= 3
    assert sum(map(len, gallery.references)) < 120_000
    with nested.open(sheet.limits) as cell:
        cell.place({path: text.encode() for path, text in templates.items()})
        assert all("TODO" in picture.problem for picture in gallery.show(cell))


def test_the_report_shows_both_or_why_there_is_none_and_loads_nothing_else(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, "PNG")
    png = base64.b64encode(stream.getvalue()).decode()
    pictures = (
        Picture(title="Drawn `here`", own=png, reference=png),
        Picture(title="Not drawn", reference=png, problem="<b>/secret/path/a.py</b>"),
        Picture(title="Forged", own='"><script>1</script>', reference="https://example.org/a.png"),
    )
    page = html(student_view(make_result(pictures=pictures)))
    assert "img-src" not in html(student_view(make_result()))
    (tmp_path / "profile").mkdir()
    with Chromium(find_browser(), tmp_path / "profile") as chromium:
        chromium.call("Page.setBypassCSP", enabled=True)
        show(chromium, page, tmp_path, PHONE)
        assert chromium.axe_finds() == []
        chromium.call("Page.setBypassCSP", enabled=False)
        show(chromium, page, tmp_path, PHONE)
        sizes = "[...document.images].map(one => [one.naturalWidth, one.getAttribute('src').split(',')[0]])"
        base = "data:image/png;base64"
        assert chromium.run(sizes) == [[8, base], [8, base], [8, base], [0, base], [0, base]]
        assert chromium.run("document.scripts.length") == 0
        text = chromium.run("document.body.textContent")
    assert "No picture: <b>a.py</b>" in text
