"""Read what a rule wants to know of a student's PDF.

Called inside the sandbox, as a file on its own: plain data in, plain data out, whatever the bytes are.
"""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

import pypdf
from pypdf.generic import DictionaryObject, PdfObject

MAX_BYTES = 30 * 1024**2
MAX_PAGES = 1_000
MAX_PAGES_OF_TEXT = 100
MAX_TEXT_CHARACTERS = 20_000
MAX_ERROR_CHARACTERS = 200


def read_pdf(data: bytes, first_pages: int = 1) -> dict[str, Any]:
    """Pages and text of a PDF; never raises.

    Returns:
        `pages` (how many), `text_of_first_page` (of the first `first_pages` together, cut at 20,000 characters),
        `encrypted`, `javascript` (whether it holds any; nothing is run), `error` (a sentence, empty where all is well).
    """
    read: dict[str, Any] = {"pages": 0, "text_of_first_page": "", "encrypted": False, "javascript": False, "error": ""}
    if b"%PDF-" not in data[:1024]:  # readers look for it there, too
        read["error"] = _what_it_is_instead(data)
    elif len(data) > MAX_BYTES:
        read["error"] = f"it is larger than {MAX_BYTES // 1024**2} MiB"
    else:
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _read(data, first_pages, read)
        except Exception as error:  # whatever a hostile file makes a parser raise is one sentence about that file
            read["error"] = _unread(error)
    return read


def _read(data: bytes, first_pages: int, read: dict[str, Any]) -> None:
    reader = pypdf.PdfReader(io.BytesIO(data))
    read["encrypted"] = reader.is_encrypted
    if reader.is_encrypted and not reader.decrypt(""):  # without a password it may be printed, not changed
        read["error"] = "it opens only with a password; save it without one"
        return
    read["javascript"] = _has_javascript(reader)
    read["pages"] = len(reader.pages)
    if not read["pages"]:
        read["error"] = "it has no pages"
    elif read["pages"] > MAX_PAGES:
        read["error"] = f"it has more than {MAX_PAGES:,} pages"
    else:
        texts = [page.extract_text() for page in reader.pages[:first_pages]]
        read["text_of_first_page"] = "\n".join(texts)[:MAX_TEXT_CHARACTERS]


def read_text(data: bytes) -> str | None:
    """The text of all pages of a PDF, page numbers and captions among it; None where it cannot be read."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = pypdf.PdfReader(io.BytesIO(data))
            if reader.is_encrypted:
                reader.decrypt("")  # where that does not open it, its pages raise
            if len(data) > MAX_BYTES or len(reader.pages) > MAX_PAGES_OF_TEXT:
                return None
            return "\n".join(page.extract_text() for page in reader.pages)
    except Exception:  # as in `read_pdf`, which says what is wrong with the file
        return None


def _has_javascript(reader: pypdf.PdfReader) -> bool:
    """Whether the document runs a script when it is opened, or names one."""
    catalog = reader.root_object
    names = _inner(catalog, "/Names")
    return "/JavaScript" in names or _is_script(_inner(catalog, "/OpenAction")) or "/AA" in catalog


def _unread(error: Exception) -> str:
    what = f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS]
    return f"it cannot be read ({what}); export it anew, and open it before you hand it in"


def _inner(parent: DictionaryObject, key: str) -> DictionaryObject:
    found: PdfObject | None = parent.get(key)
    found = found.get_object() if found is not None else None
    return found if isinstance(found, DictionaryObject) else DictionaryObject()


def _is_script(action: DictionaryObject) -> bool:
    return action.get("/S") == "/JavaScript" or "/JS" in action


def _what_it_is_instead(data: bytes) -> str:
    if not data:
        return "it is empty"
    kinds = {b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"PK\x03\x04": "a zip archive or Office file"}
    kind = next((kind for start, kind in kinds.items() if data.startswith(start)), "something else")
    return f"it is no PDF but {kind}; a new name does not change what a file is"
