"""The fake GitHub's HTTP: `/api/v3` and `OWNER/NAME.git`; only on loopback, only while the context is open."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.fake_github.api import Answer, answer_to
from tests.fake_github.backend import run_backend
from tests.fake_github.host import TOKEN, Host

API = "/api/v3"


@contextmanager
def serve(folder: Path) -> Iterator[Host]:
    """A host that answers until the context is left; fails then where an answer broke GitHub's schema."""
    host = Host(folder)
    handler = type("Handler", (_Handler,), {"host": host})
    server = _Server(("127.0.0.1", 0), handler)
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert not host.complaints, host.complaints


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed breaks its connection: that is no error here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    host: Host
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: headers and body in two wait for each other 40 ms

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PATCH = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: tests read `host.requests`."""

    def _handle(self) -> None:
        body = self._body()
        self.host.requests.append((self.command, self.path))
        fault = self.host.fault(self.command, self.path)
        if fault is not None and fault.before and not fault.cut:
            self._send(Answer(fault.status, fault.body, dict(fault.headers)))
            return
        answer = self._api(body) if self.path.startswith(API) else self._git(body)
        self.host.carried_out(self.command, self.path)
        if fault is not None and not fault.cut:
            answer = Answer(fault.status, fault.body, dict(fault.headers))
        self._send(answer, cut=fault is not None and fault.cut)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _api(self, body: bytes) -> Answer:
        if self.headers.get("Authorization") not in (f"token {TOKEN}", f"Bearer {TOKEN}"):
            return Answer.of({"message": "Bad credentials"}, 401)
        if self.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            return Answer.of({"message": "no version was asked for"}, 400)
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        try:
            given = json.loads(body) if body else {}
            answer = answer_to(self.host, self.command, parts.path.removeprefix(API), query, given)
        except Exception as error:  # an answer that GitHub would not give is a defect of the fake: told at the end
            self.host.complaints.append(f"{self.command} {self.path}: {error!r:.500}")
            return Answer.of({"message": "the fake is broken"}, 500)
        return self._page(answer, parts.path, query)

    def _page(self, answer: Answer, path: str, query: dict[str, str]) -> Answer:
        """One page of a list, and the address of the next: by cursor for the log, by number otherwise."""
        items = json.loads(answer.body)
        if not isinstance(items, list):
            return answer
        size = min(self.host.page_size, int(query.get("per_page", 30)))
        cursor = "after" if path.endswith("/activity") else "page"
        start = int(query.get(cursor, 0 if cursor == "after" else 1)) - (cursor == "page")
        start *= size if cursor == "page" else 1
        page = Answer.of(items[start : start + size], answer.status)
        if start + size < len(items):
            following = start + size if cursor == "after" else start // size + 2
            address = f"{self.host.url}{path}?{urlencode({**query, cursor: str(following)})}"
            page.headers["Link"] = f'<{address}>; rel="next"'
        return page

    def _git(self, body: bytes) -> Answer:
        parts = urlsplit(self.path)
        name, _, rest = parts.path.lstrip("/").partition(".git")
        if renamed := self.host.renamed.get(name.lower()):
            return Answer(301, b"", {"Location": f"{self.host.url}/{renamed}.git{rest}?{parts.query}"})
        basic = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {basic}":
            return Answer(401, b"", {"WWW-Authenticate": "Basic"})
        repository = self.host.repositories.get(name.lower())
        if repository is None:
            return Answer.of({"message": "Not Found"}, 404)
        return run_backend(repository.path, rest, parts.query, self.command, dict(self.headers.items()), body)

    def _send(self, answer: Answer, *, cut: bool = False) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        self.close_connection = self.close_connection or cut
