"""A bridge to `git http-backend`, the CGI program that speaks git's protocol over HTTP."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.fake_github.api import Answer


def run_backend(repository: Path, path: str, query: str, method: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request of git's, answered from a real repository; it can only be read."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(repository),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
    head, _, data = done.stdout.partition(b"\r\n\r\n")
    given = dict(line.split(": ", 1) for line in head.decode().splitlines())
    status = int(given.pop("Status", "200 OK").split()[0])
    return Answer(status, data, given)
