"""Pairs of submissions whose gaps hold what hardly anybody else wrote.

**What is alike.** A fingerprint counts by its rarity: log2(n / d) bits where d of the n submissions that filled the gap
have it (inverse document frequency: K. Spärck Jones, J. Documentation 28, 1972). A gap is shared by two submissions
where these bits are at least half alike. What more than `MOST` submissions hold makes no pair, as in MOSS (its option
-m, 10 by default): a gap that everybody solves alike tells nothing of anybody.

**What chance explains.** If everybody wrote alone, a second submission would have a text that d of n have with
probability d / n. So X = log2(n / d) is a gap's evidence, 0 where it is not shared; E[2^X] <= 2 for each gap. If the
gaps are written independently of each other, by Markov's inequality the sum over g gaps reaches t with probability at
most 2^(g - t). With t = g + log2(pairs / 0.1) no more than one class in ten has one pair by chance that reaches it.
Habits and sources that two authors share are no chance: that is for a person to judge. Below t, a pair is only alike.

All steps are linear in the class: a fingerprint makes at most `MOST` (`MOST` - 1) / 2 pairs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import combinations

from grader.cells import text_path
from grader.similarity.fingerprints import Prints, prints_of, runs_in, words_in
from grader.work import Work

MOST = 10
"""What more submissions than this share is common property."""
HALF = 0.5
"""A gap is shared where at least this part of the smaller content is alike."""
AT_LEAST = 3
"""Fewer common fingerprints than this are a line or two, which two people write alike."""
FALSE_CLASSES = 0.1
"""The share of classes with a pair that chance made, among those that are said to be beyond chance."""

Names = tuple[str, str]


@dataclass(frozen=True)
class SharedGap:
    """A gap of two submissions.

    Attributes:
        share: the part of the smaller content that is alike, by its rarity, from 0 to 1.
        bits: the evidence X of the module's text.
        contents: both contents.
        lines: of each, the lines (from 0) that the other one has, too.
    """

    file: str
    label: str
    share: float
    bits: float
    contents: tuple[str, str]
    lines: tuple[frozenset[int], frozenset[int]]


@dataclass(frozen=True)
class Pair:
    """Two submissions and the gaps that they share; `beyond` says that chance does not explain it."""

    names: Names
    gaps: tuple[SharedGap, ...]
    beyond: bool

    @property
    def bits(self) -> float:
        return sum(gap.bits for gap in self.gaps)


def similar_pairs(works: Mapping[str, Work], templates: Mapping[str, str]) -> list[Pair]:
    """The pairs that share gaps, those with the most evidence first.

    Args:
        works: by name, what is kept of each submission.
        templates: the files that were handed out, by path; what they hold is nobody's.
    """
    by_gap = _by_gap(works)
    shared: dict[Names, list[SharedGap]] = defaultdict(list)
    for (file, label), contents in by_gap.items():
        template = templates.get(file, templates.get(text_path(file), ""))
        for names, gap in _in_gap(file, label, contents, template):
            shared[names].append(gap)
    line = len(by_gap) + math.log2(math.comb(len(works), 2) / FALSE_CLASSES) if shared else 0.0
    pairs = [_pair(names, gaps, line) for names, gaps in shared.items()]
    return sorted(pairs, key=lambda pair: (-pair.bits, pair.names))


def _pair(names: Names, gaps: list[SharedGap], line: float) -> Pair:
    gaps = sorted(gaps, key=lambda gap: (-gap.bits * len(gap.lines[0]), gap.file, gap.label))
    return Pair(names, tuple(gaps), sum(gap.bits for gap in gaps) >= line)


def _by_gap(works: Mapping[str, Work]) -> dict[tuple[str, str], dict[str, str]]:
    """Each gap's contents, by file and label and then by the submission's name."""
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name, work in sorted(works.items()):
        for gap in work.gaps:
            found[gap.file, gap.label][name] = gap.content
    return found


def _in_gap(file: str, label: str, contents: Mapping[str, str], template: str) -> Iterable[tuple[Names, SharedGap]]:
    """The pairs that share one gap."""
    given = words_in(template)
    handed_out = runs_in(template, given)
    read = {text: prints_of(text, given) for text in set(contents.values())}
    prints = {name: read[text] for name, text in contents.items()}
    owners = _owners(prints, handed_out)
    bits = {number: math.log2(len(contents) / len(names)) for number, names in owners.items()}
    whole = {name: sum(bits.get(number, 0.0) for number in found.lines) for name, found in prints.items()}
    for pair in {pair for names in owners.values() if len(names) <= MOST for pair in combinations(names, 2)}:
        one, other = (prints[name] for name in pair)
        common = one.lines.keys() & other.lines.keys() & owners.keys()
        weight = sum(bits[number] for number in common)
        share = weight / min(whole[name] for name in pair) if weight else 0.0
        if share >= HALF and len(common) >= AT_LEAST:
            lines = (_covered(one, common), _covered(other, common))
            texts = (contents[pair[0]], contents[pair[1]])
            yield pair, SharedGap(file, label, share, weight / len(common), texts, lines)


def _owners(prints: Mapping[str, Prints], handed_out: Set[int]) -> dict[int, list[str]]:
    """Who has each fingerprint, but those of the template."""
    owners: dict[int, list[str]] = defaultdict(list)
    for name, found in prints.items():
        for number in found.lines.keys() - handed_out:
            owners[number].append(name)
    return owners


def _covered(found: Prints, numbers: Iterable[int]) -> frozenset[int]:
    return frozenset().union(*(found.lines[number] for number in numbers))
