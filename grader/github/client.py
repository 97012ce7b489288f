"""Requests to GitHub's REST API, within its limits.

On 403 and 429 `retry-after` is obeyed; else, with nothing remaining, `x-ratelimit-reset`; else 60 seconds, doubled each
time. All threads of a client wait together. Writes keep to 80 a minute and 500 an hour, one after the other.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from githubkit import GitHub
from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed
from githubkit.throttling import LocalThrottler

from grader import GapgradeError, __version__

PUBLIC_API = "https://api.github.com"
API_VERSION = "2022-11-28"
MAX_PAGES = 200
TRIES = 6
SECONDS = 30.0
LONGEST_WAIT = 2 * 3600.0  # a primary limit is reset within one hour; a host that asks for more is broken
WITHOUT_ADVICE = 60.0
WRITES = ((80, 60.0), (500, 3600.0))  # so many within so many seconds
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HostError(GapgradeError):
    """The host refused or did not answer: what was asked, what came back, and what to do."""


class MissingError(HostError, LookupError):
    """There is no such thing at the host, or the token may not see it (404, 410, or 409 for an empty repository)."""


class LostError(HostError):
    """A request that creates something was sent and its answer was lost: look whether it was carried out."""


class Client:
    """One host and one token. Safe to use from several threads.

    Args:
        token: sent as a header, never part of an address, a message or a log.
        say: told about each longer wait, in words.
        sleep, clock: the time; tests bring their own.
    """

    def __init__(
        self,
        api_url: str = PUBLIC_API,
        token: str = "",
        *,
        say: Callable[[str], None] = lambda message: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.web_url = web_url(self.api_url)
        self.token = token
        self._say, self._sleep, self._clock = say, sleep, clock
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._not_before = 0.0
        self._written: deque[float] = deque(maxlen=max(most for most, _ in WRITES))
        self._github: GitHub[Any] = GitHub(
            token or None,
            base_url=self.api_url,
            user_agent=f"gapgrade/{__version__}",
            timeout=SECONDS,
            http_cache=False,
            auto_retry=False,
            ssl_verify=httpx.create_ssl_context(),  # made once: each request opens a client of its own
            throttler=LocalThrottler(8),
        )

    def get(self, path: str, **params: str | int) -> Any:
        """The decoded answer; a moved repository's is followed to its new name."""
        return self._tried("GET", path, params=params)[0]

    def pages(self, path: str, **params: str | int) -> Iterator[Any]:
        """All items of a list, page after page as the `Link` header leads."""
        following = path
        query: dict[str, str | int] = {"per_page": 100, **params}
        for _ in range(MAX_PAGES):
            items, address = self._tried("GET", following, params=query)
            if not isinstance(items, list):
                raise HostError(f"{self._named(path)} answered no list; check --api-url")
            yield from items
            if address is None:
                return
            following, query = address, {}
        raise HostError(f"{self._named(path)} has more than {MAX_PAGES} pages; narrow the prefix, or grade it by hand")

    def write(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Create or change something; one write at a time, within the limits for writes."""
        with self._writing:
            self._pace()
            try:
                return self._tried(method, path, body=body)[0]
            finally:
                self._written.append(self._clock())

    def _tried(
        self, method: str, path: str, *, params: dict[str, str | int] | None = None, body: dict[str, Any] | None = None
    ) -> tuple[Any, str | None]:
        """The answer, and where its next page is. What may pass is tried again; `TRIES` times in all."""
        reason = ""
        for count in range(TRIES):
            self._wait_for_the_limit()
            try:
                response = self._github.request(
                    method, path, params=params or None, json=body, headers={"X-GitHub-Api-Version": API_VERSION}
                )
                return json.loads(response.raw_response.content or b"null"), self._next(response.raw_response)
            except RateLimitExceeded as error:
                reason = self._limited(error.retry_after, count)
            except RequestFailed as error:
                reason = self._refused(method, path, error.response.raw_response, count)
            except (RequestError, ValueError) as error:  # no connection, cut short, or no JSON
                kind = type(getattr(error, "exc", error)).__name__
                reason = self._broken(method, path, f"the answer was lost ({kind})", count)
        raise HostError(f"{method} {self._named(path)} failed: {reason}; run the same command again, it goes on")

    def _broken(self, method: str, path: str, reason: str, count: int) -> str:
        """Wait before the next try; what creates something may have been carried out, and is not sent twice."""
        if method == "POST":
            raise LostError(f"POST {self._named(path)} failed: {reason}; look whether it was carried out")
        self._sleep(2.0**count)
        return reason

    def _refused(self, method: str, path: str, response: httpx.Response, count: int) -> str:
        """Why the host said no, where it may say yes later; otherwise raises."""
        status, message = response.status_code, _message(response)
        if status == 429 or (status == 403 and "rate limit" in message.lower()):
            return self._limited(timedelta(seconds=WITHOUT_ADVICE * 2**count), count)
        if status >= 500:
            return self._broken(method, path, f"the host answered {status}", count)
        what = f"{self._named(path)} answered {status} ({message})"
        if status in (404, 409, 410):
            raise MissingError(f"{what}; check the name, and that the token may read it")
        if status == 401:
            raise HostError(f"{what}; set GITHUB_TOKEN to a token that is valid")
        raise HostError(f"{what}; check what the token in GITHUB_TOKEN is allowed to do")

    def _limited(self, wait: timedelta, count: int) -> str:
        """Let every thread wait as long as the host asks for, and a second more for clocks that differ."""
        seconds = wait.total_seconds() + 1
        if seconds > LONGEST_WAIT:
            raise HostError(f"the host asks to wait {seconds / 3600:.0f} hours; run the same command again then")
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)
        if count < TRIES - 1:
            self._say(f"the host's limit is reached: waiting {seconds:.0f} s")
        return f"the host's limit is still reached after {count + 1} tries"

    def _wait_for_the_limit(self) -> None:
        while True:
            with self._lock:
                seconds = self._not_before - self._clock()
            if seconds <= 0:
                return
            self._sleep(seconds)

    def _pace(self) -> None:
        """Wait until one more write is within every limit."""
        for most, window in WRITES:
            if len(self._written) >= most:
                seconds = self._written[-most] + window - self._clock()
                if seconds > 0:
                    self._say(f"the limit for writes is reached: waiting {seconds:.0f} s")
                    self._sleep(seconds)

    def _next(self, response: httpx.Response) -> str | None:
        """The next page's address; it must be the same host's, since the token goes there."""
        address = response.links.get("next", {}).get("url")
        if address is not None and not _same_origin(address, self.api_url):
            raise HostError(f"{self.api_url} sends to another host for its next page; check --api-url")
        return address

    def _named(self, path: str) -> str:
        return path if path.startswith(self.api_url) else f"{self.api_url}{path}"


def web_url(api_url: str) -> str:
    """Where the host's repositories are cloned from: github.com, GHE.com (`api.NAME`), a server's `/api/v3`.

    Raises:
        HostError: for an address over plain HTTP, which would show the token; only this machine may be asked so.
    """
    parts = urlsplit(api_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise HostError(f"{api_url!r} is no https address; give --api-url like https://github.example.org/api/v3")
    if parts.username is not None:
        raise HostError("--api-url holds a password or token; set GITHUB_TOKEN instead")
    host = parts.netloc
    if parts.path in ("", "/"):
        host = host.removeprefix("api.")
    return f"{parts.scheme}://{host}"


def _same_origin(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def _message(response: httpx.Response) -> str:
    """What the host says, in one short line."""
    try:
        message = json.loads(response.content)["message"]
    except (ValueError, KeyError, TypeError):
        message = response.reason_phrase
    return " ".join(str(message).split())[:200]
