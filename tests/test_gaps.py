"""The gap language: what a template keeps, and what is refused with file and line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gaps import GapError, find_gaps, strip, without_solution_only
from grader.splice import splice

SOLUTION = '''\
"""A model."""

import math


def latent(mean: float) -> float:
    """Draw; see # START TODO (1.1) in the sheet.

    # END TODO
    """
    # START TODO (vae 1): draw z.
    # Hint: think of noise.

    # The noise carries no gradient.
    noise = math.pi
    return mean + noise
    # END TODO


# START SOLUTION ONLY
def secret() -> str:
    return "# START TODO"


# END SOLUTION ONLY
def loop() -> int:
    total = 0
    # START TODO (vae 2): sum up.
    # STUDENT: for i in range(3):
    # STUDENT:     pass  # your code
    for i in range(3):
        total += i
    # END TODO
    return total
'''

TEMPLATE = '''\
"""A model."""

import math


def latent(mean: float) -> float:
    """Draw; see # START TODO (1.1) in the sheet.

    # END TODO
    """
    # START TODO (vae 1): draw z.
    # Hint: think of noise.
    raise NotImplementedError("TODO vae 1")
    # END TODO


def loop() -> int:
    total = 0
    # START TODO (vae 2): sum up.
    for i in range(3):
        pass  # your code
    # END TODO
    return total
'''


def test_a_gap_keeps_its_instructions_and_loses_its_code() -> None:
    assert strip(SOLUTION, "a.py") == TEMPLATE


def test_a_gap_knows_its_label_its_words_and_its_lines() -> None:
    gap = find_gaps(SOLUTION, "a.py")[0]
    assert (gap.label, gap.todo, gap.start, gap.end, gap.indent) == ("vae 1", "TODO vae 1", 11, 17, "    ")
    assert gap.instruction == "draw z. Hint: think of noise."
    assert gap.head == "    # Hint: think of noise.\n"
    assert gap.content == gap.head + gap.body


def in_function(*lines: str) -> str:
    return "def f():\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (in_function("# START TODO (a): x", "# START TODO (b): y", "pass", "# END TODO"), 3, "opened at line 2"),
        (in_function("# START TODO (a): x", "pass"), 2, "never closed"),
        (in_function("pass", "# END TODO"), 3, "END TODO without a start"),
        (in_function("# START TODO (a): x", "# START SOLUTION ONLY", "pass", "# END SOLUTION ONLY"), 3, "inside"),
        (in_function("# START TODO (a): x", "pass", "# END SOLUTION ONLY"), 4, "cannot close START TODO of line 2"),
        (in_function("# START TODO (a): x", "# only words", "# END TODO", "pass"), 2, "empty"),
        (in_function("x = 1  # START TODO (a): x", "pass", "# END TODO"), 2, "a line of its own"),
        (in_function("# START TOD0 (a): x", "pass", "# END TODO"), 2, "'# START TODO (label): instruction'"),
        (in_function("# START TODO (a): x", "pass", "# End todo"), 4, "write '# END TODO'"),
        (in_function("# START TODO (a): x", "pass", "#END-TODO"), 4, "write '# END TODO'"),
        (in_function("# START TODO (a): x", "# Student: pass", "pass", "# END TODO"), 3, "# STUDENT: code"),
        (in_function("# START SOLUTION ONYL", "pass", "# END SOLUTION ONLY"), 2, "'# START SOLUTION ONLY'"),
        (in_function("# STUDENT: pass", "pass"), 2, "outside a gap"),
        (in_function("# BEGIN SOLUTION", "pass"), 2, "never ended"),
        (in_function("# BEGIN SOLUTION", "pass", "# END TODO"), 2, "never ended"),
        (in_function("return (", "# START TODO (a): x", "1", "# END TODO", ")"), 3, "template does not compile"),
        ("def f():\n    # START TODO (a): x\n    if True:\n    \tpass\n    # END TODO\n", 4, "tabs and spaces"),
        ("def f(:\n    pass\n", 1, "solution does not compile"),
        ("class A:\n    # START SOLUTION ONLY\n    x = 1\n    # END SOLUTION ONLY\n", 1, "does not compile"),
    ],
)
def test_a_marker_that_cannot_be_read_is_refused_with_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(GapError, match=rf"^lib/a\.py:{line}: ") as error:
        strip(text, "lib/a.py")
    assert words in error.value.sentence
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("closing", ["pass", '# STUDENT: """'])
def test_starter_code_with_an_open_quote_is_refused(closing: str) -> None:
    first = ("# START TODO (a): x", '# STUDENT: x = """', "x = 1", "# END TODO")
    with pytest.raises(GapError, match=r"^a\.py:\d: .*(does not compile|hides the template's markers)"):
        strip(in_function(*first, "# START TODO (b): x", closing, "x = 1", "# END TODO"), "a.py")


