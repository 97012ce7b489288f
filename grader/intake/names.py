"""Which names of a submission's files are safe on every system, and which files are read at all.

Paths are POSIX paths relative to the submission; nothing here touches a file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

MAX_DEPTH = 20
MAX_PATH_CHARACTERS = 240  # Windows stops at 260, and the submission lies in some folder itself

MAX_TEXT_BYTES = 1024**2
MAX_NOTEBOOK_BYTES = 20 * 1024**2  # a notebook carries its pictures
MAX_PDF_BYTES = 30 * 1024**2

_TEXT = ".bat .cfg .csv .ini .json .md .py .rst .sh .tex .toml .txt .typ .yaml .yml".split()
_MOST_BYTES = {**dict.fromkeys(_TEXT, MAX_TEXT_BYTES), ".ipynb": MAX_NOTEBOOK_BYTES, ".pdf": MAX_PDF_BYTES}

_IGNORED = re.compile(
    r"__MACOSX|__pycache__|\.DS_Store|\.git|\.idea|\.ipynb_checkpoints|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.venv"
    r"|\.vscode|\._.*|.*\.egg-info|env|node_modules|results_.*|Thumbs\.db|venv",
    re.DOTALL,
)
_IGNORED_AT_THE_TOP = ("data",)  # lib/data is code

_WINDOWS_RESERVED = re.compile(r"(?:aux|con|conin\$|conout\$|nul|prn|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)


def why_unsafe(path: str) -> str | None:
    """Why a file must not carry this name, or None where the name is safe on every system.

    A name with a part that is empty or `.` is unsafe as well; whoever reads names that may hold such parts drops them.
    """
    return next(_dangers(path), None)


def _dangers(path: str) -> Iterator[str]:
    parts = path.split("/")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in path):
        yield "its name is not UTF-8"
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in path):
        yield "its name holds control or invisible characters"
    if path.startswith("/") or "\\" in path or ":" in path:
        yield "its name is an absolute path, names a drive, or holds a backslash or colon"
    if any(part in ("", ".", "..") for part in parts):
        yield "its name leads out of its folder"
    if any(part.endswith((".", " ")) or part.startswith(" ") for part in parts):
        yield "a part of its name begins or ends with a blank, or ends with a dot"
    if any(_WINDOWS_RESERVED.fullmatch(part) for part in parts):
        yield "Windows reserves its name"
    if len(path) > MAX_PATH_CHARACTERS:
        yield f"its name has more than {MAX_PATH_CHARACTERS} characters"
    if len(parts) - 1 > MAX_DEPTH:
        yield f"it lies deeper than {MAX_DEPTH} folders"


def is_ignored(path: str) -> bool:
    """Whether a file or folder lies in, or is, what no one hands in on purpose: not read, no finding."""
    parts = path.split("/")
    return parts[0] in _IGNORED_AT_THE_TOP or any(_IGNORED.fullmatch(part) for part in parts)


def most_bytes(path: str) -> int | None:
    """How many bytes of a file are read at most; None for a kind of file that is not read."""
    return _MOST_BYTES.get(PurePosixPath(path).suffix.lower())


def collision_key(path: str) -> str:
    """Two paths with one key are one file on some systems (macOS and Windows fold case, macOS composes letters)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def shown(path: str) -> str:
    """A name as text that can be shown and stored: what cannot be printed is written as an escape, the rest is cut."""
    cut = path if len(path) <= MAX_PATH_CHARACTERS else path[: MAX_PATH_CHARACTERS - 3] + "..."
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in cut)
