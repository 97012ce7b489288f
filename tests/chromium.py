"""A browser that tests press keys in: Chromium over its debugging pipe, without another package.

https://chromedevtools.github.io/devtools-protocol/ - messages are JSON, each ends with a null character.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

AXE = Path(sys.prefix, "share", "gapgrade", "node_modules", "axe-core", "axe.min.js")
"""axe-core, which finds what a page keeps from people who cannot see it or have no mouse; `make setup` installs it."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
FLAGS = ["--headless", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", "--hide-scrollbars"]
LAUNCH = """
import fcntl, os, sys
read, write = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(read, 3)
os.dup2(write, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Becomes the browser, with the pipe where it expects it: it reads from 3 and writes to 4."""
LONGEST = 4000  # pixels of a page that a picture shows
PATIENCE = 20.0  # seconds until something that is waited for must have happened
LEFT = {
    "Inspected target navigated or closed",
    "Cannot find default execution context",
    "Execution context was destroyed.",
}
"""What the browser answers when the page that should evaluate an expression is just being left."""
KEYS = {"Enter": ("Enter", "\r", 13), "Escape": ("Escape", "", 27), "Tab": ("Tab", "", 9)}


def find_browser() -> str:
    """The path of a browser; the test fails where there is none, unless GAPGRADE_NO_BROWSER=1 says so."""
    if os.environ.get("GAPGRADE_NO_BROWSER") == "1":
        pytest.skip("GAPGRADE_NO_BROWSER=1")
    found = next(filter(None, map(shutil.which, BROWSERS)), MAC if Path(MAC).exists() else None)
    if found is None:
        pytest.fail("no Chromium or Chrome: sudo apt-get install chromium, or set GAPGRADE_NO_BROWSER=1 to do without")
    return found


class PageLeft(AssertionError):
    """The page was left before an expression had its value."""


class Chromium:
    """One page of a browser of its own; `with Chromium(path, profile) as page:`."""

    def __init__(self, browser: str, profile: Path, width: int = 1280, height: int = 800) -> None:
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [
            browser,
            *FLAGS,
            *root,
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            "about:blank",
        ]
        launch = [sys.executable, "-c", LAUNCH, str(to_browser), str(from_browser), *command]
        self._process = subprocess.Popen(
            launch, pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._number, self._session = b"", 0, ""
        self.console: list[str] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and wait for what it returns."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if (error := answer.get("error")) is None:
                    return answer["result"]
                raise PageLeft(error) if error["message"] in LEFT else AssertionError(error)
            self._hear(answer)

    def go(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str, patience: float = PATIENCE) -> Any:
        """Wait until an expression is true, also across pages; what it is then."""

        def value() -> Any:
            try:
                return self.run(expression)
            except PageLeft:
                return None

        return self.wait(value, expression, patience)

    def wait(self, ready: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        end = time.monotonic() + patience
        while not (found := ready()):
            assert time.monotonic() < end, f"this never came: {what}\n{self.console}"
            time.sleep(0.03)
        return found

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, as a keyboard does: "1", "m", "Enter", "Shift+2"."""
        for key in keys:
            name = key.removeprefix("Shift+")
            code, text, number = KEYS.get(name, (f"Digit{name}" if name.isdigit() else f"Key{name.upper()}", name, 0))
            shift = 8 if key != name else 0
            event = {
                "key": name,
                "code": code,
                "windowsVirtualKeyCode": number or ord(name.upper()),
                "modifiers": shift,
            }
            self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def photograph(self, name: str) -> None:
        """Write the whole page as it is into a PNG, where GAPGRADE_SCREENSHOTS names a folder (`make screenshots`)."""
        if folder := os.environ.get("GAPGRADE_SCREENSHOTS"):
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], LONGEST), "scale": 1}
            taken = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, f"{name}.png").write_bytes(base64.b64decode(taken["data"]))

    def axe_finds(self) -> object:
        """What axe-core has against the page as it is; frames are left out."""
        self.call("Runtime.evaluate", expression=AXE.read_text(encoding="utf-8"))
        return self.run(
            "axe.run({iframes: false})"
            ".then(r => r.violations.map(v => [v.id, v.nodes[0].html, v.nodes[0].failureSummary]))"
        )

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._from, 2**16)
            assert data, "the browser ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _hear(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(one.get("value", one)) for one in event["params"]["args"]))
        elif event.get("method") == "Log.entryAdded":
            self.console.append(event["params"]["entry"]["text"])
        elif event.get("method") == "Page.javascriptDialogOpening":  # such as "leave this page?"
            answer = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            os.write(self._to, json.dumps(answer | {"sessionId": self._session}).encode() + b"\0")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._to)
        self._process.terminate()
        self._process.wait(10)
        os.close(self._from)
