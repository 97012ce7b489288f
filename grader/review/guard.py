"""Who may talk to the review server: a browser on this machine that knows the address, and nobody else.

The address holds a random token. A page of somebody else's cannot know it; the host's name is checked against pages
that let their own name point here (DNS rebinding), and a write must come from a page of ours. The frame that shows a
student's PDF knows another token, which opens the viewer's own files and no student's.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READS = ("GET", "HEAD")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _token() -> str:
    return secrets.token_urlsafe(24)


def _first(scope: Scope) -> str:
    """The first part of the path: `token` of `/token/all`."""
    return str(scope["path"]).removeprefix("/").partition("/")[0]


@dataclass(frozen=True)
class Doors:
    """Where the server listens, and the two secrets that open it."""

    port: int
    token: str = field(default_factory=_token)
    viewer: str = field(default_factory=_token)

    @property
    def hosts(self) -> tuple[str, ...]:
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")

    @property
    def address(self) -> str:
        return f"http://{self.hosts[0]}/{self.token}/"


class Guard:
    """The ASGI application in front of the others: refuses, or passes on with the token taken off the path."""

    def __init__(self, doors: Doors, desk: ASGIApp, viewer: ASGIApp) -> None:
        self._doors, self._desk, self._viewer = doors, desk, viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        app, problem = self._judge(scope, Headers(scope=scope))
        if app is None:
            await PlainTextResponse(problem, 403, _ALWAYS)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app({**scope, "root_path": f"/{_first(scope)}"}, receive, answer)

    def _judge(self, scope: Scope, headers: Mapping[str, str]) -> tuple[ASGIApp | None, str]:
        if headers.get("host", "") not in self._doors.hosts:
            return None, "This server answers to 127.0.0.1 and localhost only."
        first = _first(scope).encode()
        ours = hmac.compare_digest(first, self._doors.token.encode())
        viewers = hmac.compare_digest(first, self._doors.viewer.encode())
        if not ours and not viewers:
            return None, "The address lacks its token; open the whole address that the command printed."
        if scope["method"] in READS:
            return (self._desk if ours else self._viewer), ""
        own = [f"http://{host}" for host in self._doors.hosts]
        if viewers or scope["method"] != "POST" or headers.get("origin", "") not in own:
            return None, "This does not come from the page itself."
        return self._desk, ""
