"""Similarity of gaps: renaming hides nothing, what many write flags nobody, copies stand out, any text is read."""

from __future__ import annotations

import random
import time

import pytest

from grader.similarity.fingerprints import WINDOW, K, normalised, prints_of, winnowed, words_in
from grader.similarity.pairs import similar_pairs
from grader.work import GapText, Work

TEMPLATE = """import torch


def draw(mean, logvar):
    # START TODO (a 1): draw.
    raise NotImplementedError
    # END TODO
"""
ONE = """    # half of the logarithm
    std = torch.exp(0.5 * logvar)
    noise = torch.randn_like(std)
    return mean + std * noise
"""
RENAMED = """    sigma = torch.exp(0.5 * logvar)  # mine

    # all mine
    e = torch.randn_like(sigma)
    return mean + sigma * e
"""
WAYS = (
    "    std = torch.exp(logvar / 2)\n    return mean + std * torch.randn(mean.shape)\n",
    "    return torch.normal(mean, logvar.exp().sqrt()) * torch.ones(1, 1, 1).sum()\n",
    "    z = torch.empty(mean.size()).normal_(0.0, 1.0)\n    return z.mul(logvar.mul(0.5).exp()).add(mean)\n",
    ONE,
)


def a_class(size: int, gaps: int, seed: int = 0) -> dict[str, Work]:
    """Submissions that solve each gap in one of a few ways, whoever they are."""
    draw = random.Random(seed)
    return {
        f"team-{i:03}": Work(tuple(GapText("a.py", f"a {gap}", 5, draw.choice(WAYS)) for gap in range(gaps)))
        for i in range(size)
    }


def odd(seed: int) -> str:
    """A right solution, with lines that nobody else has."""
    draw = random.Random(seed)
    lines = [
        f"    w{i} = torch.linspace({draw.random()}, 1, {draw.randrange(9)}).sum() - len(str({i}))\n" for i in range(4)
    ]
    return "".join(lines) + ONE


def copied(text: str) -> str:
    """The same under other names, with a comment."""
    for i in range(4):
        text = text.replace(f"w{i} ", f"other_{9 - i} ")
    return text.replace("std", "sigma").replace("    return", "    # my own idea\n    return")


def test_renaming_and_comments_change_no_fingerprint() -> None:
    given = words_in(TEMPLATE)
    assert prints_of(ONE, given).lines.keys() == prints_of(RENAMED, given).lines.keys() != set()
    assert prints_of(ONE, given).lines.keys() != prints_of(ONE.replace("randn", "rand"), given).lines.keys()


def test_every_shared_run_of_the_promised_length_leaves_a_common_fingerprint() -> None:
    draw = random.Random(1)
    for _ in range(200):
        run = [draw.randrange(10**6) for _ in range(WINDOW)]  # the hashes of K + WINDOW - 1 tokens
        texts = [[draw.randrange(10**6) for _ in range(draw.randrange(9))] for _ in range(4)]
        one, other = (dict(winnowed(before + run + after)).values() for before, after in (texts[:2], texts[2:]))
        assert set(one) & set(other)
    assert list(winnowed([])) == []
    assert len(normalised("x = 1 + 2", frozenset())) < K


@pytest.mark.parametrize("size", [8, 40, 300])
def test_what_many_write_alike_makes_no_pair_beyond_chance(size: int) -> None:
    pairs = similar_pairs(a_class(size, gaps=10), {"a.py": TEMPLATE})
    assert not any(pair.beyond for pair in pairs)
    assert size < 300 or not pairs


def test_a_copy_comes_first_with_its_lines_and_one_gap_alone_is_only_alike() -> None:
    works = a_class(300, gaps=10)
    works["team-100"] = Work(tuple(GapText("a.py", f"a {gap}", 5, odd(gap)) for gap in range(10)))
    works["team-200"] = Work(tuple(GapText("a.py", f"a {gap}", 5, copied(odd(gap))) for gap in range(10)))
    works["team-250"] = Work((*works["team-250"].gaps[:9], GapText("a.py", "a 9", 5, odd(9))))
    began = time.monotonic()
    first, *others = similar_pairs(works, {"a.py": TEMPLATE})
    assert time.monotonic() - began < 30  # about 1 s on two idle cores
    assert (first.names, first.beyond, len(first.gaps)) == (("team-100", "team-200"), True, 10)
    assert {pair.names for pair in others} == {("team-100", "team-250"), ("team-200", "team-250")}
    assert not any(pair.beyond for pair in others)
    gap = next(gap for gap in first.gaps if gap.label == "a 0")
    assert set(range(4)) <= gap.lines[0]
    assert "other_9" in gap.contents[1]


def test_what_the_template_holds_is_nobodys() -> None:
    given = TEMPLATE.replace("    raise NotImplementedError\n", odd(1))
    works = {f"team-{i}": Work((GapText("a.py", "a 1", 5, odd(1) if i < 2 else ONE),)) for i in range(20)}
    assert similar_pairs(works, {"a.py": TEMPLATE})[0].names == ("team-0", "team-1")
    assert not similar_pairs(works, {"a.py": given})


@pytest.mark.parametrize(
    "text", ["(" * 8_000, "'''" + "x" * 7_000, "\0\ud800", "if x:\n  y\n z\n", "x = " + "1+" * 3_900 + "1"]
)
def test_any_text_is_read_as_far_as_it_can_be(text: str) -> None:
    works = {f"team-{i}": Work((GapText("a.py", "a 1", 1, text),)) for i in range(3)}
    similar_pairs(works, {})
    similar_pairs({"alone": works["team-0"]}, {})
