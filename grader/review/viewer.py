"""The frame that shows a student's PDF: pdf.js in a document without an origin, which can reach nothing else.

Its policy allows the viewer's own files and no other address; its sandbox takes its origin, so that no cookie, storage
or page of ours is open to it. The page around it hands it the PDF's bytes; the frame never learns the address that
opens the rest.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.review.guard import Doors

_HERE = Path(__file__).parent / "frame"
_PARTS = Path("share", "gapgrade", "node_modules", "pdfjs-dist")
_SHIPPED = ("legacy", "cmaps", "standard_fonts", "wasm", "iccs")


def find_parts() -> Path | None:
    """The folder of pdf.js, where `make setup` has installed it."""
    folder = Path(sysconfig.get_path("data")) / _PARTS
    return folder if (folder / "legacy" / "build" / "pdf.min.mjs").is_file() else None


def viewer_app(doors: Doors, parts: Path | None) -> ASGIApp:
    """The viewer's files. The frame has no origin of its own, so it may read them from any."""
    routes: list[Route | Mount] = [Route(f"/{name}", _file) for name in ("viewer.html", "viewer.js", "viewer.css")]
    if parts is not None:
        routes += [Mount(f"/pdfjs/{name}", StaticFiles(directory=parts / name)) for name in _SHIPPED]
    app = Starlette(routes=routes)
    policies = {host: _policy(f"http://{host}/{doors.viewer}/") for host in doors.hosts}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                host = Request(scope).headers["host"]
                headers["Content-Security-Policy"] = policies[host]
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            await send(message)

        await app(scope, receive, with_policy)

    return answer


def _policy(own: str) -> str:
    """`own` instead of 'self': a document without an origin has no self in every browser."""
    return (
        f"default-src 'none'; script-src {own} blob: 'wasm-unsafe-eval'; worker-src blob:; style-src {own}; "
        f"connect-src {own}; img-src blob: data:; font-src data: blob:; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {own.rpartition('/')[0].rpartition('/')[0]}; sandbox allow-scripts"
    )


async def _file(request: Request) -> FileResponse:
    return FileResponse(_HERE / request.url.path.rpartition("/")[2])