def test_two_gaps_of_a_file_may_not_share_a_label() -> None:
    gap = ("# START TODO (a): x", "pass", "# END TODO")
    with pytest.raises(GapError, match=r"a\.py:5: the label \(a\) stands at line 2, too"):
        strip(in_function(*gap, *gap), "a.py")


@pytest.mark.parametrize("words", ["Start to draw", "End to end", "The end of TODO lists", "TODO: later", "Students"])
def test_a_comment_that_only_sounds_like_a_marker_is_a_comment(words: str) -> None:
    text = in_function(f"# {words}", "pass")
    assert strip(text, "a.py") == text


def test_blank_lines_around_a_solution_only_region_do_not_add_up() -> None:
    text = "x = 1\n\n\n# START SOLUTION ONLY\ny = 2\n# END SOLUTION ONLY\n\n\nz = 3\n"
    assert strip(text, "a.py") == "x = 1\n\n\nz = 3\n"
    at_the_end = "x = 1\n\n\n# START SOLUTION ONLY\ny = 2\n# END SOLUTION ONLY\n"
    assert strip(at_the_end, "a.py") == "x = 1\n"


def test_the_dialect_of_nbgrader_is_read() -> None:
    text = in_function("### BEGIN SOLUTION", "return 1", "### END SOLUTION")
    text += "### BEGIN HIDDEN TESTS\nassert f() == 1\n### END HIDDEN TESTS\n"
    assert strip(text, "a.py") == in_function("# START TODO", 'raise NotImplementedError("TODO")', "# END TODO")


def test_the_dialect_of_otter_is_read() -> None:
    text = in_function(
        "y = 2  # SOLUTION NO PROMPT",
        "z = [a for a in (1, 2)]  # SOLUTION",
        "# BEGIN SOLUTION NO PROMPT",
        "return z",
        "# END SOLUTION",
        '""" # BEGIN PROMPT',
        "for a in z:",
        "    pass",
        '"""; # END PROMPT',
    )
    text += "nine = f(x=3)  # SOLUTION\nprint(nine)  # SEED\n"
    expected = in_function("# START TODO", "z = ...", "for a in z:", "    pass", "# END TODO")
    assert strip(text, "a.py") == expected + "# START TODO\nnine = ...\n# END TODO\n"


# A solution's lines as an instructor could write them: markers in strings, nested functions, odd indentation.
STATEMENTS = st.sampled_from(
    [
        "pass",
        "x = '# START TODO (1): no marker'",
        "x = '''\n# END TODO\n  # START TODO\n'''",
        "x = (1 +\n  2)  # the END",
        "x = 'ü ∇ 😀 \\x0c'",
        "x = 1 + \\\n    2",
        "# a comment of its own\nx = 2",
        "\nx = 3\n",
        "def inner():\n   # odd indentation\n   return '# END TODO'",
        "if 1:\n        pass",
        "x = f'{1}# START TODO'",
    ]
)


def indented(block: str, indent: str) -> list[str]:
    """The block with its indentation, which must not reach into the triple-quoted string."""
    if "'''" in block:
        first, *rest = block.split("\n")
        return [indent + first, *rest]
    return [indent + line if line else "" for line in block.split("\n")]


@st.composite
def solutions(draw: st.DrawFn) -> str:
    lines = ['"""Doc."""']
    for number in range(draw(st.integers(0, 4))):
        indent = draw(st.sampled_from(["    ", "  "]))
        inner = [
            line for block in draw(st.lists(STATEMENTS, min_size=1, max_size=3)) for line in indented(block, indent)
        ]
        kind = draw(st.sampled_from(["gap", "starter", "only", "plain"]))
        if kind in ("gap", "starter"):
            label = draw(st.sampled_from([f" (g {number})", ""]))
            head = draw(st.sampled_from([[], [f"{indent}# Hint: ü."]]))
            starter = [f"{indent}# STUDENT: if 1:", f"{indent}# STUDENT:     x = 1"] if kind == "starter" else []
            inner = [f"{indent}# START TODO{label}: do.", *head, *starter, *inner, f"{indent}# END TODO"]
        elif kind == "only":
            inner = [f"{indent}# START SOLUTION ONLY", *inner, f"{indent}# END SOLUTION ONLY"]
        lines += ["" for _ in range(draw(st.integers(0, 3)))]
        lines += [f"def f{number}():", f'{indent}"""Doc."""', *inner]
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(lines) + draw(st.sampled_from(["", newline]))


@given(solutions())
def test_the_gaps_laid_into_the_template_give_the_solution_byte_for_byte(solution: str) -> None:
    contents = [gap.content for gap in find_gaps(solution, "a.py")]
    template = strip(solution, "a.py")
    assert splice(template, contents) == without_solution_only(solution, "a.py")
    assert len(find_gaps(template, "a.py")) == len(contents)


@given(st.text())
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    try:
        strip(text, "a.py")
    except GapError as error:
        assert str(error).startswith("a.py:")  # noqa: PT017  most texts are no Python, and some are
