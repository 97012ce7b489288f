"""Grading by hand in a real browser: by keyboard, by two at once, and against those who should not get in.

Needs Chromium or Chrome as `test_html` does, and pdf.js and axe-core as `make setup` installs them.
"""

from __future__ import annotations

import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import typst
import uvicorn

from grader.commands.review import _show
from grader.gradebook import Gradebook, open_gradebook
from grader.gradebook.marks import give_points, marks_in, settle
from grader.gradebook.merge import merge_into
from grader.gradebook.phrases import phrases_of
from grader.gradebook.requests import answer_request, record_request, requests_of
from grader.gradebook.reviews import Conflict, Review, Saving, known_reviews, save_reviews
from grader.result import TaskResult
from grader.review.app import make_app
from grader.review.desk import Desk
from grader.review.guard import Doors
from grader.review.viewer import find_parts
from grader.sheet import Sheet, Task, load_sheet
from tests.chromium import Chromium, find_browser
from tests.test_gradebook import result

EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
RUBRIC = [{"text": "The figures", "points": Decimal(1)}, {"text": f"The reason {EVIL}", "points": Decimal(1)}]


def make_sheet(course: Path) -> Sheet:
    """The sheet `sums` with two essays: one with a rubric, and one that is a text file."""
    tasks = (
        Task(id="3", title="An essay", points=Decimal(2), kind="written", rubric=tuple(RUBRIC)),  # type: ignore[arg-type]
        Task(id="4", title="A review", points=Decimal(3), kind="review", file="review.md"),
    )
    return load_sheet("sums", course).model_copy(update={"task": tasks})


def make_book(folder: Path, names: list[str]) -> Gradebook:
    """A gradebook of submissions that wait for a person, each with a PDF and a text."""
    book = open_gradebook(folder / "out")
    for name in names:
        source = folder / f"source-{len(name)}-{name[:4].strip('<')}"
        source.mkdir()
        source.joinpath("page.typ").write_text(f'#"{name[-3:]} wrote <img src=x onerror=alert()>"')
        source.joinpath("submission.pdf").write_bytes(typst.compile(str(source / "page.typ")))
        source.joinpath("review.md").write_text(f"Good paper. {EVIL}")
        essays = tuple(
            TaskResult(id=task, title="", kind="written", score=Decimal(0), max_score=Decimal(points), bonus=False,
                       state="pending") for task, points in (("3", 2), ("4", 3))
        )  # fmt: skip
        book.add_result(str(source), name, result(name).model_copy(update={"tasks": essays}), 1)
    return book


