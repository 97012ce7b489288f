"""Reading PDFs that strangers made."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from grader.pdf import MAX_PAGES_OF_TEXT, read_pdf, read_text


def make_pdf(*pages: str) -> bytes:
    buffer = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(buffer) as file:
        for text in pages:
            figure = Figure(figsize=(8, 8))
            figure.text(0.1, 0.1, text)
            file.savefig(figure)
    return buffer.getvalue()


PDF = make_pdf("Matriculation numbers: 1234567, 2345678", "the second page: 7654321")


def changed(change: str) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(PDF))
    script = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("x()")})
    if change == "script at opening":
        writer.root_object[NameObject("/OpenAction")] = script
    elif change == "named script":
        names = ArrayObject([TextStringObject("x"), script])
        scripts = DictionaryObject({NameObject("/JavaScript"): DictionaryObject({NameObject("/Names"): names})})
        writer.root_object[NameObject("/Names")] = scripts
    else:
        user = "secret" if change == "password" else ""
        writer.encrypt(user_password=user, owner_password="owner", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_the_text_of_all_pages_is_read_or_none() -> None:
    text = read_text(PDF)
    assert text is not None
    assert text.split() == ["Matriculation", "numbers:", "1234567,", "2345678", "the", "second", "page:", "7654321"]
    assert read_text(changed("owner")) == text
    assert read_text(changed("password")) is None
    assert read_text(b"no PDF") is None
    assert read_text(make_pdf(*["x"] * (MAX_PAGES_OF_TEXT + 1))) is None


def test_pages_and_the_first_pages_text_are_read() -> None:
    read = read_pdf(PDF)
    assert (read["pages"], read["encrypted"], read["javascript"], read["error"]) == (2, False, False, "")
    assert "1234567, 2345678" in read["text_of_first_page"]
    assert "7654321" not in read["text_of_first_page"]
    assert "7654321" in read_pdf(PDF, first_pages=2)["text_of_first_page"]
    assert json.loads(json.dumps(read)) == read


@pytest.mark.parametrize("change", ["script at opening", "named script"])
def test_a_script_is_noted(change: str) -> None:
    read = read_pdf(changed(change))
    assert (read["javascript"], read["error"]) == (True, "")


def test_a_password_to_open_is_an_error_and_one_to_change_is_none() -> None:
    closed, guarded = read_pdf(changed("password")), read_pdf(changed("owner"))
    assert (closed["encrypted"], closed["error"]) == (True, "it opens only with a password; save it without one")
    assert (guarded["encrypted"], guarded["error"]) == (True, "")
    assert "1234567" in guarded["text_of_first_page"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it is empty"),
        (b"hello", "it is no PDF but something else"),
        (b"\x89PNG\r\n\x1a\n", "it is no PDF but a PNG image"),
        (b"\xff\xd8\xff\xe0", "it is no PDF but a JPEG image"),
        (b"PK\x03\x04word", "it is no PDF but a zip archive or Office file"),
        (b"%PDF-1.7\n", "it cannot be read"),
        (b"%PDF-1.7\n" + b"[" * 100_000, "it cannot be read"),
        (b"%PDF-1.7\n" + bytes(30 * 1024**2), "it is larger than 30 MiB"),
    ],
)
def test_what_is_no_good_pdf_is_one_sentence(data: bytes, sentence: str) -> None:
    read = read_pdf(data)
    assert sentence in read["error"]
    assert read["text_of_first_page"] == ""


def test_long_text_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.pdf.MAX_TEXT_CHARACTERS", 11)
    assert read_pdf(PDF)["text_of_first_page"] == "Matriculati"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(PDF)), st.integers(0, 30), st.binary(max_size=6)), max_size=5))
def test_a_damaged_pdf_never_raises(edits: list[tuple[int, int, bytes]]) -> None:
    data = PDF
    for at, length, piece in edits:
        data = data[:at] + piece + data[at + length :]
    assert set(read_pdf(data)) == {"pages", "text_of_first_page", "encrypted", "javascript", "error"}


def test_it_runs_as_a_file_on_its_own(tmp_path: Path) -> None:
    """Behind the wall nothing of Gapgrade need be there."""
    source = Path(__file__).parents[1] / "grader" / "pdf.py"
    (tmp_path / "alone.py").write_text(source.read_text() + "\nprint(read_pdf(b'')['error'])\n")
    done = subprocess.run([sys.executable, "alone.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "it is empty\n"
