"""A student's notebook as harmless HTML: text, code, and pictures of pixels; no script, no link to what is elsewhere.

Called inside the sandbox: what parses Markdown and HTML meets hostile bytes there.
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import bleach
import latex2mathml.converter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image

from gapcheck.cells import Cell, NotebookError, read_ipynb
from grader.notebooks import tagged

MAX_TEXT = 20_000
MAX_OUTPUTS = 50
MAX_PICTURES = 12 * 2**20
"""Base64 characters of all pictures together."""
MAX_PIXELS = 16_000_000  # of one picture

PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG"}
TAGS = (
    "b blockquote br code del dd div dl dt em h1 h2 h3 h4 h5 h6 hr i li ol p pre s span strong sub sup table tbody td "
    "th thead tr ul"
).split()
MATHML = (
    "math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mroot mrow mspace msqrt mstyle msub "
    "msubsup msup mtable mtd mtext mtr munder munderover"
).split()
LAYOUT = (
    "columnalign columnspacing display displaystyle fence form linethickness mathvariant rowspacing stretchy".split()
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def render_notebook(template: str, data: bytes, path: str) -> dict[str, Any]:
    """Render a notebook cell by cell.

    Returns:
        plain data: `error` (why it cannot be read, or nothing) and `cells`, each with `id`, `kind`, `tags`, `html` (of
        text and code) and `outputs` (a list of HTML; of text the pictures that are attached to it).
    """
    try:
        handed = read_ipynb(data, path)
        cells = tagged(read_ipynb(template, path), handed)
    except NotebookError as error:
        return {"error": str(error), "cells": []}
    left = MAX_PICTURES
    rendered = []
    for cell, raw in zip(cells, json.loads(data)["cells"], strict=True):
        outputs = []
        for output in _beside(cell, raw):
            shown = _output(output, left)
            left -= len(shown) if shown.startswith("<img") else 0
            outputs += [shown] if shown else []
        about = {"id": cell.id, "kind": cell.kind, "tags": list(cell.tags)}
        rendered.append({**about, "html": _source(cell), "outputs": outputs})
    return {"error": "", "cells": rendered}


class _Renderer(IPythonRenderer):
    """Shows HTML in Markdown as text, formulas as MathML, and a word for a picture: none is loaded from anywhere."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f"<em>[picture{f': {text}' if text else ''}]</em>"

    def inline_math(self, body: str) -> str:
        return _formula(body, "inline") or f"${html.escape(body)}$"

    def block_math(self, body: str) -> str:
        return _formula(body, "block") or f"$${html.escape(body)}$$"


def _formula(tex: str, display: str) -> str:
    """MathML, or nothing where the formula cannot be read."""
    try:
        return str(latex2mathml.converter.convert(tex, display=display))
    except Exception:  # a converter of others meets whatever students type
        return ""


def render_markdown(text: str) -> str:
    """Markdown as HTML of few tags, and of no attributes but those that say how a formula is laid out."""
    rendered = MarkdownWithMath(_Renderer(escape=True, exclude_anchor_links=True)).render(text[:MAX_TEXT])
    return str(bleach.clean(rendered, tags=[*TAGS, *MATHML], attributes=LAYOUT, strip=True))


def _source(cell: Cell) -> str:
    return render_markdown(cell.source) if cell.kind == "markdown" else _as_text(cell.source)


def _as_text(text: str) -> str:
    cut = "\n... (cut)" if len(text) > MAX_TEXT else ""
    return f"<pre>{html.escape(text[:MAX_TEXT])}{cut}</pre>"


def _beside(cell: Cell, raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The outputs of code, and what is attached to text as if it were its output."""
    if cell.kind == "code":
        yield from _listed(raw.get("outputs"))
    elif isinstance(attached := raw.get("attachments"), dict):
        yield from ({"data": one} for one in _listed(list(attached.values())))


def _listed(outputs: Any) -> Iterator[dict[str, Any]]:
    if isinstance(outputs, list):
        yield from (output for output in outputs[:MAX_OUTPUTS] if isinstance(output, dict))


def _output(output: dict[str, Any], most: int) -> str:
    """A picture where there is one of pixels, else plain text; tables and widgets have a plain text beside them."""
    data = output.get("data")
    data = data if isinstance(data, dict) else {}
    for kind, name in PICTURES.items():
        if picture := _picture(_joined(data.get(kind)), name, most):
            return f'<img alt="a picture of this cell" src="data:image/png;base64,{picture}">'
    lines = output.get("traceback") if output.get("output_type") == "error" else output.get("text")
    text = "\n".join(map(str, lines)) if output.get("output_type") == "error" and isinstance(lines, list) else ""
    text = _ANSI.sub("", text or _joined(lines) or _joined(data.get("text/plain")))
    return _as_text(text.encode("utf-8", "replace").decode()) if text.strip() else ""


def _joined(text: Any) -> str:
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        return "".join(text)
    return text if isinstance(text, str) else ""


def _picture(text: str, name: str, most: int) -> str:
    """The picture's pixels as a PNG of our own in base64, or nothing where it is none or too large.

    A browser that prints the page so meets no byte of a file that a student made.
    """
    if not 0 < len(text) <= most:
        return ""
    written = io.BytesIO()
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
        with Image.open(io.BytesIO(data), formats=[name]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return ""
            pixels = picture.convert("RGBA")
            pixels.info.clear()  # a colour profile would be written with them
            pixels.save(written, "PNG")
    except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError):
        return ""
    encoded = base64.b64encode(written.getvalue()).decode()
    return encoded if len(encoded) <= most else ""
