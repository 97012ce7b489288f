"""What the HTML pages have in common: templates that cannot forget to escape, and a policy that names what they hold.

Whatever a template prints passes through `text.plain` and is escaped. A page loads nothing; the policy in its head
allows its own style sheet and script by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from grader.reports import words
from grader.reports.text import line, plain

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Inline:
    """A file of ours that stands in the page, and its hash for the policy."""

    text: Markup
    hash: str


def inline(*names: str) -> Inline:
    """Files of the templates' folder, one after the other, as the content of one element."""
    text = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Inline(Markup(text), f"'sha256-{digest}'")


@functools.cache
def environment() -> jinja2.Environment:
    """The templates."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"points": words.points, "counted": words.counted, "with_code": with_code, "one_line": line}
    found.globals |= {"words": words}
    return found


def with_code(text: str) -> Markup:
    """A sentence whose `backticks` show as code."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0:
        return escape(plain(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _shown(value: Any) -> Any:
    """Every text that a template prints is made plain first; jinja2 escapes it afterwards."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
