"""Untrusted text stays text: in a terminal, in Markdown and HTML, in a log that GitHub's runner reads."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from grader.reports import text as safe

HOSTILE = [
    "\x1b[2J\x1b]0;title\x07red",
    "\u202etxt.exe",
    "</details></summary>",
    "::error::forged",
    "  ::set-env name=PATH::/tmp",
    "\r::notice title=Autograding report::{}",
    "##[set-env name=A;]b",
    "a | b \\| c",
    "<script>alert(1)</script><svg onload=x>",
    "@all and @team/all",
    "#1 user/repo#2 GH-3",
    "![](http://x) [a](javascript:b) <http://x> www.example.org http://example.org",
    "\0\x7f\x85\u2028\u2029\ud800",
    "\u200b\ufe0f\u3164\U000e0041\u2800",
    "```\n~~~\n# title\n    code\n1. one\n- two\n===\n> quote",
    "&lt;b&gt; &#64;all `x` **b** ~~s~~ $x$ :tada:",
    "%0A::error::x",
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(),
    st.text(alphabet="`~|<>@#:[]()!*_-=\n\r\t &;\\/.w1aG"),
    st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5)).map("".join),
)


@given(texts)
def test_plain_text_holds_nothing_that_acts_or_hides(text: str) -> None:
    shown = safe.plain(text)
    assert all(character == "\n" or character.isprintable() for character in shown)
    assert "##[" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.split("\n"))
    assert not safe.has_invisible(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\r\nb", "a\\x0d\nb"),
        ("x[::2] → ü 😀", "x[::2] → ü 😀"),
        ("a\n\n  ::error::b", "a\n\n  \\x3a:error::b"),
        ("\ud800", "<U+D800>"),
        ("i\ufe0f", "i<U+FE0F>"),
    ],
)
def test_plain_text_spells_out_what_it_replaces_and_leaves_the_rest(text: str, shown: str) -> None:
    assert safe.plain(text) == shown


def test_long_texts_are_cut_and_say_so() -> None:
    shown = safe.plain("x" * 1_000_000, limit=10)
    assert shown == "xxxxxxxxxx… (1000000 characters, the first 10 are shown)"


@given(texts)
def test_a_line_is_one_line(text: str) -> None:
    assert len(safe.line(text).splitlines()) <= 1


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _shown(rendered: str) -> str:
    return rendered.replace("\u200b", "")


@given(texts)
def test_markdown_shows_as_itself_in_a_table(text: str) -> None:
    tokens = _parser().parse(f"| a | b |\n| --- | --- |\n| {safe.markdown(text)} | end |\n\nnext")
    cells = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "td_open"]
    assert [token.type for token in tokens].count("tr_open") == 2
    assert len(cells) == 2
    parts = cells[0].children or []
    assert {part.type for part in parts} <= {"text", "html_inline"}
    shown = "".join("\n" if part.type == "html_inline" else part.content for part in parts)
    assert _shown(shown) == "\n".join(line.strip() for line in safe.plain(text).strip().split("\n"))


@given(texts)
def test_markdown_shows_as_itself_in_a_paragraph(text: str) -> None:
    tokens = _parser().parse(f"{safe.markdown(text)}")
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    for inline in tokens[1:2]:
        assert {part.type for part in inline.children or []} <= {"text", "html_inline"}
        assert {part.content for part in inline.children or [] if part.type == "html_inline"} <= {"<br>"}


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


@given(texts)
def test_markdown_cannot_leave_a_summary(text: str) -> None:
    html = _parser().render(f"<details><summary>{safe.markdown(text)}</summary>\n\nbody\n\n</details>\n")
    tags = [tag for tag in _Tags(html).tags if tag != "br"]
    assert tags == ["details", "summary", "/summary", "p", "/p", "/details"]


@given(texts)
def test_markdown_mentions_nobody_and_refers_to_nothing(text: str) -> None:
    rendered = "".join(
        part.content for token in _parser().parse(safe.markdown(text)) for part in token.children or [] if part.content
    )
    assert not re.search(r"@\w|#\d|\bgh-\d|://|\bwww\.", rendered, re.IGNORECASE)


@given(texts)
def test_nothing_closes_a_code_block(text: str) -> None:
    tokens = _parser().parse(f"{safe.code_block(text, 'diff')}\n\nnext")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == safe.plain(text) + "\n"


@given(texts)
def test_workflow_data_is_one_line_that_reads_back(text: str) -> None:
    data = safe.workflow_data(text)
    assert len(data.splitlines()) <= 1
    assert unquote(data) == safe.plain(text)


@given(texts)
def test_a_workflow_property_ends_neither_itself_nor_its_command(text: str) -> None:
    assert not set(safe.workflow_property(text)) & set(":,\r\n")
