"""Reading what students hand in: gaps into pristine files, and a finding for everything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.handed import student_gaps
from grader.lines import scan
from grader.reading import check_style, note_gaps
from grader.splice import MAX_DIFF_CHARACTERS, MAX_DIFF_LINES, MAX_FILE_BYTES, read_submission

TEMPLATE = '''\
"""A model: ü."""

import math


def encode(x):
    # START TODO (vae 1): encode.
    # Hint: a concept.
    raise NotImplementedError("TODO vae 1")
    # END TODO


def decode(z):
    """Decode."""
    # START TODO (vae 2): decode.
    raise NotImplementedError("TODO vae 2")
    # END TODO
    return z
'''
FILE = "lib/model.py"
FIRST = '    raise NotImplementedError("TODO vae 1")\n'
SECOND = '    raise NotImplementedError("TODO vae 2")\n'
FILLED = TEMPLATE.replace(FIRST, "    # by hand\n    return x\n").replace(SECOND, "    # ours\n    z = math.sqrt(z)\n")


def read(student: str | bytes) -> dict:
    handed_in = student if isinstance(student, bytes) else student.encode()
    return read_submission({FILE: TEMPLATE}, {FILE: handed_in})


def kinds(result: dict) -> list[tuple[str, int]]:
    return [(finding["kind"], finding["line"]) for finding in result["findings"]]


def test_a_filled_file_comes_back_as_it_was_handed_in() -> None:
    result = read(FILLED)
    assert result["files"] == {FILE: FILLED}
    assert kinds(result) == []
    assert [(gap["label"], gap["state"], gap["line"]) for gap in result["gaps"]] == [
        ("vae 1", "filled", 7),
        ("vae 2", "filled", 16),
    ]
    assert json.loads(json.dumps(result)) == result


def test_an_untouched_file_has_untouched_gaps_and_no_findings() -> None:
    result = read(TEMPLATE)
    assert [gap["state"] for gap in result["gaps"]] == ["untouched", "untouched"]
    assert kinds(result) == []


@pytest.mark.parametrize(
    "encoded",
    [
        FILLED.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + FILLED.encode(),
        FILLED.rstrip("\n").encode(),
        FILLED.replace("return x", "return x   ").encode(),
    ],
    ids=["crlf", "byte order mark", "no newline at the end", "blanks at a line's end"],
)
def test_what_editors_do_to_a_file_is_no_edit(encoded: bytes) -> None:
    result = read(encoded)
    assert kinds(result) == []
    assert result["files"][FILE].replace("   \n", "\n") == FILLED


def test_a_template_with_crlf_stays_one() -> None:
    template = TEMPLATE.replace("\n", "\r\n")
    result = read_submission({FILE: template}, {FILE: FILLED.encode()})
    assert result["files"] == {FILE: FILLED.replace("\n", "\r\n")}


@pytest.mark.parametrize(
    ("broken", "line", "message"),
    [
        ("    return x +\n", 9, "invalid syntax"),
        ('    x = """ an open quote\n    return x\n', 9, "unterminated triple-quoted string literal"),
        ("    return (x\n", 9, "was never closed"),
        ("    if x:\n", 10, "expected an indented block after 'if' statement on line 9"),
        ("    y = x\n  return y\n", 10, "unindent"),
        ("    return x\n    # START TODO (mine)\n    # END TODO\n", 7, "a marker stands inside the gap"),
    ],
)
def test_a_gap_that_does_not_compile_hurts_its_own_task_only(broken: str, line: int, message: str) -> None:
    result = read(FILLED.replace("    # by hand\n    return x\n", broken))
    (finding,) = [finding for finding in result["findings"] if finding["kind"] == "syntax"]
    assert (finding["file"], finding["line"]) == (FILE, line)
    assert message in finding["message"]
    assert [gap["state"] for gap in result["gaps"]] == ["syntax", "filled"]
    namespace: dict = {}
    exec(result["files"][FILE], namespace)
    assert namespace["decode"](4) == 2
    with pytest.raises(SyntaxError, match=rf"TODO vae 1: line {line}: "):
        namespace["encode"](4)


def test_open_quotes_in_two_gaps_that_close_each_other_are_found() -> None:
    student = TEMPLATE.replace(FIRST, '    x = """\n').replace(SECOND, '    z = """\n')
    result = read(student)
    assert [gap["state"] for gap in result["gaps"]] == ["syntax", "syntax"]


@pytest.mark.parametrize(
    ("student", "message"),
    [
        (FILLED.replace("    # START TODO (vae 1): encode.\n", ""), "# START TODO vae 1 is gone"),
        (FILLED.replace("    # END TODO\n\n", "\n"), "# END TODO of TODO vae 1 is gone"),
        (FILLED.replace("import math\n", "import math\n# START TODO (vae 1)\n"), "stands at line 4 and 8"),
    ],
    ids=["start removed", "end removed", "start twice"],
)
def test_a_gap_whose_markers_are_gone_counts_as_not_filled_and_the_others_are_graded(
    student: str, message: str
) -> None:
    result = read(student)
    assert [gap["state"] for gap in result["gaps"]] == ["missing", "filled"]
    assert 'raise NotImplementedError("TODO vae 1")' in result["files"][FILE]
    assert "z = math.sqrt(z)" in result["files"][FILE]
    (finding,) = [finding for finding in result["findings"] if finding["kind"] == "gap-missing"]
    assert message in finding["message"]


def test_a_marker_with_other_words_and_gaps_in_another_order_are_still_read() -> None:
    head, first, second = FILLED.partition("def encode")[0], *FILLED.partition("def encode")[2].split("\n\n\n")
    student = f"{head}{second}\n\ndef encode{first}\n".replace("(vae 2): decode.", "(vae 2) meine Lösung")
    result = read(student)
    assert [gap["state"] for gap in result["gaps"]] == ["filled", "filled"]
    assert result["files"][FILE] == FILLED


