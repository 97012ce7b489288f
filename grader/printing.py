"""Print a page of ours to PDF with a headless Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = ("--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--no-pdf-header-footer")
SECONDS = 120


def find_browser() -> str | None:
    """The path of a Chromium or Chrome, or None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_pdf(page: Path, pdf: Path) -> str:
    """Write the PDF of a page; returns why there is none, or nothing.

    The page's own policy lets nothing be loaded and no script run.
    """
    browser = find_browser()
    if browser is None:
        return "no Chromium or Chrome is installed, so there is no PDF; print the page from any browser"
    pdf.unlink(missing_ok=True)
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="gapgrade-") as profile:
        command = [browser, *FLAGS, *root, f"--user-data-dir={profile}", f"--print-to-pdf={pdf.resolve()}"]
        try:
            subprocess.run([*command, page.resolve().as_uri()], capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"{browser} did not print the page within {SECONDS} s; print it from any browser"
    return "" if pdf.is_file() else f"{browser} printed nothing; print the page from any browser"