class Server:
    """A review server in a thread of this process."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self._socket = desk, socket.create_server(("127.0.0.1", 0))
        self.doors = Doors(self._socket.getsockname()[1])
        config = uvicorn.Config(make_app(desk, self.doors, find_parts()), log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.desk.book.close()

    def at(self, name: str, task: int = 0) -> str:
        entry = next(one for one in self.desk.look().entries if one.name == name)
        return f"{self.doors.address}at/{entry.id}/{task}"

    def read(self, name: str, task: int = 0) -> str:
        """What a page sends to say which work it shows."""
        found = re.search(r'name="read" value="(\w+)"', httpx.get(self.at(name, task)).text)
        assert found
        return found[1]


@pytest.fixture
def server(course: Path, tmp_path: Path) -> Iterator[Server]:
    book = make_book(tmp_path, ["ada", "bob", EVIL])
    opened = Server(Desk(book, make_sheet(course), "Grace"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = find_browser()
    assert find_parts(), "pdf.js is not installed: install npm, and run make setup"
    with Chromium(browser, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_a_submission_is_graded_with_the_keyboard_alone(server: Server, page: Chromium) -> None:
    page.go(server.at("ada"))
    page.press("1", "Shift+2")
    page.type("0.25")
    page.press("Enter", "c")
    page.type("The axes have no names.")
    page.press("Escape", "b")
    page.until("document.querySelectorAll('.phrase').length === 1")
    page.press("Enter")
    page.until("document.querySelector('.name').textContent === 'bob'")
    book = server.desk.book
    (ada,) = book.records("sums", "ada")
    settled = settle(server.desk.sheet, ada.result, marks_in(book, "sums")["ada"], None)  # type: ignore[arg-type]
    essay = settled.tasks[0]
    assert (essay.state, essay.score) == ("graded", Decimal("1.25"))
    assert essay.note == "The axes have no names. Item by item: 1/1, 0.25/1."
    assert {row.who for row in book.history("ada") if row.event == "review"} == {"Grace"}
    page.press("m", "q", "Enter")  # the comment that was kept, in one key
    page.until("document.querySelector('.name').textContent.startsWith('<img')")
    assert marks_in(book, "sums")["bob"].manual["3"].why == "The axes have no names. Item by item: 1/1, 1/1."
    page.press("Enter")  # nothing is decided: nobody gets no points by a slip
    page.until("document.querySelector('#said').textContent.includes('nothing is decided yet')")
    page.go(server.doors.address)  # and this is where one goes on
    assert page.run("document.querySelector('.name').textContent").startswith("<img")
    assert page.run("document.querySelector('#progress').textContent") == "2 of 3"


def test_of_two_graders_nobody_loses_a_word(server: Server, page: Chromium) -> None:
    book = server.desk.book
    page.go(server.at("ada"))
    number = int(page.run("document.querySelector('.desk').dataset.entry"))
    theirs = Review(number, "3", (Decimal("0.5"), None), "See page 2.")
    save_reviews(book, "Hedy", [Saving("sums", "ada", theirs, "v0", "")])
    page.press("1")
    shown = page.until("document.querySelector('#conflict td') && document.querySelector('#conflict').innerText")
    assert "changed by Hedy meanwhile" in shown
    assert re.search(r"1\s+0\.5\s+1", shown)
    assert "See page 2." in shown
    assert known_reviews(book, "sums")[number, "3"].review.who == "Hedy"
    page.run("document.querySelector('[data-take=mine]').click()")
    page.wait(lambda: known_reviews(book, "sums")[number, "3"].review.who == "Grace", "my word")
    said = [(row.event, row.detail) for row in book.history("ada") if row.event.startswith("review")]
    mine = "task 3: 1, -; not done: "
    assert said[:2] == [("review", "task 3: 0.5, -; not done: See page 2."), ("review not saved", mine)]
    assert said[2:] == [("review", mine)]


def test_points_from_the_command_line_are_not_overwritten_either(server: Server) -> None:
    book = server.desk.book
    (ada,) = book.records("sums", "ada")
    give_points(book, ada, "3", Decimal(2), "Hedy", "oral exam")
    mine = Saving("sums", "ada", Review(ada.id, "3", (Decimal(0), Decimal(0)), done=True), "v0", "why")
    with pytest.raises(Conflict, match="changed by Hedy meanwhile"):
        save_reviews(book, "Grace", [mine])
    assert "points from Hedy: oral exam" in httpx.get(server.at("ada")).text
    assert marks_in(book, "sums")["ada"].manual["3"].points == 2


def test_what_students_wrote_is_text(server: Server, page: Chromium) -> None:
    for place, address in ((1, server.at(EVIL, 1)), (0, f"{server.doors.address}all")):
        page.go(address)
        assert page.run("document.querySelectorAll('img, main script').length") == 0, place
        assert EVIL in page.run("document.body.textContent")
    page.go(server.at(EVIL, 1))
    assert page.run("document.title").startswith("<img")
    assert page.run("document.querySelector('#view-1').innerText").strip() == f"Good paper. {EVIL}"
    assert page.run("document.querySelector('.frame').contentDocument") is None  # another origin: none


def show_pdf(page: Chromium, server: Server, data: bytes) -> None:
    page.go(f"http://{server.doors.hosts[0]}/{server.doors.viewer}/viewer.html")
    page.run(f"postMessage({{pdf: Uint8Array.from({list(data)}).buffer}}, '*')")


def test_the_frame_shows_a_pdf_as_pictures_and_text_and_reaches_nothing_else(server: Server, page: Chromium) -> None:
    pdf = httpx.get(server.at("ada").replace("/at/", "/paper/").rpartition("/")[0])
    assert pdf.headers["content-type"] == "application/pdf"
    assert (pdf.headers["x-content-type-options"], pdf.headers["content-disposition"][:10]) == ("nosniff", "attachment")
    assert "sandbox" in pdf.headers["content-security-policy"]
    show_pdf(page, server, pdf.content)
    assert page.until("document.querySelector('.text')?.textContent") == "ada wrote <img src=x onerror=alert()>"
    assert page.run("document.querySelectorAll('img').length") == 0
    assert page.run("origin") == "null"
    assert page.run(f"fetch({server.at('ada')!r}).then(() => 'read', () => 'refused')") == "refused"
    show_pdf(page, server, b"%PDF-1.7 nothing of the kind")
    page.until("document.querySelector('#said').textContent.includes('Points can be given all the same')")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_barrier(server: Server, page: Chromium, dark: bool) -> None:
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    page.call("Emulation.setEmulatedMedia", features=scheme)
    record_request(server.desk.book, "sums", "ada", "3", "Figure 2 shows it.", "A student")
    pages = {"pdf": server.at("ada"), "answer": server.at("ada", 1), "all": f"{server.doors.address}all"}
    for name, address in pages.items():
        page.go(address)
        if "/at/" in address:
            page.press("1", "c")
        assert page.axe_finds() == []
        page.photograph(f"review-{name}-{'dark' if dark else 'light'}")


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("", {}, "lacks its token"),
        ("TOKENx/all", {}, "lacks its token"),
        ("static/review.js", {}, "lacks its token"),
        ("VIEWER/all", {}, None),
        ("..%2fTOKEN/all", {}, "lacks its token"),
        ("TOKEN/all", {"Host": "evil.example"}, "127.0.0.1 and localhost only"),
        ("TOKEN/all", {"Host": "127.0.0.1"}, "127.0.0.1 and localhost only"),
    ],
)
def test_a_stranger_is_refused(server: Server, path: str, headers: dict[str, str], said: str | None) -> None:
    asked = path.replace("TOKEN", server.doors.token).replace("VIEWER", server.doors.viewer)
    answer = httpx.get(f"http://{server.doors.hosts[0]}/{asked}", headers=headers)
    assert answer.status_code == (404 if said is None else 403)
    assert (said or "") in answer.text
    assert "ada" not in answer.text


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "https://127.0.0.1:1"])
def test_a_write_must_come_from_the_page_itself(server: Server, origin: str | None) -> None:
    form = {"item": ["1", "1"], "state": "v0", "read": server.read("ada"), "comment": "", "done": "yes"}
    headers = {"Origin": origin} if origin else {}
    assert httpx.post(server.at("ada"), data=form, headers=headers).status_code == 403
    assert known_reviews(server.desk.book, "sums") == {}
    own = {"Origin": f"http://{server.doors.hosts[0]}"}
    assert httpx.post(server.at("ada"), data={**form, "item": ["1", "1.5"]}, headers=own).json() == {
        "error": f"'The reason {EVIL}' has 0 to 1 points, not 1.5"
    }
    assert httpx.post(server.at("ada"), data=form, headers=own).json()["status"].startswith("done by Grace")


def test_anonymous_pages_hold_no_name(server: Server) -> None:
    server.desk.anonymous = True
    label = next(entry.label for entry in server.desk.look().entries if entry.name == "ada")
    for address in (server.at("ada"), f"{server.doors.address}all", f"{server.doors.address}find?q="):
        shown = httpx.get(address).text
        assert label in shown
        assert not re.search(r"\bada\b|source-3", shown)


def test_work_that_changed_after_it_was_graded_is_told(server: Server) -> None:
    own = {"Origin": f"http://{server.doors.hosts[0]}"}
    form = {"item": ["2"], "state": "v0", "read": server.read("ada", 1), "comment": "", "done": "yes"}
    assert httpx.post(server.at("ada", 1), data=form, headers=own).status_code == 200
    assert "has changed since" not in httpx.get(server.at("ada", 1)).text
    (ada,) = server.desk.book.records("sums", "ada")
    assert ada.result is not None
    Path(ada.source, "review.md").write_text("Another paper.")
    again = ada.result.model_copy(update={"seed": 8})
    server.desk.book.add_result(ada.source, "later", again, 1)
    assert "What was handed in has changed since Grace decided this." in httpx.get(server.at("ada", 1)).text
    late = {**form, "state": "v1", "item": ["3"]}
    refusal = httpx.post(server.at("ada", 1), data=late, headers=own)  # from a page that shows the first paper
    assert "has changed since this page was loaded" in refusal.json()["error"]
    assert marks_in(server.desk.book, "sums")["ada"].manual["4"].points == 2


def test_a_request_is_recorded_answered_once_and_merged(course: Path, tmp_path: Path) -> None:
    with make_book(tmp_path, ["ada"]) as book, open_gradebook(tmp_path / "whole") as whole:
        uid = record_request(book, "sums", "ada", "3", "Figure 2 shows it.", "A student")
        merge_into(whole, [book])
        assert [one.answer for one in requests_of(whole, "sums")] == [""]
        answer_request(book, "sums", uid[:8], "Half a point more.", "Grace")
        with pytest.raises(Exception, match="Grace has answered it already"):
            answer_request(book, "sums", uid, "No.", "Hedy")
        merge_into(whole, [book])
        assert [(one.answer, one.answered_by) for one in requests_of(whole, "sums")] == [
            ("Half a point more.", "Grace")
        ]
        assert phrases_of(whole, "sums", "3") == []


def test_a_browser_is_sent_to_the_page_without_its_address_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    _show("http://127.0.0.1:8000/a-token/", tmp_path)
    assert "a-token" not in opened[0]
    page = Path(urllib.request.url2pathname(opened[0].removeprefix("file://")))
    assert 'content="0; url=http://127.0.0.1:8000/a-token/"' in page.read_text()
