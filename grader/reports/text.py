"""How untrusted text becomes safe: for a terminal or a log, for Markdown and HTML, for GitHub's workflow commands.

Messages, file names, names of submissions, evidence and diffs hold whatever a student wrote. Each face passes them
through one of these functions, and the functions are total: every string is accepted.
"""

from __future__ import annotations

import re
import string

LONG = 4000
"""How many characters of a message or a diff are shown."""
SHORT = 200
"""How many characters of a title, a name or another text of one line are shown."""

# Characters that Unicode calls printable although nothing is seen: fillers, joiners, variation selectors.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_BLANK_CHARACTER = re.compile(f"[{_BLANK}]")
_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)
_PLAIN_ASCII = re.compile(r"[\n\t\x20-\x7e]*\Z")

# GitHub finds these in the rendered text, where an entity is its character again; a space of no width behind their
# beginning breaks them: @name, #1, GH-1, :emoji:, http://, www.
_REFERENCE = re.compile(r"([@#](?=\S)|\bgh-(?=\d)|:(?=//|[\w+-]+:)|\bwww(?=\.))", re.IGNORECASE)
_BREAK = "\u200b"
_ENTITIES = str.maketrans({character: f"&#{ord(character)};" for character in string.punctuation} | {_BREAK: "&#8203;"})


def plain(text: str, limit: int = LONG) -> str:
    """Text that a terminal and a log only show: several lines, every other control or invisible character spelled out.

    What GitHub's runner obeys in a log is spelled out, too: `##[` anywhere in a line, `::` where a line begins.
    """
    shown = _cut(text, limit).expandtabs(4)
    if not _PLAIN_ASCII.match(shown):
        shown = "".join(_visible(character) for character in shown)
    if "::" in shown:
        shown = _COMMAND.sub(r"\1\\x3a:", shown)
    return shown.replace("##[", r"#\x23[")


def line(text: str, limit: int = SHORT) -> str:
    """`plain` text on one line."""
    return plain(text, limit).replace("\n", r"\n")


def has_invisible(text: str) -> bool:
    """Whether a text holds characters that a reader would not see, or that reorder what is seen."""
    seen = text.replace("\n", "").replace("\t", "")
    return not seen.isprintable() or _BLANK_CHARACTER.search(seen) is not None


def markdown(text: str, limit: int = LONG) -> str:
    """Text that shows as itself wherever Markdown or HTML stands: in a paragraph, a table's cell, a `<summary>`.

    All punctuation becomes entities, which CommonMark never reads as structure; newlines become `<br>`.
    """
    spelled = _REFERENCE.sub(rf"\1{_BREAK}", plain(text, limit).strip())
    lines = spelled.translate(_ENTITIES).split("\n")
    return "<br>".join(part.strip() for part in lines)


def code_block(text: str, language: str = "", limit: int = LONG) -> str:
    """Text as a fenced block, which nothing in it can close; the fence must begin a line."""
    shown = plain(text, limit)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def workflow_data(text: str, limit: int = LONG) -> str:
    """Text as the message of a workflow command (`::error::message`): one line, no command of its own."""
    return plain(text, limit).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str, limit: int = SHORT) -> str:
    """Text as a property of a workflow command (`::error title=property::`)."""
    return workflow_data(text, limit).replace(":", "%3A").replace(",", "%2C")


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)} characters, the first {limit} are shown)"


def _visible(character: str) -> str:
    if character == "\n" or (character.isprintable() and not _BLANK_CHARACTER.match(character)):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"<U+{code:04X}>"
