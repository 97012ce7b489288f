"""Probes: a function call in a student's checkout, a shipped source where the grader stands."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from gapcheck.plugin import derive_seed
from gapcheck.probe import ProbeError, ProbeFailure, shipped_source, through

SUITE = '''
import math
import pytest
import torch
from gapcheck import probe, task

SECRET = 42


@probe
def draw(n: int, scale: float = 1.0) -> object:
    """A comment."""
    return [torch.ones(n, requires_grad=True) * scale, math.pi]  # not shipped


@probe
def twice(n):
    return draw(n) + draw(n)


@task("group", hint="A hint.")
def test_secret():
    assert SECRET == 42
'''


@pytest.fixture
def suite(tmp_path: Path) -> Callable[[str], ModuleType]:
    def load(text: str) -> ModuleType:
        file = tmp_path / "test_some.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location("test_some", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["test_some"] = module
        spec.loader.exec_module(module)
        return module

    return load


class Recorder:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def call(self, *call: Any) -> Any:
        self.calls.append(call)
        return "answer"


def test_without_a_gate_a_probe_is_a_call_whose_result_crossed_the_codec(suite: Callable[[str], ModuleType]) -> None:
    ones, pi = suite(SUITE).draw(2, scale=3.0)
    assert torch.equal(ones, torch.tensor([3.0, 3.0]))
    assert not ones.requires_grad
    assert pi == pytest.approx(3.14159265)


def test_what_is_no_plain_data_is_refused_in_a_checkout_as_well(suite: Callable[[str], ModuleType]) -> None:
    module = suite("from gapcheck import probe\n\n@probe\ndef thing():\n    return object()\n")
    with pytest.raises(ProbeFailure, match=r"builtins\.object"):
        module.thing()


def test_through_a_gate_go_the_source_and_the_arguments_and_no_test(suite: Callable[[str], ModuleType]) -> None:
    module, gate = suite(SUITE), Recorder()
    with through(gate):
        assert module.draw(2, scale=3.0) == "answer"
    ((source, function, args, kwargs),) = gate.calls
    assert (function, args, kwargs) == ("draw", (2,), {"scale": 3.0})
    for withheld in ("SECRET", "42", "task", "hint", "pytest", "gapcheck", "not shipped", "@"):
        assert withheld not in source
    names: dict[str, Any] = {}
    exec(source, names)
    assert len(names["twice"](2)) == 4


def test_the_gate_is_gone_when_the_context_is_left(suite: Callable[[str], ModuleType]) -> None:
    module = suite(SUITE)
    with pytest.raises(ZeroDivisionError), through(Recorder()):
        raise ZeroDivisionError
    assert len(module.draw(1)) == 2


@pytest.mark.parametrize(
    "body",
    ["return SECRET", "return [SECRET for _ in range(2)]", "return (lambda: SECRET)()", "return helper()"],
)
def test_a_probe_that_uses_what_stays_outside_is_refused_by_name(suite: Callable[[str], ModuleType], body: str) -> None:
    text = f"from gapcheck import probe\nSECRET = 1\ndef helper(): return 1\n\n@probe\ndef leaking():\n    {body}\n"
    module = suite(text)
    with pytest.raises(ProbeError, match=r"probe leaking uses '(SECRET|helper)', which stays outside"):
        shipped_source(module.leaking.__wrapped__)


def test_a_test_draws_its_own_data_in_each_run_and_the_same_in_a_release() -> None:
    here, there = "tests_public/vae/test_vae.py::test_a", "tests/test_vae.py::test_a"
    assert derive_seed(1, here) == derive_seed(1, there)
    assert len({derive_seed(seed, name) for seed in range(50) for name in (here, here + "b")}) == 100