def test_edits_outside_gaps_are_undone_and_shown() -> None:
    result = read(FILLED.replace("import math\n", "import math, os\n"))
    assert result["files"] == {FILE: FILLED}
    assert kinds(result) == [("edited-outside", 3)]
    assert "-import math\n+import math, os\n" in result["diffs"][FILE]


def test_lines_behind_the_end_are_an_edit_of_the_first_line_there() -> None:
    assert kinds(read(FILLED + "print(1)\n")) == [("edited-outside", len(FILLED.splitlines()) + 1)]


def test_a_diff_is_cut() -> None:
    for student in ("x = 1\n" * 4000, f"{'y' * 900}\n" * 150):
        (diff,) = read(student)["diffs"].values()
        assert len(diff) <= MAX_DIFF_CHARACTERS + len("\n... (cut)\n")
        assert len(diff.splitlines()) <= MAX_DIFF_LINES + 1


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (FILLED.replace("# by hand", "# für").encode("cp1252"), 1),
        (TEMPLATE.encode().replace(FIRST.encode(), b"    # f\xfcr\n    return x\n"), 9),
        (FILLED.replace("# by hand", "# \0").encode(), 9),
        (FILLED.encode("utf-16"), 1),
    ],
    ids=["windows", "one line", "a null byte", "utf-16"],
)
def test_another_encoding_is_a_finding_and_the_gaps_are_still_graded(data: bytes, line: int) -> None:
    result = read(data)
    assert ("not-utf8", line) in kinds(result)
    assert result["gaps"][0]["state"] == "filled"


def test_missing_long_and_extra_files_are_noted_and_not_run() -> None:
    templates = {FILE: TEMPLATE, "run.py": "print(1)\n", "lib/long.py": TEMPLATE}
    handed_in = {
        "run.py": b"print(2)\n",
        "lib/mine.py": b"",
        "tests/mine.py": b"",
        "lib/long.py": b"#" * 2 * MAX_FILE_BYTES,
    }
    result = read_submission(templates, handed_in)
    assert result["files"] == templates
    assert {(finding["kind"], finding["file"]) for finding in result["findings"]} == {
        ("missing-file", FILE),
        ("edited-outside", "run.py"),
        ("too-long", "lib/long.py"),
        ("extra-file", "lib/mine.py"),
    }
    assert {gap["state"] for gap in result["gaps"]} == {"missing"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"#" * (MAX_FILE_BYTES + 1), "is larger than 256 KiB"),
        (b"#\n" * 5001, "has more than 5,000 lines"),
        (FILLED.encode() + b"\\'" * 1001, "has a line of more than 1,000 characters"),
    ],
)
def test_a_file_that_would_take_long_to_read_is_not_read(data: bytes, reason: str) -> None:
    result = read(data)
    assert result["files"] == {FILE: TEMPLATE}
    assert reason in result["findings"][0]["message"]
    assert [finding["code"] for finding in check_style({FILE: data})["findings"]] == ["E902"]


def test_gaps_without_a_comment_and_loops_are_noted() -> None:
    content = "    y = 0\n    for i in range(len(x)):\n        y += x[i]\n    return y\n"
    result = read(TEMPLATE.replace(FIRST, content).replace(SECOND, "    z = z  # as it is\n"))
    notes = note_gaps({FILE: TEMPLATE}, result["gaps"])
    assert [(note["kind"], note["line"]) for note in notes] == [("no-comment", 7), ("loop", 10)]
    assert "for i in range(len(x))" in notes[1]["message"]


def test_style_counts_the_students_files_and_lists_a_hundred_findings() -> None:
    line = b"x = 1  # " + b"a" * 111 + b"\n"
    handed_in = {"a.py": line + line.replace(b"a", b"aa"), "b.py": b"x=1\n" * 150, "tests/test_a.py": b"x=1\n"}
    style = check_style(handed_in)
    assert style["total"] == 151
    assert len(style["findings"]) == 100
    assert style["findings"][0] == {
        "file": "a.py",
        "line": 2,
        "column": 121,
        "code": "E501",
        "text": "line too long (231 > 120 characters)",
    }


MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, len(FILLED)),
        st.integers(0, 40),
        st.sampled_from(
            ["", '"""', "(", "# END TODO\n", "# START TODO (vae 1)\n", "\0", "\r", "\f", "\\\n", "\t", "f'{"]
        )
        | st.text(max_size=5),
    ),
    max_size=6,
)


@given(MUTATIONS)
def test_whatever_students_do_the_text_to_run_compiles_and_keeps_its_markers(edits: list[tuple[int, int, str]]) -> None:
    student = FILLED
    for at, length, text in edits:
        student = student[:at] + text + student[at + length :]
    result = read_submission({FILE: TEMPLATE}, {FILE: student.encode("utf-8", "surrogatepass")})
    compile(result["files"][FILE], FILE, "exec")
    markers = [
        one.text
        for one in scan(result["files"][FILE]).comments
        if one.alone and one.text.startswith("# START TODO (vae ")
    ]
    assert len(markers) == 2
    note_gaps({FILE: TEMPLATE}, result["gaps"])
    check_style({FILE: student.encode("utf-8", "surrogatepass")})


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    result = read(data)
    check_style({FILE: data})
    assert list(result["files"]) == [FILE]


def test_the_reader_of_a_students_file_names_the_template_when_that_is_broken() -> None:
    with pytest.raises(Exception, match=r"lib/a\.py:1: START TODO is never closed"):
        student_gaps("# START TODO (a): x\n", "", "lib/a.py")
