"""Catalogues of mistakes and variants."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalogue import CatalogueError, apply_edits, load_mistakes, load_variants

SOLUTION = '''\
def add(a, b):
    """a + b"""
    # START TODO (1): a + b
    # never a - b
    return a + b
    # END TODO


def more(a):
    return a + b
'''


def write(folder: Path, text: str) -> Path:
    (folder / "mistakes").mkdir()
    (folder / "mistakes" / "adding.toml").write_text(text)
    return folder


def entry(find: str = "a + b", file: str = "a.py", extra: str = "") -> str:
    edit = f'[[mistake.edit]]\nfile = "{file}"\nfind = "{find}"\nreplace = "a * b"\n'
    return f'[[mistake]]\nid = "m"\ntitle = "T."\nhint = "H."\ntests = ["test_a"]\n{extra}{edit}'


def test_an_edit_is_made_inside_the_gap_and_nowhere_else(tmp_path: Path) -> None:
    (mistake,) = load_mistakes(write(tmp_path, entry()))
    edited = apply_edits(mistake, {"a.py": SOLUTION, "b.py": "x"})
    assert edited == {
        "a.py": SOLUTION.replace("    return a + b\n    # END", "    return a * b\n    # END"),
        "b.py": "x",
    }
    assert load_variants(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (entry("a "), "m: 'a ' stands 2 times in the gaps of a.py"),
        (entry("gone"), "m: 'gone' stands 0 times in the gaps of a.py"),
        (entry("def add"), "m: 'def add' stands 0 times"),
        (entry(file="c.py"), "there is no file c.py"),
        (entry(file="a.ipynb"), "there is no file a.ipynb in the solution; did you mean a.py?"),
        (entry(extra='tets = "x"\n'), "mistake 'm': tets: Extra inputs are not permitted"),
        (entry() + entry(), "two entries have the id 'm'"),
        ("[[mistake]", "adding.toml: "),
        ("[[variant]]\n", "unknown table 'variant'"),
    ],
)
def test_an_entry_that_cannot_be_used_says_which_and_why(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        apply_edits(load_mistakes(write(tmp_path, text))[0], {"a.py": SOLUTION})
    assert sentence in str(refused.value)
