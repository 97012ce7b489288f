"""The review server: its addresses, and what each reads and saves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from grader import GapgradeError
from grader.gradebook.phrases import keep_phrase, phrases_of, remove_phrase
from grader.gradebook.requests import answer_request, record_request
from grader.gradebook.reviews import Conflict, Review, Saving, note_unsaved, save_reviews
from grader.review import paper as papers
from grader.review.desk import Desk, Order, Place, View
from grader.review.guard import Doors, Guard
from grader.review.model import model_answers
from grader.review.pages import HERE, Pages, Paper, keyed, rows_of, status
from grader.review.rubric import fitted, items_of, read_item, why
from grader.review.viewer import viewer_app

MOST_BYTES = 256 * 1024  # of what a page sends
MOST_FIELDS = 200
LONGEST_COMMENT = 20_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
Form = dict[str, list[str]]


class BadForm(GapgradeError):
    """What a page sent cannot be read."""


def make_app(desk: Desk, doors: Doors, parts: Path | None) -> ASGIApp:
    """The server's application.

    Args:
        parts: the folder with pdf.js; None where it is not installed, and PDFs are only offered for download.
    """
    server = _Server(desk, Pages(desk, doors, parts is not None))
    routes = [
        Route("/", server.resume),
        Route("/all", server.overview),
        Route("/find", server.find),
        Route("/paper/{entry:int}", server.pdf),
        Route("/at/{entry:int}/{task:int}", server.show, methods=["GET"]),
        Route("/at/{entry:int}/{task:int}", server.save, methods=["POST"]),
        Route("/at/{entry:int}/{task:int}/phrases", server.phrases, methods=["POST"]),
        Route("/at/{entry:int}/{task:int}/requests", server.requests, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    app = Starlette(routes=routes, exception_handlers={GapgradeError: _refused})
    return Guard(doors, app, viewer_app(doors, parts))


class _Server:
    """The answers to each address. What touches the disk runs in a thread; a browser sees no old copy."""

    def __init__(self, desk: Desk, pages: Pages) -> None:
        self._desk, self._pages = desk, pages

    async def resume(self, request: Request) -> Response:
        """Where this grader stopped."""

        def where() -> str:
            view = self._desk.look()
            place = view.resume(self._desk.grader)
            return _path(view, place) if place else "/all"

        return RedirectResponse(request.scope["root_path"] + await run_in_threadpool(where), 303)

    async def overview(self, _: Request) -> Response:
        return _page(await run_in_threadpool(lambda: self._pages.overview(self._desk.look())))

    async def find(self, request: Request) -> Response:
        query, task = request.query_params.get("q", ""), request.query_params.get("task", "0")[:4]
        number = int(task) if task.isascii() and task.isdigit() else 0
        return _page(await run_in_threadpool(lambda: self._pages.found(self._desk.look(), query, number)))

    async def pdf(self, request: Request) -> Response:
        """The PDF as bytes, never as a page: a browser that is led here only saves it."""

        def read() -> bytes:
            entry = self._desk.look().find(request.path_params["entry"], 0).entry
            files = papers.read_files(entry.source, entry.name, self._desk.ref, entry.result)
            if problem := papers.pdf_problem(self._desk.sheet, files):
                raise BadForm(problem)
            return files.files[papers.pdf_name(self._desk.sheet, files)]

        headers = {
            "Content-Disposition": 'attachment; filename="submission.pdf"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        return Response(await run_in_threadpool(read), media_type="application/pdf", headers=headers)

    async def show(self, request: Request) -> Response:
        order: Order = "student" if request.query_params.get("order") == "student" else "task"

        def render() -> str:
            view, place = self._look(request)
            phrases = phrases_of(self._desk.book, self._desk.sheet.name, place.task.id)
            return self._pages.place(view, place, order, self._paper(place), phrases)

        return _page(await run_in_threadpool(render))

    async def save(self, request: Request) -> Response:
        """Save what is decided; a conflict shows both words, and nothing is written."""
        form = await _form(request)
        return await run_in_threadpool(lambda: self._save(request, form))

    async def phrases(self, request: Request) -> Response:
        """Keep a comment, or forget one."""
        form = await _form(request)

        def change() -> str:
            _, place = self._look(request)
            book, sheet, who = self._desk.book, self._desk.sheet.name, self._desk.grader
            if uid := _one(form, "forget"):
                remove_phrase(book, sheet, uid, who)
            else:
                keep_phrase(book, sheet, place.task.id, _one(form, "text")[:LONGEST_COMMENT], who)
            return self._pages.render("phrases.html.j2", phrases=keyed(phrases_of(book, sheet, place.task.id)))

        return _page(await run_in_threadpool(change))

    async def requests(self, request: Request) -> Response:
        """Record what a student asks, or answer it."""
        form = await _form(request)

        def change() -> str:
            view, place = self._look(request)
            book, sheet, who = self._desk.book, self._desk.sheet.name, self._desk.grader
            text = _one(form, "text")[:LONGEST_COMMENT]
            if uid := _one(form, "answers"):
                answer_request(book, sheet, uid, text, who)
            else:
                record_request(book, sheet, place.entry.name, place.task.id, text, who)
            return self._pages.render("requests.html.j2", asked=self._desk.look().asked(place), view=view)

        return _page(await run_in_threadpool(change))

    def _look(self, request: Request) -> tuple[View, Place]:
        view = self._desk.look()
        return view, view.find(request.path_params["entry"], request.path_params["task"])

    def _paper(self, place: Place) -> Paper:
        entry, sheet = place.entry, self._desk.sheet
        files = papers.read_files(entry.source, entry.name, self._desk.ref, entry.result)
        answer = self._desk.answer(place) if place.task.cell else ""
        texts = papers.texts_of(place.task, files, answer)
        problem = papers.pdf_problem(sheet, files)
        pdf = b"" if problem else files.files[papers.pdf_name(sheet, files)]
        digest = papers.digest(pdf, texts)
        if model := model_answers(sheet.course, sheet.exercises).get(place.task.cell) if place.task.cell else None:
            texts.insert(1, papers.Text("Model answer", model))
        if self._desk.anonymous:
            problem = problem.replace(entry.name, "the submission").replace(entry.source, "its folder")
        own = bool(place.task.file or place.task.answers or place.task.cell)
        return Paper(texts, problem, not own, digest)

    def _save(self, request: Request, form: Form) -> Response:
        view, place = self._look(request)
        if view.state(place.entry, place.task) == "closed":
            raise BadForm(f"task {place.task.id} has nothing to decide here; for other points: gradebook override")
        wanted = self._wanted(place, form)
        order: Order = "student" if _one(form, "order") == "student" else "task"
        reason = why(place.task, wanted.items, wanted.comment)
        saving = Saving(self._desk.sheet.name, place.entry.name, wanted, _one(form, "state"), reason)
        try:
            (known,) = save_reviews(self._desk.book, self._desk.grader, [saving])
        except Conflict as conflict:
            note_unsaved(self._desk.book, self._desk.grader, saving)
            return JSONResponse({"conflict": self._conflict(place, wanted, conflict)}, 409)
        view.known[place.entry.id, place.task.id] = known
        after = view.next_waiting(place, order) if wanted.done else None
        done, of = view.progress(place.task)
        return JSONResponse(
            {
                "state": known.state,
                "status": status(known),
                "done": wanted.done,
                "progress": f"{done} of {of}",
                "next": f"{_path(view, after)}?order={order}" if after else "/all" if wanted.done else "",
            }
        )

    def _wanted(self, place: Place, form: Form) -> Review:
        known = items_of(place.task)
        texts = form.get("item", [])
        comment = _one(form, "comment").replace("\r\n", "\n").strip()
        if len(texts) != len(known):
            raise BadForm(f"the rubric of task {place.task.id} has {len(known)} items now; load the page again")
        if len(comment) > LONGEST_COMMENT:
            raise BadForm(f"the comment has {len(comment)} characters; {LONGEST_COMMENT} are the most")
        read = self._paper(place).digest
        if _one(form, "read") != read:
            raise BadForm("not saved: what was handed in has changed since this page was loaded; load it again")
        items = tuple(read_item(item, text) for item, text in zip(known, texts, strict=True))
        done = _one(form, "done") == "yes"
        if done and not comment and all(item is None for item in items):
            raise BadForm("nothing is decided yet: press 0 for no points, m for all, or a number")
        if done:
            items = tuple(item or Decimal(0) for item in items)
        return Review(place.entry.id, place.task.id, items, comment, done, read)

    def _conflict(self, place: Place, mine: Review, conflict: Conflict) -> str:
        theirs = conflict.theirs
        return self._pages.render(
            "conflict.html.j2",
            said=str(conflict),
            theirs=theirs,
            theirs_rows=rows_of(place.task, fitted(theirs.review.items, place.task)),
            mine=mine,
            mine_rows=rows_of(place.task, mine.items),
        )


def _path(view: View, place: Place) -> str:
    return f"/at/{place.entry.id}/{view.number(place.task)}"


def _page(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400, {"Cache-Control": "no-store"})


async def _form(request: Request) -> Form:
    """The fields of a form. Raises `BadForm`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadForm(f"this is too long: {MOST_BYTES // 1024} KiB are the most")
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadForm(f"this cannot be read ({error}); load the page again") from None


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[0]
