"""The pages of docs/ as a site, in a real browser: built without a broken link, nothing from elsewhere, accessible."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.chromium import Chromium, find_browser

ROOT = Path(__file__).resolve().parent.parent


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """The requests are asked of the browser."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site; building it is strict, so that a broken link or a page without a place fails."""
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(find_browser(), tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.mark.parametrize("page", ["index.html", "instructors.html"])
def test_a_page_loads_nothing_from_elsewhere_and_axe_finds_nothing(site: str, chromium: Chromium, page: str) -> None:
    chromium.go(f"{site}/{page}")
    loaded = chromium.run("performance.getEntriesByType('resource').map(one => one.name)")
    assert loaded
    assert [address for address in loaded if not address.startswith(site)] == []
    chromium.run("document.styleSheets[0].insertRule('* { transition: none !important }')")  # colours at once
    for scheme in ("default", "slate"):
        chromium.run(f"document.body.dataset.mdColorScheme = '{scheme}'")
        assert chromium.axe_finds() == []
        chromium.photograph(f"site-{Path(page).stem}-{scheme}")


def test_what_is_waited_for_is_asked_again_when_a_page_is_left_meanwhile(site: str, chromium: Chromium) -> None:
    chromium.go(f"{site}/index.html")
    leave = "(location.href = 'students.html', new Promise(() => {}))"  # has no value: only leaving ends it
    chromium.until(f"location.pathname.endsWith('students.html') || {leave}")


def test_the_navigation_leads_from_page_to_page_and_the_search_finds_them(site: str, chromium: Chromium) -> None:
    chromium.go(f"{site}/index.html")
    chromium.run("[...document.querySelectorAll('nav a')].find(a => a.textContent.trim() === 'Students').click()")
    chromium.until("document.querySelector('h1')?.textContent.startsWith('For students')")
    chromium.until("document.querySelector('img') === null || document.images[0].complete")
    chromium.run("document.querySelector('[data-md-component=search-query]').focus()")
    chromium.type("reparameterize")
    chromium.until("[...document.querySelectorAll('.md-search-result a')].some(a => a.href.includes('students.html'))")


def test_the_pictures_are_there(site: str, chromium: Chromium) -> None:
    for page in ("index.html", "architecture.html"):
        chromium.go(f"{site}/{page}")
        assert chromium.run("document.images.length > 0 && [...document.images].every(i => i.naturalWidth > 0)")
