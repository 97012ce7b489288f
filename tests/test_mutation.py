"""The mutants of a solution: what is changed, where, and what is left alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.mutation.equivalent import EquivalentError, load_equivalents
from tools.mutation.mutants import find_mutants

FILE = '''"""A file."""

import torch
from torch import Tensor, nn


def outside(x: Tensor) -> Tensor:
    return torch.sqrt(x)


def gap(x: Tensor, alpha: Tensor, alpha_bar: Tensor, net: nn.Module) -> tuple[Tensor, Tensor]:
    """..."""
    # START TODO (a 1): an instruction
    # and its second line
{}
    # END TODO
'''


def mutants_of(*body: str) -> set[str]:
    """What stands in the place of the changed lines."""
    text = FILE.format("".join(f"    {line}\n" for line in body).rstrip())
    return {mutant.after for mutant in find_mutants(text, "lib/a.py")}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("y = x + alpha * 2", {"y = x - alpha * 2", "y = x + (alpha / 2)", "y = x", "y = x + alpha * 3", "pass"}),
        ("y = (x - alpha) / x", {"y = ((x + alpha)) / x", "y = x / (x - alpha)", "y = (x - alpha) * x"}),
        ("y = alpha_bar[1:]", {"y = alpha[1:]", "y = alpha_bar", "y = alpha_bar[:-1]", "y = alpha_bar[2:]"}),
        ("y = net(x.detach()).sum()", {"y = net(x).sum()", "y = net(x.detach()).mean()", "y = net(x.detach())"}),
        ("y = torch.sqrt(x)", {"y = x", "y = torch.exp(x)", "y = torch.sqrt(alpha_bar)"}),
        ("y = (x - 1).mean()[0]", {"y = (x - 1).sum()[0]", "y = (x - 1).mean()", "y = (x - 0).mean()[0]"}),
        ("y = torch.randn_like(x)", {"y = torch.rand_like(x)", "y = torch.zeros_like(x)"}),
        ("y = x.mean(dim=1)", {"y = x.sum(dim=1)", "y = x.mean(dim=0)", "y = x.mean()"}),
        ("y = torch.clip(x, 0.1, 0.9)", {"y = torch.clip(x, 0.9, 0.1)", "y = torch.clip(0.1, x, 0.9)"}),
        ("y = nn.Sequential(net, nn.ReLU())", {"y = nn.Sequential(net)", "y = nn.Sequential(net, nn.Tanh())"}),
        ("y = net(x, reduction='sum')", {"y = net(x, reduction='mean')", "y = net(x)"}),
        ("return x, alpha", {"return (alpha, x)", "return (x,)", "return (x, x)", "pass"}),
        ("x += alpha", {"x = alpha", "x -= alpha", "pass"}),
    ],
)
def test_each_kind_of_slip_is_made(line: str, expected: set[str]) -> None:
    assert expected <= mutants_of(line)


def test_conditions_and_loops_are_turned_round() -> None:
    found = mutants_of("for t in reversed(range(9)):", "    if t > 0:", "        x = x + t")
    assert {"if t >= 0:", "if not (t > 0):", "for t in range(9):", "for t in reversed(range(1, 9)):"} <= found


def test_only_the_gap_is_changed_and_every_mutant_is_another_program_that_compiles() -> None:
    text = FILE.format("    y = torch.exp(0.5 * x)  # why\n    return y, alpha")
    mutants = find_mutants(text, "lib/a.py")
    above, below = text.partition("    y = ")[0], text.rpartition("    # END TODO")[2]
    assert all(mutant.text.startswith(above) and mutant.text.endswith(below) for mutant in mutants)
    programs = {ast.dump(ast.parse(mutant.text)) for mutant in mutants}
    assert len(programs) == len(mutants) > 20
    assert ast.dump(ast.parse(text)) not in programs
    assert {(mutant.file, mutant.gap) for mutant in mutants} == {("lib/a.py", "a 1")}


def test_a_name_is_not_taken_before_it_has_a_value() -> None:
    assert "y = later" not in mutants_of("y = x", "later = y")
    assert "later = x" in mutants_of("y = x", "later = y")


def test_a_mutant_is_listed_as_equivalent_by_its_lines_and_needs_a_reason(tmp_path: Path) -> None:
    (mutant, *_) = find_mutants(FILE.format("    return x, alpha"), "lib/a.py")
    entry = f'[[mutant]]\nfile = "lib/a.py"\ngap = "a 1"\noriginal = "{mutant.before}"\nmutated = "{mutant.after}"\n'
    listed = tmp_path / "equivalent_mutants.toml"
    listed.write_text(entry + 'reason = "It makes no difference."\n')
    (known,) = load_equivalents(tmp_path)
    assert known.is_of(mutant)
    listed.write_text(entry + 'reason = ""\n')
    with pytest.raises(EquivalentError, match=r"equivalent_mutants\.toml.*reason"):
        load_equivalents(tmp_path)
